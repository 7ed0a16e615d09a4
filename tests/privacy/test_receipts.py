"""Receipts: what they say, that any change breaks them, and that no document breaks the checking."""

from __future__ import annotations

import base64
import json
import os
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from privacy import receipts, vault
from privacy.models import Blob, Receipt

pytestmark = pytest.mark.django_db

ELSEWHERE = [{"provider": "embedded", "observed": "never left this server", "at": "2026-01-01T00:00:00+00:00"}]


@pytest.fixture
def receipt(directory: Path) -> Receipt:
    """The receipt of a group of two blobs, a source and an asset, both destroyed."""
    group = uuid4()
    for kind in ("source", "asset"):
        blob = vault.seal([b"x" * 100], kind=kind, group=group, limit=1000)
        vault.destroy(blob.id)
    return receipts.issue(group=group, elsewhere=ELSEWHERE, outcome="done")


def key(name: str) -> str:
    return f"{name}:{base64.b64encode(os.urandom(32)).decode()}"


def test_it_says_what_was_destroyed_and_how(receipt: Receipt) -> None:
    body = receipt.document["receipt"]
    assert (body["format"], body["job"], body["outcome"]) == ("modelmyimage-receipt/2", str(receipt.group), "done")
    assert body["elsewhere"] == ELSEWHERE
    assert [line.split()[0] for line in body["does_not_prove"]] == ["That", "What"]
    assert [line["kind"] for line in body["destroyed"]] == ["source", "asset"]
    rows = Blob.objects.order_by("created_at")
    for line, row in zip(body["destroyed"], rows, strict=True):
        assert line["sealed_sha256"] == row.sealed_sha256 != ""
        assert line["sealed_bytes"] == row.sealed_size > 100
        assert (line["observed"]["key"], line["observed"]["object"]) == ("absent", "absent")
        assert line["method"] == "key dropped, object deleted"
    assert "plain" not in json.dumps(receipt.document)


def test_the_digest_is_of_the_ciphertext(directory: Path) -> None:
    import hashlib

    from privacy.stores import store

    blob = vault.seal([b"x" * 100], kind="source", group=uuid4(), limit=1000)
    assert blob.sealed_sha256 == hashlib.sha256(store().open(blob.object_name).stream.read()).hexdigest()
    assert blob.sealed_sha256 != hashlib.sha256(b"x" * 100).hexdigest()


def test_a_second_call_returns_the_same(receipt: Receipt) -> None:
    again = receipts.issue(group=receipt.group, elsewhere=[], outcome="failed")
    assert again == receipt
    assert again.document == receipt.document
    assert Receipt.objects.count() == 1


def test_what_could_not_be_destroyed_is_not_called_destroyed(directory: Path) -> None:
    group = uuid4()
    vault.seal([b"x"], kind="source", group=group, limit=10)
    body = receipts.issue(group=group, elsewhere=[], outcome="failed").document["receipt"]
    assert body["destroyed"][0]["destroyed_at"] == ""
    assert body["destroyed"][0]["observed"] == {}


def test_it_holds_as_dict_bytes_text_and_after_the_database(receipt: Receipt) -> None:
    receipt.refresh_from_db()
    handed_out = receipts.encode(receipt.document)
    for form in (receipt.document, handed_out, handed_out.decode(), json.dumps(receipt.document, indent=4)):
        found = receipts.verify(form)
        assert found.ok, found
        assert [check.name for check in found.checks] == ["document", "key", "signature"]
    assert (found.receipt_id, found.group, found.key_id) == (str(receipt.id), str(receipt.group), "test")
    assert found.issued_at == receipt.document["receipt"]["issued_at"]


