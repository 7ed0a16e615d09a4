"""A catalogue or a key that would fail only when somebody buys is found before; the stand-in stays at home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from billing import checks, packs
from scripts import check
from tests.environment import ROOT


@pytest.mark.parametrize("entry", ["", "20", "20:", "0:500", "20:0", "20:5.00", "-1:500", "20:500:prod_1", "x:y"])
def test_a_malformed_catalogue_is_an_error(settings: Any, entry: str) -> None:
    settings.CREDIT_PACKS = [entry]
    with pytest.raises(packs.Malformed):
        packs.packs()
    assert [found.id for found in checks.catalogue_is_sound()] == ["billing.E001"]


def test_two_packs_of_one_size_have_one_code(settings: Any) -> None:
    settings.CREDIT_PLANS = ["20:500", "20:400"]
    assert [found.id for found in checks.catalogue_is_sound()] == ["billing.E001"]


def test_a_sound_catalogue(settings: Any) -> None:
    settings.CREDIT_PACKS, settings.CREDIT_PLANS = ["20:500", " 100:2000:price_1"], []
    assert [item.code for item in packs.packs()] == ["pack-20", "pack-100"]
    assert packs.packs()[1].price == "price_1"
    assert checks.catalogue_is_sound() == []
    settings.CURRENCY = "euro"
    assert [found.id for found in checks.catalogue_is_sound()] == ["billing.E002"]


def test_half_a_configuration_is_an_error(settings: Any) -> None:
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRETS = "sk_live_x", []
    assert [found.id for found in checks.keys_belong_together()] == ["billing.E003"]
    settings.STRIPE_WEBHOOK_SECRETS = ["secret"]
    assert [found.id for found in checks.keys_belong_together()] == ["billing.E004"]
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_x"]
    assert checks.keys_belong_together() == []


def test_a_test_key_on_a_public_site_is_warned_of(settings: Any) -> None:
    settings.BILLING_TEST_MODE = True
    assert [found.id for found in checks.money_moves()] == ["billing.W001"]
    settings.BILLING_TEST_MODE = False
    assert checks.money_moves() == []


@pytest.mark.parametrize(("base", "refused"), [("http://127.0.0.1:1", True), ("", False)])
def test_production_refuses_the_stand_in_and_starts_without_keys(tmp_path: Path, base: str, *, refused: bool) -> None:
    environment = check.production(str(tmp_path), keystore=os.environ["KEYSTORE_URL"])
    ended = subprocess.run(
        [sys.executable, "-c", "from django.conf import settings; print('selling', settings.BILLING)"],
        cwd=ROOT,
        env={**environment, "STRIPE_API_BASE": base, "DJANGO_SETTINGS_MODULE": "modelmyimage.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("STRIPE_API_BASE" in ended.stderr) is refused
    assert ended.stdout == ("" if refused else "selling False\n")
