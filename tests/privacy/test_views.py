"""The public page that checks a receipt, and the keys to check one without us."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from privacy import keystore, receipts
from privacy.models import Blob, Receipt

pytestmark = pytest.mark.django_db


@pytest.fixture
def receipt(directory: Path) -> Receipt:
    """A receipt for nothing at all."""
    return receipts.issue(group=uuid4(), elsewhere=[], outcome="done")


@pytest.fixture
def anybody() -> Client:
    """Somebody who is not signed in and sends no CSRF token."""
    return Client(enforce_csrf_checks=True)


def test_the_empty_page(anybody: Client) -> None:
    answer = anybody.get(reverse("privacy:verify"))
    assert answer.status_code == 200
    assert answer.context["verification"] is None


@pytest.mark.parametrize("way", ["pasted", "file"])
@pytest.mark.parametrize("changed", [False, True])
def test_a_receipt_is_judged(anybody: Client, receipt: Receipt, way: str, changed: bool) -> None:
    document = receipts.encode(receipt.document)
    if changed:
        document = document.replace(b"done", b"gone")
    if way == "pasted":
        form: dict[str, object] = {"document": f"\n  {document.decode()}\n"}
    else:
        form = {"file": SimpleUploadedFile("receipt.json", document), "document": ""}
    answer = anybody.post(reverse("privacy:verify"), form)
    assert answer.status_code == 200
    assert answer.context["verification"].ok is not changed
    assert answer.context["receipt"] == json.loads(document)["receipt"]
    assert answer.context["digest"] == receipts.digest(json.loads(document))
    assert Blob.objects.count() == 0
    assert list(keystore.ids()) == []


@pytest.mark.parametrize("document", ["{", "<script>alert(1)</script>", "[" * 50_000, "é" * 200_000])
def test_anything_else_gets_a_page_too(anybody: Client, document: str) -> None:
    answer = anybody.post(reverse("privacy:verify"), {"document": document})
    assert answer.status_code == 200
    assert not answer.context["verification"].ok
    assert answer.context["receipt"] is None
    assert b"<script>alert" not in answer.content


def test_nothing_sent_is_no_receipt_that_fails(anybody: Client) -> None:
    answer = anybody.post(reverse("privacy:verify"), {"document": " \n"})
    assert answer.status_code == 422
    assert answer.context["verification"] is None
    assert b"<h1>This receipt does not hold" not in answer.content
    assert b"<h1>Check a receipt" in answer.content


def test_too_large_a_file_is_not_read_on(anybody: Client) -> None:
    file = SimpleUploadedFile("receipt.json", b" " * (receipts.LARGEST_DOCUMENT + 10))
    answer = anybody.post(reverse("privacy:verify"), {"file": file})
    assert not answer.context["verification"].ok


def test_other_methods_are_not_allowed(client: Client) -> None:
    assert client.put(reverse("privacy:verify")).status_code == 405
    assert client.post(reverse("privacy:keys")).status_code == 405


def test_the_public_keys_are_the_public_keys(anybody: Client, settings: object) -> None:
    answer = anybody.get(reverse("privacy:keys"))
    keys = answer.json()["keys"]
    assert list(keys) == ["test"]
    assert len(base64.b64decode(keys["test"]["public_key"])) == 32
    secret = settings.SIGNING_KEYS.split(":")[1]  # type: ignore[attr-defined]  # set as text in tests
    assert secret not in answer.content.decode()
