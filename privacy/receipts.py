"""A receipt says what was destroyed, as observed, and is signed so that anybody can hold us to it.

Signed is the canonical JSON of its ``receipt`` member (``signing``). Its file may have a third member, ``log``: the
proof that it is in the transparency log (``proofs``).
"""

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID, uuid4

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from privacy import proofs, signing
from privacy.models import Blob, Receipt
from privacy.signing import Check, Malformed, canonical, digest, public_keys
from privacy.vault import blobs

__all__ = [
    "Check",
    "ReceiptError",
    "Verification",
    "canonical",
    "digest",
    "encode",
    "issue",
    "keep",
    "parse",
    "public_keys",
]

FORMAT = "modelmyimage-receipt/2"
ERASURE = "modelmyimage-erasure/1"
"""The certificate that an account was erased (``certificate``): a receipt that says also what is kept."""
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
# Receipts of the first form do not say what they do not prove.
_FORMS = {
    "modelmyimage-receipt/1": _PARTS,
    FORMAT: {**_PARTS, "does_not_prove": list},
    ERASURE: {**_PARTS, "does_not_prove": list, "kept": list, "ends_by_itself": list},
}

DOES_NOT_PROVE = [
    "That no copy exists: it says what our systems did and saw, and no signature can show that something is absent.",
    "What a third party says about its own copies: it is repeated here as it was told to us.",
]
"""Signed with each receipt; in one language, because a signature is of one text."""


class ReceiptError(Exception):
    """What is to be signed has no canonical form."""


@dataclass(frozen=True)
class Verification:
    """Whether a receipt holds, and what it claims to be; the claims are empty where they could not be read.

    ``logged``: whether its file also proves that the log has it.
    """

    ok: bool
    checks: list[Check]
    receipt_id: str = ""
    group: str = ""
    issued_at: str = ""
    key_id: str = ""
    logged: bool = False

    def worst_first(self) -> list[Check]:
        """The checks, failed ones first."""
        return sorted(self.checks, key=lambda check: check.ok)


def issue(
    *, group: UUID, elsewhere: list[dict[str, Any]], outcome: str, destroyed: Iterable[Blob] | None = None
) -> Receipt:
    """The receipt of a group: signed now, or the one signed before; a group has one.

    Lists all blobs of the group, each destroyed or as last observed, and ``elsewhere``: what happened at third parties.
    ``destroyed`` are those blobs, oldest first, from whoever has read them just now; else they are read here.
    Raises ``ReceiptError`` when ``elsewhere`` holds anything but text, whole numbers, booleans, null, lists and dicts.
    """
    existing = next(iter(Receipt.objects.filter(group=group)), None)
    if existing is not None:
        return existing
    now = timezone.now()
    body = {
        "format": FORMAT,
        "id": str(uuid4()),
        "job": str(group),
        "issued_at": _moment(now),
        "outcome": outcome,
        "destroyed": [_line(blob) for blob in (blobs(group) if destroyed is None else destroyed)],
        "elsewhere": elsewhere,
        "does_not_prove": DOES_NOT_PROVE,
    }
    return keep(group=group, body=body, at=now)


def keep(*, group: UUID, body: dict[str, Any], at: datetime) -> Receipt:
    """Sign a body of that moment and keep it as the group's receipt, unless there is one. Raises ``ReceiptError``."""
    try:
        signature = signing.sign(canonical(body))
    except Malformed as error:
        raise ReceiptError(str(error)) from None
    receipt = Receipt(
        id=UUID(body["id"]),
        group=group,
        issued_at=at,
        key_id=signature["key_id"],
        document={"receipt": body, "signature": signature},
    )
    try:
        with transaction.atomic() if connection.in_atomic_block else nullcontext():  # a statement alone needs none
            receipt.save(force_insert=True)
    except IntegrityError:
        return Receipt.objects.get(group=group)
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


def encode(document: dict[str, Any]) -> bytes:
    """The document as handed out: canonical, so that any byte changed in it breaks it."""
    return canonical(document)


def parse(document: dict[str, Any] | bytes | str) -> dict[str, Any] | None:
    """The document as a dict if it has the form of a receipt, whoever signed it; else ``None``."""
    try:
        return _parsed(document)
    except Malformed:
        return None


def verify(document: dict[str, Any] | bytes | str) -> Verification:
    """Whether the document is a receipt of ours, unchanged. Never raises for what the document holds."""
    try:
        parsed = _parsed(document)
        signed = canonical(parsed["receipt"])
    except Malformed as error:
        return Verification(ok=False, checks=[Check("document", False, str(error))])
    body, signature = parsed["receipt"], parsed["signature"]
    checks = [Check("document", True, _("It has the form of a receipt."))]
    key = signing.verifying_keys().get(signature["key_id"])
    if key is None:
        checks.append(Check("key", False, _("It names a key that is not ours.")))
    elif not key.signed_at(body["issued_at"]):
        checks.append(Check("key", False, _("It says it was signed after its key was retired.")))
    else:
        checks.append(Check("key", True, _("It names a key of ours.")))
        if signing.holds(key, signature["value"], signed):
            checks.append(Check("signature", True, _("Nothing in it has changed since we signed it.")))
        else:
            checks.append(Check("signature", False, _("It has changed since it was signed, or we did not sign it.")))
    of_log = proofs.checks(parsed)
    checks += of_log
    return Verification(
        ok=all(check.ok for check in checks),
        checks=checks,
        receipt_id=body["id"],
        group=body["job"],
        issued_at=body["issued_at"],
        key_id=signature["key_id"],
        logged=bool(of_log) and all(check.ok for check in of_log),
    )


def _parsed(document: dict[str, Any] | bytes | str) -> dict[str, Any]:
    found: Any = document
    if isinstance(document, bytes | str):
        if len(document) > LARGEST_DOCUMENT:
            raise Malformed(_("It is too large to be a receipt."))
        found = signing.read(document)
    if not isinstance(found, dict) or set(found) - {"log"} != {"receipt", "signature"}:
        raise Malformed(_("It is not a receipt."))
    signing.plain(found)
    body = found["receipt"]
    form = body.get("format") if isinstance(body, dict) else None
    parts = _FORMS.get(form) if isinstance(form, str) else None
    if (
        parts is None
        or set(body) != set(parts)
        or any(not isinstance(body[name], kind) for name, kind in parts.items())
    ):
        raise Malformed(_("It is not a receipt."))
    lists = [body["destroyed"], body["elsewhere"], body.get("kept", []), body.get("ends_by_itself", [])]
    if any(not isinstance(line, dict) for lines in lists for line in lines):
        raise Malformed(_("It is not a receipt."))
    if any(not isinstance(line, str) for line in body.get("does_not_prove", [])):
        raise Malformed(_("It is not a receipt."))
    signing.signature_of(found["signature"])
    if "log" in found:
        proofs.parse(found["log"])
    return cast("dict[str, Any]", found)
