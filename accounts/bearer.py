"""Who calls the API: the holder of the access key in ``Authorization: Bearer``, and nobody by a cookie.

``Key(scope)`` guards an operation and leaves the key in ``request.auth``. As cookies are never looked at, no page of
somebody else's can make a browser act for whoever is signed in, and there is nothing for a CSRF token to prove.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from accounts import keys, problems, recording, throttle
from accounts.models import AccessKey
from accounts.problems import Kind, Problem
from accounts.scopes import SCOPES

WRITE_EVERY: Final = timedelta(minutes=1)
"""How often the row of a busy key is written."""


class Key(HttpBearer):
    """An access key with a scope. Raises ``Problem`` for anything else; also where a limit is reached."""

    def __init__(self, scope: str, *limits: str) -> None:
        super().__init__()
        assert scope in SCOPES
        self.scope = scope
        self.limits = limits
        """Rates of ``throttle.RATES`` that this operation falls under beside the usual ones, by account."""

    def __call__(self, request: HttpRequest) -> AccessKey:
        """The key of this request."""
        return authenticate(request, scope=self.scope, limits=self.limits)

    def authenticate(self, request: HttpRequest, token: str) -> AccessKey:
        """Demanded by ninja's base class and never called: ``__call__`` reads the header."""
        raise NotImplementedError


def authenticate(request: HttpRequest, *, scope: str, limits: tuple[str, ...] = ()) -> AccessKey:
    """The key that the request shows, if it may be used here, now and for this. Raises ``Problem``."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    secret = presented(request.headers.get("Authorization", ""))
    # By the digest, so that whoever asks too often is turned away without a look-up.
    limited(request, {"address": address} | ({"key": keys.digest(secret)} if keys.well_formed(secret) else {}))
    if not secret:
        raise Problem(problems.NO_KEY)
    if not keys.well_formed(secret):
        raise Problem(problems.KEY_MALFORMED)
    key = keys.find(secret)
    if key is None or not keys.usable(key):
        limited(request, {"refused": address})
        raise Problem(problems.KEY_INVALID)
    recording.note_key(request, key)
    if not keys.allows_address(key, address):
        raise Problem(problems.KEY_ELSEWHERE)
    account = str(key.owner_id)
    limited(request, {"account": account} | dict.fromkeys(limits, account), count=str(key.pk))
    _note(key)
    if scope not in key.scopes:
        raise Problem(problems.SCOPE, scope=scope)
    return key


def presented(header: str) -> str:
    """The secret in the header ``Authorization``, or an empty string."""
    scheme, _, secret = header.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def limited(request: HttpRequest, wanted: dict[str, str], *, count: str = "") -> None:
    """Take from the limits; how they stand then goes into the answer's headers. Raises ``Problem``.

    ``count`` as in ``throttle.take``.
    """
    try:
        standing = throttle.take(wanted, count=count)
    except throttle.Exceeded as reached:
        request.standing = [*getattr(request, "standing", []), *reached.standing]  # type: ignore[attr-defined]  # ours
        raise Problem(problems.TOO_MANY, wait=reached.wait) from None
    request.standing = [*getattr(request, "standing", []), *standing]  # type: ignore[attr-defined]  # ours


def _note(key: AccessKey) -> None:
    """Take the calls that were counted to the key's row: at most once a minute, by whichever request is first then."""
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at >= WRITE_EVERY:
        calls = throttle.counted(str(key.pk))
        if keys.used(key, calls=calls, now=now):
            throttle.taken(str(key.pk), calls)


def guarded(scope: str, *kinds: Kind, limits: tuple[str, ...] = (), **extra: Any) -> dict[str, Any]:
    """How an operation is declared that needs a key with this scope and may answer these kinds."""
    return {"auth": Key(scope, *limits), "openapi_extra": _described(*problems.WITH_KEY, *kinds, **extra)}


def public(*kinds: Kind, **extra: Any) -> dict[str, Any]:
    """How an operation is declared that needs no key."""
    return {"auth": None, "openapi_extra": _described(*kinds, **extra)}


def _described(*kinds: Kind, responses: dict[int, Any] | None = None, **extra: Any) -> dict[str, Any]:
    return {"responses": {**problems.documented(*problems.EVERYWHERE, *kinds), **(responses or {})}, **extra}
