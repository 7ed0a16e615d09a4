"""Recovery codes: shown once, then known by hashes alone; each signs in once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.mfa.utils import decrypt
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import recovery_codes
from accounts.resealing import second_factors
from tests.accounts.test_signing_in import ADDRESS, PASSWORD, make, signed_in

SEED = "JBSWY3DPEHPK3PXP"


def kept() -> Authenticator:
    """What there is of the codes."""
    return Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES)


@pytest.mark.django_db
def test_codes_are_shown_once_and_then_are_hashes_of_which_each_signs_in_once() -> None:
    user = make()
    owner = Client()
    owner.post(reverse("account_login"), {"login": ADDRESS, "password": PASSWORD})
    owner.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    TOTP.activate(user, SEED)
    RecoveryCodes.activate(user)
    codes = owner.get(reverse("mfa_view_recovery_codes")).context["unused_codes"]
    assert len(set(codes)) == 10
    assert all(code.isdigit() for code in codes)

    sealed = kept().data["migrated_codes"]
    assert set(kept().data) == {"migrated_codes", "viewed_at"}  # no seed to make them from
    assert {str(decrypt(text))[:10] for text in sealed} == {"$argon2id$"}
    assert set(owner.get(reverse("mfa_view_recovery_codes")).context["unused_codes"]) == {"****"}
    assert second_factors() == (2, 0)

    for times in (1, 0):
        browser = Client()
        browser.post(reverse("account_login"), {"login": ADDRESS, "password": PASSWORD})
        browser.post(reverse("mfa_authenticate"), {"code": f"{codes[3][:4]} {codes[3][4:]}"})
        assert bool(signed_in(browser)) == bool(times)
    assert len(kept().data["migrated_codes"]) == 9


@pytest.mark.django_db
def test_codes_that_nobody_looked_at_and_those_of_before_become_hashes_by_themselves() -> None:
    user = make()
    codes = RecoveryCodes.activate(user)
    codes.validate_code(codes.generate_codes()[0])
    recovery_codes.tend(timezone.now())
    assert "seed" in kept().data
    recovery_codes.tend(timezone.now() + timedelta(hours=1, minutes=1))
    assert len(kept().data["migrated_codes"]) == 9
    assert not RecoveryCodes(kept()).validate_code(codes.generate_codes()[0])  # used up before
    assert RecoveryCodes(kept()).validate_code(codes.generate_codes()[1])