def test_it_can_be_checked_without_us(receipt: Receipt) -> None:
    """With nothing but the public key and the rule in the documentation."""
    public = receipts.public_keys()["test"]
    body = json.dumps(receipt.document["receipt"], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    signature = base64.b64decode(receipt.document["signature"]["value"])
    Ed25519PublicKey.from_public_bytes(base64.b64decode(public["public_key"])).verify(signature, body)
    assert public["status"] == "active"


def test_any_changed_byte_fails(receipt: Receipt) -> None:
    document = receipts.encode(receipt.document)
    assert receipts.verify(document).ok
    for place in range(len(document)):
        for change in (1, 2, 4, 32, 128):
            broken = bytearray(document)
            broken[place] ^= change
            assert not receipts.verify(bytes(broken)).ok, (place, change)


def test_any_removed_or_repeated_byte_fails(receipt: Receipt) -> None:
    document = receipts.encode(receipt.document)
    for place in range(len(document)):
        assert not receipts.verify(document[:place] + document[place + 1 :]).ok
        assert not receipts.verify(document[:place] + document[place : place + 1] + document[place:]).ok


def test_nothing_can_be_added_beside_what_is_signed(receipt: Receipt) -> None:
    for where in ((), ("receipt",), ("signature",)):
        document = json.loads(receipts.encode(receipt.document))
        member = document
        for name in where:
            member = member[name]
        member["note"] = "all is well"
        assert not receipts.verify(document).ok


def test_saying_something_twice_fails(receipt: Receipt) -> None:
    """A reader that takes the first of two equal names and one that takes the last must not see two documents."""
    text = receipts.encode(receipt.document).decode()
    doubled = text.replace('"outcome":"done"', '"outcome":"failed","outcome":"done"')
    assert doubled != text
    assert json.loads(doubled) == receipt.document
    assert not receipts.verify(doubled).ok


def test_a_key_of_somebody_else_fails(receipt: Receipt) -> None:
    signed = receipts.canonical(receipt.document["receipt"])
    forged = base64.b64encode(Ed25519PrivateKey.generate().sign(signed)).decode()
    for key_id, checks in (("theirs", {"key": False}), ("test", {"key": True, "signature": False})):
        document = {**receipt.document, "signature": {"algorithm": "Ed25519", "key_id": key_id, "value": forged}}
        found = receipts.verify(document)
        assert not found.ok
        assert {check.name: check.ok for check in found.checks} == {"document": True, **checks}


def test_signing_keys_rotate_and_retire(receipt: Receipt, settings: Settings) -> None:
    old = settings.SIGNING_KEYS
    public = receipts.public_keys()["test"]["public_key"]
    settings.SIGNING_KEYS = f"{key('new')},{old}"
    newer = receipts.issue(group=uuid4(), elsewhere=[], outcome="done")
    assert newer.key_id == "new"
    assert receipts.verify(receipt.document).ok
    settings.SIGNING_KEYS, settings.RETIRED_SIGNING_KEYS = settings.SIGNING_KEYS.split(",")[0], f"test:{public}"
    assert receipts.verify(receipt.document).ok
    assert receipts.verify(newer.document).ok
    assert {name: k["status"] for name, k in receipts.public_keys().items()} == {"new": "active", "test": "retired"}
    settings.RETIRED_SIGNING_KEYS = ""
    assert not receipts.verify(receipt.document).ok


HOSTILE: list[Any] = [
    b"",
    b"\xff\xfe",
    b"\x00",
    "null",
    "[]",
    "{}",
    "1" * 200_000,
    "[" * 100_000,
    '{"a":' * 50_000,
    '{"receipt":' + "[" * 40_000 + "]" * 40_000 + ',"signature":{}}',
    "x" * 10_000_000,
    '{"receipt":NaN,"signature":Infinity}',
    '{"receipt":1e999999,"signature":1}',
    '{"receipt":{},"signature":{}}',
    '{"receipt":null,"signature":null}',
    "\ud800",
    {},
    {"receipt": {"format": []}, "signature": 3},
    {1: 2},
    [],
    None,
    3,
    object(),
]


@pytest.mark.parametrize("document", HOSTILE, ids=lambda document: repr(document)[:14])
def test_hostile_documents_fail_quietly(document: Any) -> None:
    assert not receipts.verify(document).ok
    assert receipts.parse(document) is None
    assert receipts.digest(document) == "" or isinstance(document, (bytes, str, list, dict, int, type(None)))


@pytest.mark.parametrize("value", [None, 1, 1.5, [], {}, "", "\ud800", {"a": {1: 2}}, [[[]]], True, object(), b"x"])
def test_every_member_of_a_wrong_kind_fails_quietly(receipt: Receipt, value: Any) -> None:
    for part in ("receipt", "signature"):
        for name in receipt.document[part]:
            document = {**receipt.document, part: {**receipt.document[part], name: value}}
            assert not receipts.verify(document).ok, (part, name)
        assert not receipts.verify({**receipt.document, part: value}).ok


def test_a_document_that_holds_itself_fails_quietly(receipt: Receipt) -> None:
    loop: list[Any] = [{}]
    loop[0]["loop"] = loop
    assert not receipts.verify({**receipt.document, "receipt": {**receipt.document["receipt"], "elsewhere": loop}}).ok


@pytest.mark.parametrize("value", [1.5, timedelta(1), b"x", {"deep": 0.1}, "\ud800"])
def test_what_has_no_one_spelling_is_not_signed(value: Any) -> None:
    with pytest.raises(receipts.ReceiptError):
        receipts.issue(group=uuid4(), elsewhere=[{"provider": value}], outcome="done")
    assert not Receipt.objects.exists()


def test_the_digest_changes_with_the_document(receipt: Receipt) -> None:
    digest = receipts.digest(receipt.document)
    assert len(digest) == 64
    receipt.refresh_from_db()
    assert receipts.digest(receipt.document) == digest
    assert receipts.digest({**receipt.document, "signature": {}}) != digest


def test_the_command_tells_whether_it_holds(receipt: Receipt, tmp_path: Path) -> None:
    file = tmp_path / "receipt.json"
    file.write_bytes(receipts.encode(receipt.document))
    out = StringIO()
    call_command("verify_receipt", str(file), stdout=out)
    assert str(receipt.id) in out.getvalue()
    file.write_bytes(receipts.encode(receipt.document).replace(b"done", b"gone"))
    with pytest.raises(CommandError, match="does not hold"):
        call_command("verify_receipt", str(file), stdout=out)
    with pytest.raises(CommandError, match="No such file"):
        call_command("verify_receipt", str(tmp_path / "none"), stdout=out)
