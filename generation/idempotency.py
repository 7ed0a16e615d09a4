"""An ``Idempotency-Key`` makes repeating a request harmless, and using it for another request an error.

The job itself is unique by account and key, for as long as it is remembered. Whether a repeat is a repeat is told for
a day by a fingerprint of photos and choices, made with a secret of ours and the key, which we do not keep. It lies in
the cache's memory only, never in the database: no row holds anything that comes from a photo. Without the cache, the
first job is the answer to whatever comes under its key.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID, uuid5

from django.conf import settings
from django.core.cache import cache
from redis import RedisError

from accounts.models import User
from generation.api_wants import Wants
from generation.models import Job
from privacy import vault
from privacy.retention import longest

LONGEST: Final = 255
REMEMBERED: Final[timedelta] = longest("repeat")
_NAMES: Final = UUID("5f0c9c2e-6a2f-4a53-9f0b-0d8f3c1f7a41")


class Clash(Exception):
    """The key was used for other photos or choices."""


def request_key(key: str) -> UUID:
    """The number of a key, which its job keeps instead of it."""
    return uuid5(_NAMES, key)


def remember(*, owner: User, key: str, uploads: Mapping[str, vault.Known], wants: Wants) -> None:
    """Note what comes under the key, or compare it with what did. Raises ``Clash``, and what reading a blob does."""
    found = _fingerprint(owner, key, uploads, wants)
    try:
        new = cache.add(_place(owner, key), found, REMEMBERED.total_seconds())
        if not new and cache.get(_place(owner, key), found) != found:
            raise Clash
    except (RedisError, OSError):
        return


def forget(*, owner: User, key: str) -> None:
    """The request came to nothing: the key is free again, unless a job has it."""
    if Job.objects.filter(owner=owner, request_key=request_key(key)).exists():
        return
    try:
        cache.delete(_place(owner, key))
    except (RedisError, OSError):
        return


def _place(owner: User, key: str) -> str:
    return f"repeat:{owner.pk}:{request_key(key)}"


def _fingerprint(owner: User, key: str, uploads: Mapping[str, vault.Known], wants: Wants) -> str:
    secret = settings.SECRET_KEY.encode() + b"generation.idempotency"
    total = hmac.new(secret, json.dumps([owner.pk, key, wants.model_dump(), sorted(uploads)]).encode(), sha256)
    for view in sorted(uploads):
        photo = sha256()
        for chunk in vault.read(uploads[view]):
            photo.update(chunk)
        total.update(photo.digest())
    return total.hexdigest()
