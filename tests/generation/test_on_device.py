"""The network for devices, and which pages may run it."""

from __future__ import annotations

import hashlib
import re

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generation.engine import saliency
from generation.models import Job
from modelmyimage import file_headers

pytestmark = pytest.mark.django_db
WEBASSEMBLY = "'wasm-unsafe-eval'"


def test_weights_are_the_known_ones_for_good_and_for_anybody() -> None:
    answer = Client().get(reverse("generation:weights", args=[saliency.SHA256]))
    assert answer.status_code == 200
    assert hashlib.sha256(answer.content).hexdigest() == saliency.SHA256
    assert "immutable" in answer["Cache-Control"]
    assert "Set-Cookie" not in answer
    assert Client().get(reverse("generation:weights", args=[saliency.SHA256[::-1]])).status_code == 404
    assert Client().post(reverse("generation:weights", args=[saliency.SHA256])).status_code == 405


def test_create_page_tells_its_scripts_where_they_are(client: Client, owner) -> None:
    client.force_login(owner)
    page = client.get(reverse("generation:create")).content.decode()
    (told,) = re.findall(r'<template id="device" ([^>]*)>', page)
    assert f'data-weights="{reverse("generation:weights", args=[saliency.SHA256])}"' in told
    assert 'data-longest="2048"' in told


def test_only_pages_that_run_webassembly_may(client: Client, owner) -> None:
    client.force_login(owner)
    now = timezone.now()
    job = Job.objects.create(owner=owner, created_at=now, due_at=now, deadline_at=now)
    allowed = {reverse("generation:job", args=[job.pk]), reverse("generation:kept"), reverse("generation:landing")}
    others = {reverse(f"generation:{name}") for name in ("create", "providers", "history", "limits")}
    for address in allowed | others | {"/verify", "/trust", "/account/signup/"}:
        policy = client.get(address)["Content-Security-Policy"]
        assert (WEBASSEMBLY in policy) == (address in allowed), address
        assert "unsafe-eval" not in policy.replace(WEBASSEMBLY, "")
        assert "unsafe-inline" not in policy


def test_worker_has_a_policy_of_its_own_and_runtimes_are_kept_for_good() -> None:
    worker = Client().get(f"/{settings.STATIC_URL.strip('/')}/dist/device.js")
    policy = file_headers.WORKERS["/dist/device.js"]
    assert worker["Content-Security-Policy"] == policy
    assert WEBASSEMBLY in policy
    (runtime,) = (settings.BASE_DIR / "static" / "dist" / "device").glob("onnxruntime-*.wasm")
    answer = Client().get(
        f"/{settings.STATIC_URL.strip('/')}/dist/device/{runtime.name}", headers={"Accept-Encoding": "br"}
    )
    assert answer["Content-Type"] == "application/wasm"
    assert answer["Content-Encoding"] == "br"
    assert "immutable" in answer["Cache-Control"]
    answer.close()
