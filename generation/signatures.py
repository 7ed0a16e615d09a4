"""Whether a webhook is genuine: what the ways of signing have in common. Everything here raises ``Forged``."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from generation.exchange import Exchange, text
from generation.provider import Forged, ProviderError

WINDOW_SECONDS: Final = 300
"""How far a webhook's clock may be from ours, before or after."""
KEYS_LAST, KEYS_AGAIN = timedelta(hours=24), timedelta(minutes=1)
MOST_KEYS: Final = 20


def timely(stamp: str, now: datetime) -> None:
    """Require a time in seconds since the epoch, near now."""
    decimal = stamp.isascii() and stamp.isdigit() and len(stamp) <= 12
    if not decimal or abs(now.timestamp() - int(stamp)) > WINDOW_SECONDS:
        raise Forged


def sealed(secret: bytes, message: bytes, given: Iterable[str], *, spelt: Callable[[bytes], str]) -> None:
    """Require that one of the signatures given is the HMAC-SHA-256 of the message, spelt as the service does.

    Several are given while a secret is being changed. Without a secret, none is right.
    """
    right = spelt(hmac.digest(secret, message, "sha256")).encode()
    fits = sum(hmac.compare_digest(right, one.encode(errors="replace")) for one in given)  # each of them compared
    if not (secret and fits):
        raise Forged


def said(body: bytes, *path: str) -> str:
    """The text at a path of keys in a JSON body; there has to be one."""
    try:
        found = text(json.loads(body.decode()), *path)
    except (ValueError, RecursionError):
        raise Forged from None
    if not found:
        raise Forged
    return found


class KeySet:
    """Ed25519 keys that a service publishes (RFC 7517, RFC 8037): asked for daily, and when none fits."""

    def __init__(self, exchange: Exchange, path: str) -> None:
        self.exchange = exchange
        self.path = path
        self.keys: list[Ed25519PublicKey] = []
        self.fetched = self.asked = datetime.min.replace(tzinfo=UTC)

    def verify(self, signature: str, message: bytes, now: datetime) -> None:
        """Require that one of the keys made the signature (hexadecimal) of the message."""
        try:
            raw = bytes.fromhex(signature)
        except ValueError:
            raise Forged from None
        if now - self.fetched < KEYS_LAST and self._fits(raw, message):
            return
        if now - self.asked < KEYS_AGAIN:
            raise Forged
        self.asked = now
        try:
            listed = self.exchange.ask("GET", self.path, timeout=10.0).get("keys")
        except ProviderError:
            raise Forged from None  # the service will call again
        self.keys, self.fetched = [], now
        for entry in listed[:MOST_KEYS] if isinstance(listed, list) else ():
            with suppress(ValueError):  # a key of another kind
                self.keys.append(Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(text(entry, "x") + "==")))
        if not self._fits(raw, message):
            raise Forged

    def _fits(self, signature: bytes, message: bytes) -> bool:
        for key in self.keys:
            with suppress(InvalidSignature):
                key.verify(signature, message)
                return True
        return False
