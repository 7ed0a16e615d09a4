"""What we sign with, and the one spelling of what is signed.

Keys come from ``settings.SIGNING_KEYS`` (``kid:base64-of-the-32-byte-seed,…``, or wrapped: ``named_keys.py``; the
first one signs) and ``settings.RETIRED_SIGNING_KEYS`` (public halves, ``kid:base64@2026-11-25T10:00:00Z,…``; what
comes after the @ is when the key stopped signing: nothing that says it was signed later holds by it).

Signed is canonical JSON: keys sorted, no white space, UTF-8; text, whole numbers, true, false and null only, since
fractions have no one spelling.
"""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from privacy import named_keys


class Malformed(Exception):
    """Not what it is taken for; the message is shown to whoever asked."""


@dataclass(frozen=True)
class Check:
    """One thing looked at; ``detail`` is a sentence for people.

    ``name``: ``document``, ``key``, ``signature``; for what a receipt says of the log, ``head`` and ``inclusion``.
    """

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True)
class VerifyingKey:
    """A public key, and when it stopped signing; ``None`` where that is not known or has not come."""

    public: Ed25519PublicKey
    until: datetime | None = None

    def signed_at(self, moment: str) -> bool:
        """Whether it still signed at that ISO 8601 moment."""
        if self.until is None:
            return True
        try:
            return datetime.fromisoformat(moment) <= self.until
        except (ValueError, TypeError):  # TypeError: a moment without a zone
            return False


def signing_keys() -> dict[str, Ed25519PrivateKey]:
    """The keys that we hold whole; the first one signs. Raises ``Unavailable`` when a key service does not open one."""
    keys = named_keys.parse("SIGNING_KEYS", settings.SIGNING_KEYS)
    return {name: Ed25519PrivateKey.from_private_bytes(entry.key()) for name, entry in keys.items()}


def active_key() -> str:
    """The id of the key that signs."""
    return next(iter(signing_keys()))


def verifying_keys() -> dict[str, VerifyingKey]:
    """All keys that something of ours may be signed by."""
    bare, ends = [], {}
    for item in filter(None, (part.strip() for part in settings.RETIRED_SIGNING_KEYS.split(","))):
        key, _at, until = item.partition("@")
        bare.append(key)
        if until:
            ends[key.partition(":")[0]] = _end(until)
    retired = named_keys.parse("RETIRED_SIGNING_KEYS", ",".join(bare)) if bare else {}
    known = {
        name: VerifyingKey(Ed25519PublicKey.from_public_bytes(entry.key()), ends.get(name))
        for name, entry in retired.items()
    }
    return known | {name: VerifyingKey(key.public_key()) for name, key in signing_keys().items()}


def _end(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ImproperlyConfigured("RETIRED_SIGNING_KEYS: what follows an @ must be a moment in ISO 8601.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def public_keys() -> dict[str, dict[str, str]]:
    """All keys to check by: id → algorithm, raw public key in base64, ``active`` or ``retired``, and until when."""
    active = active_key()
    found = {}
    for name, key in verifying_keys().items():
        found[name] = {
            "algorithm": "Ed25519",
            "public_key": base64.b64encode(key.public.public_bytes_raw()).decode(),
            "status": "active" if name == active else "retired",
        }
        if key.until:
            found[name]["until"] = key.until.isoformat(timespec="seconds")
    return found


def sign(message: bytes) -> dict[str, str]:
    """A signature by the active key."""
    key_id, key = next(iter(signing_keys().items()))
    value = base64.b64encode(key.sign(message)).decode()
    return {"algorithm": "Ed25519", "key_id": key_id, "value": value}


def holds(key: VerifyingKey, text: str, message: bytes) -> bool:
    """Whether the base64 text is this key's signature of the message."""
    try:
        value = base64.b64decode(text, validate=True)
        # Base64 has spare bits: only the spelling that we use counts.
        if base64.b64encode(value).decode() != text:
            return False
        key.public.verify(value, message)
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True


def signature_of(value: Any) -> dict[str, str]:
    """The value, if it has the form of a signature. Raises ``Malformed``."""
    if not isinstance(value, dict) or set(value) != {"algorithm", "key_id", "value"}:
        raise Malformed(_("Its signature is missing."))
    if any(not isinstance(part, str) for part in value.values()) or value["algorithm"] != "Ed25519":
        raise Malformed(_("Its signature is of another kind."))
    return value


def canonical(value: Any) -> bytes:
    """The one spelling of a JSON value. Raises ``Malformed`` for values that have several, or none."""
    plain(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Malformed(_("It holds characters that do not exist.")) from None


def digest(document: Any) -> str:
    """Hex SHA-256 of a signed document, without the member ``log``; empty for something that cannot be one."""
    try:
        if isinstance(document, dict):
            document = {name: member for name, member in document.items() if name != "log"}
        return hashlib.sha256(canonical(document)).hexdigest()
    except (Malformed, ValueError, TypeError, RecursionError):
        return ""


def plain(value: Any, *, depth: int = 0) -> None:
    """Raise ``Malformed`` for what has no canonical spelling."""
    if depth > 16:
        raise Malformed(_("It is nested too deeply."))
    if isinstance(value, dict):
        for name, member in value.items():
            if not isinstance(name, str):
                raise Malformed(_("It is not JSON."))
            plain(member, depth=depth + 1)
    elif isinstance(value, list):
        for member in value:
            plain(member, depth=depth + 1)
    elif not (value is None or isinstance(value, str | int)):
        raise Malformed(_("It holds a number with a fraction, or something that is not JSON."))


def read(document: bytes | str) -> Any:
    """What a JSON text says, if it says nothing twice and holds no fractions. Raises ``Malformed``."""
    try:
        text = document.decode() if isinstance(document, bytes) else document
        return json.loads(text, object_pairs_hook=_once, parse_float=_refused, parse_constant=_refused)
    except (ValueError, RecursionError):
        raise Malformed(_("It is not JSON.")) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed(_("It says something twice."))
    return found


def _refused(text: str) -> Any:
    raise Malformed(_("It holds a number with a fraction, or something that is not JSON."))
