"""Access keys: by what a program proves that it acts for an account.

A secret is ``mmi_``, 43 random letters and digits (256 bits), and 6 that are the CRC-32 of what comes before: so a typo
is told from a key without a look-up, and scanners for leaked secrets find ours by ``PATTERN``. Only its SHA-256 is
kept. A slow hash protects what people made up; of 256 random bits nobody can try enough to matter, and each request
would pay for it.

A key is found by that digest, through a unique index: the cost does not grow with the number of keys. How long the
look-up takes could tell at most how a digest begins, and nobody can make a secret with a digest of their choice.

Whatever changes a key is one transaction with its line in the security log.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import security_log
from accounts.models import AccessKey, User

MOST: Final = 50
"""Keys of one account."""

OVERLAPS: Final = {
    "0": timedelta(0),
    "1": timedelta(hours=1),
    "24": timedelta(days=1),
    "168": timedelta(days=7),
}
"""How long the old secret may go on working after a rotation, by hours."""

ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
PREFIX: Final = "mmi_"
RANDOM, CHECK = 43, 6
PATTERN: Final = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{RANDOM + CHECK}}}")


class TooMany(Exception):
    """The account has as many keys as it may have."""


class Vanished(Exception):
    """The key is not there any more."""


def new_secret() -> str:
    """A secret that nobody has had before."""
    body = PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(RANDOM))
    return body + _check(body)


def well_formed(secret: str) -> bool:
    """Whether it could be one of ours. No typo of up to 32 bits, and hardly any other, passes."""
    return PATTERN.fullmatch(secret) is not None and secret[-CHECK:] == _check(secret[:-CHECK])


def _check(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), []
    for _ in range(CHECK):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(digits)


def digest(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def find(secret: str) -> AccessKey | None:
    """The key with this secret, or with this one before its last rotation, while that still works. One query."""
    if not well_formed(secret):
        return None
    found = digest(secret)
    old = Q(old_digest=found, old_until__gt=timezone.now())
    # Not by first(), here and where else much is asked of what is unique: to put in order costs more than to find.
    return next(iter(AccessKey.objects.select_related("owner").filter(Q(digest=found) | old)), None)


def usable(key: AccessKey) -> bool:
    """Whether it is on, its time is not up, and its owner's account is on."""
    return key.enabled and not key.expired and key.owner.is_active


def allows_address(key: AccessKey, address: str) -> bool:
    """Whether it may be used from this network address. One that is none is in no network."""
    if not key.networks:
        return True
    try:
        here = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(here, "ipv4_mapped", None)
    return any((mapped or here) in ip_network(network) for network in key.networks)


@transaction.atomic
def make(*, owner: User, name: str, scopes: list[str], **choices: Any) -> tuple[AccessKey, str]:
    """A new key, and its secret, which is to be had now and never again. Raises ``TooMany``."""
    User.objects.select_for_update(no_key=True).get(pk=owner.pk)  # of two at once, the second counts the first
    if owner.access_keys.count() >= MOST:
        raise TooMany
    secret = new_secret()
    key = AccessKey.objects.create(
        owner=owner, name=name, scopes=scopes, digest=digest(secret), ends_with=secret[-4:], **choices
    )
    security_log.record(key, "key_made")
    return key, secret


@transaction.atomic
def change(key: AccessKey, **choices: Any) -> bool:
    """Give it other choices; whether any differed. Raises ``Vanished``."""
    locked = _locked(key)
    changed = [name for name, value in choices.items() if getattr(locked, name) != value]
    if changed:
        for name in changed:
            setattr(locked, name, choices[name])
        locked.save(update_fields=changed)
        security_log.record(locked, "key_changed")
    return bool(changed)


@transaction.atomic
def rotate(key: AccessKey, *, overlap: timedelta) -> str:
    """A new secret for the key; the one before works for ``overlap`` more, any older one no longer.

    Raises ``Vanished``.
    """
    locked, secret = _locked(key), new_secret()
    locked.old_digest, locked.old_until = (locked.digest, timezone.now() + overlap) if overlap else (None, None)
    locked.digest, locked.ends_with = digest(secret), secret[-4:]
    locked.save(update_fields=["digest", "ends_with", "old_digest", "old_until"])
    security_log.record(locked, "key_rotated")
    return secret


@transaction.atomic
def switch(key: AccessKey, *, on: bool) -> None:
    """Enable or disable it, from the next request on. Raises ``Vanished``."""
    locked = _locked(key)
    if locked.enabled != on:
        locked.enabled = on
        locked.save(update_fields=["enabled"])
        security_log.record(locked, "key_enabled" if on else "key_disabled")


@transaction.atomic
def delete(key: AccessKey) -> None:
    """Remove it for good; its jobs stay. Removing it twice is harmless."""
    found = AccessKey.objects.select_for_update().filter(pk=key.pk).first()
    if found is not None:
        security_log.record(found, "key_deleted")
        found.delete()


@transaction.atomic
def leaked(secret: str) -> None:
    """Disable the key with this secret, whoever says it: to have it is proof enough. Says nothing of whether it is one.

    A secret before a rotation counts, too, while it works.
    """
    key = find(secret)
    if key is None:
        return
    locked = AccessKey.objects.select_for_update().filter(pk=key.pk, enabled=True).first()
    if locked is not None:
        locked.enabled = False
        locked.save(update_fields=["enabled"])
        security_log.record(locked, "key_leaked")


def used(key: AccessKey, *, calls: int, now: datetime) -> bool:
    """Write down when it was used and how often since the last time; false when somebody else was quicker."""
    mine = AccessKey.objects.filter(pk=key.pk, last_used_at=key.last_used_at, calls=key.calls)
    return bool(mine.update(last_used_at=now, calls=key.calls + calls))


def _locked(key: AccessKey) -> AccessKey:
    found = AccessKey.objects.select_for_update().filter(pk=key.pk).first()
    if found is None:
        raise Vanished
    return found
