"""A receipt says what was destroyed, as observed, and is signed so that anybody can hold us to it.

Signed is the canonical JSON of its ``receipt`` member: keys sorted, no white space, UTF-8; text, whole numbers, true,
false and null only, since fractions have no one spelling. Keys come from ``settings.SIGNING_KEYS``
(``kid:base64-of-the-32-byte-seed,…``; the first one signs) and ``settings.RETIRED_SIGNING_KEYS`` (public halves).
"""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from django.utils.translation import gettext as _

from privacy.crypto import named_keys
from privacy.models import Blob, Receipt
from privacy.vault import blobs

FORMAT = "modelmyimage-receipt/1"
METHOD = "key dropped, object deleted"
LARGEST_DOCUMENT = 256_000

_PARTS = {
    "format": str,
    "id": str,
    "job": str,
    "issued_at": str,
    "outcome": str,
    "destroyed": list,
    "elsewhere": list,
}


class ReceiptError(Exception):
    """What is to be signed has no canonical form."""


class _Malformed(Exception):
    """Not a receipt; the message is shown to whoever asked."""


@dataclass(frozen=True)
class Check:
    """One thing looked at: ``document``, ``key`` or ``signature``; ``detail`` is a sentence for people."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True)
class Verification:
    """Whether a receipt holds, and what it claims to be; the claims are empty where they could not be read."""

    ok: bool
    checks: list[Check]
    receipt_id: str = ""
    group: str = ""
    issued_at: str = ""
    key_id: str = ""


def issue(*, group: UUID, elsewhere: list[dict[str, Any]], outcome: str) -> Receipt:
    """The receipt of a group: signed now, or the one signed before; a group has one.

    Lists all blobs of the group, each destroyed or as last observed, and ``elsewhere``: what happened at third parties.
    Raises ``ReceiptError`` when ``elsewhere`` holds anything but text, whole numbers, booleans, null, lists and dicts.
    """
    existing = Receipt.objects.filter(group=group).first()
    if existing is not None:
        return existing
    now, receipt_id = timezone.now(), uuid4()
    body = {
        "format": FORMAT,
        "id": str(receipt_id),
        "job": str(group),
        "issued_at": _moment(now),
        "outcome": outcome,
        "destroyed": [_line(blob) for blob in blobs(group)],
        "elsewhere": elsewhere,
    }
    key_id, key = next(iter(_signing_keys().items()))
    try:
        signed = key.sign(canonical(body))
    except _Malformed as error:
        raise ReceiptError(str(error)) from None
    signature = {
        "algorithm": "Ed25519",
        "key_id": key_id,
        "value": base64.b64encode(signed).decode(),
    }
    document = {"receipt": body, "signature": signature}
    receipt, _created = Receipt.objects.get_or_create(
        group=group, defaults={"id": receipt_id, "issued_at": now, "key_id": key_id, "document": document}
    )
    return receipt


def _line(blob: Blob) -> dict[str, Any]:
    return {
        "kind": blob.kind,
        "sealed_bytes": blob.sealed_size,
        "sealed_sha256": blob.sealed_sha256,
        "created_at": _moment(blob.created_at),
        "destroyed_at": _moment(blob.destroyed_at) if blob.destroyed_at else "",
        "method": METHOD,
        "observed": blob.observation,
    }


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _signing_keys() -> dict[str, Ed25519PrivateKey]:
    keys = named_keys("SIGNING_KEYS", settings.SIGNING_KEYS)
    if not keys:
        raise ImproperlyConfigured("SIGNING_KEYS holds no key.")
    return {name: Ed25519PrivateKey.from_private_bytes(seed) for name, seed in keys.items()}


def _verifying_keys() -> dict[str, Ed25519PublicKey]:
    retired = named_keys("RETIRED_SIGNING_KEYS", settings.RETIRED_SIGNING_KEYS)
    known = {name: Ed25519PublicKey.from_public_bytes(raw) for name, raw in retired.items()}
    return known | {name: key.public_key() for name, key in _signing_keys().items()}


def public_keys() -> dict[str, dict[str, str]]:
    """All keys that receipts can be checked by: id → algorithm, raw public key in base64, ``active`` or ``retired``."""
    active = next(iter(_signing_keys()))
    return {
        name: {
            "algorithm": "Ed25519",
            "public_key": base64.b64encode(key.public_bytes_raw()).decode(),
            "status": "active" if name == active else "retired",
        }
        for name, key in _verifying_keys().items()
    }


def canonical(value: Any) -> bytes:
    """The one spelling of a JSON value. Raises a private error for values that have several, or none."""
    _plain(value, depth=0)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise _Malformed(_("It holds characters that do not exist.")) from None


def _plain(value: Any, *, depth: int) -> None:
    if depth > 16:
        raise _Malformed(_("It is nested too deeply."))
    if isinstance(value, dict):
        for name, member in value.items():
            if not isinstance(name, str):
                raise _Malformed(_("It is not JSON."))
            _plain(member, depth=depth + 1)
    elif isinstance(value, list):
        for member in value:
            _plain(member, depth=depth + 1)
    elif not (value is None or isinstance(value, str | int)):
        raise _Malformed(_("It holds a number with a fraction, or something that is not JSON."))


def encode(document: dict[str, Any]) -> bytes:
    """The document as handed out: canonical, so that any byte changed in it breaks it."""
    return canonical(document)


def digest(document: dict[str, Any]) -> str:
    """Hex SHA-256 of the document as handed out; empty for something that cannot be one."""
    try:
        return hashlib.sha256(canonical(document)).hexdigest()
    except (_Malformed, ValueError, TypeError, RecursionError):
        return ""


def parse(document: dict[str, Any] | bytes | str) -> dict[str, Any] | None:
    """The document as a dict if it has the form of a receipt, whoever signed it; else ``None``."""
    try:
        return _parsed(document)
    except _Malformed:
        return None


def verify(document: dict[str, Any] | bytes | str) -> Verification:
    """Whether the document is a receipt of ours, unchanged. Never raises for what the document holds."""
    try:
        parsed = _parsed(document)
        signed = canonical(parsed["receipt"])
    except _Malformed as error:
        return Verification(ok=False, checks=[Check("document", False, str(error))])
    body, signature = parsed["receipt"], parsed["signature"]
    checks = [Check("document", True, _("It has the form of a receipt."))]
    key = _verifying_keys().get(signature["key_id"])
    if key is None:
        checks.append(Check("key", False, _("It names a key that is not ours.")))
    else:
        checks.append(Check("key", True, _("It names a key of ours.")))
        if _signature_holds(key, signature["value"], signed):
            checks.append(Check("signature", True, _("Nothing in it has changed since we signed it.")))
        else:
            checks.append(Check("signature", False, _("It has changed since it was signed, or we did not sign it.")))
    return Verification(
        ok=all(check.ok for check in checks),
        checks=checks,
        receipt_id=body["id"],
        group=body["job"],
        issued_at=body["issued_at"],
        key_id=signature["key_id"],
    )


def _signature_holds(key: Ed25519PublicKey, text: str, signed: bytes) -> bool:
    try:
        value = base64.b64decode(text, validate=True)
        # Base64 has spare bits: only the spelling that we use counts.
        if base64.b64encode(value).decode() != text:
            return False
        key.verify(value, signed)
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True


def _parsed(document: dict[str, Any] | bytes | str) -> dict[str, Any]:
    found: Any = document
    if isinstance(document, bytes | str):
        if len(document) > LARGEST_DOCUMENT:
            raise _Malformed(_("It is too large to be a receipt."))
        try:
            text = document.decode() if isinstance(document, bytes) else document
            found = json.loads(text, object_pairs_hook=_once, parse_float=_refused, parse_constant=_refused)
        except (ValueError, RecursionError):
            raise _Malformed(_("It is not JSON.")) from None
    if not isinstance(found, dict) or set(found) != {"receipt", "signature"}:
        raise _Malformed(_("It is not a receipt."))
    body, signature = found["receipt"], found["signature"]
    if not isinstance(body, dict) or set(body) != set(_PARTS) or body["format"] != FORMAT:
        raise _Malformed(_("It is not a receipt."))
    if any(not isinstance(body[name], kind) for name, kind in _PARTS.items()):
        raise _Malformed(_("It is not a receipt."))
    if any(not isinstance(line, dict) for line in [*body["destroyed"], *body["elsewhere"]]):
        raise _Malformed(_("It is not a receipt."))
    if not isinstance(signature, dict) or set(signature) != {"algorithm", "key_id", "value"}:
        raise _Malformed(_("Its signature is missing."))
    if any(not isinstance(part, str) for part in signature.values()) or signature["algorithm"] != "Ed25519":
        raise _Malformed(_("Its signature is of another kind."))
    _plain(found, depth=0)
    return cast("dict[str, Any]", found)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Malformed(_("It says something twice."))
    return found


def _refused(text: str) -> Any:
    raise _Malformed(_("It holds a number with a fraction, or something that is not JSON."))
