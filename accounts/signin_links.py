"""A sign-in link lets its holder in once, within ``LIFE``, and only on a laptop.

It is a signed note of whom it is for and when that person last signed in. Signing in by it claims that very
moment by a conditional UPDATE, so of two holders one gets in, and any other sign-in kills it too. Nothing is
stored, and the link shows no address.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core import signing
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User

LIFE = timedelta(hours=1)
_SALT = "accounts.signin_links"


def make(user: User) -> str:
    """A token for ``/in/<token>``."""
    last = user.last_login.isoformat() if user.last_login else None
    return signing.dumps({"user": user.pk, "last": last}, salt=_SALT)


def holder(token: str) -> User | None:
    """Whom the token would let in now; changes nothing. None when it is altered, too old or used."""
    return _matching(token).first()


def use(token: str) -> User | None:
    """Take the one use of the token: the person who may now be signed in, or None."""
    user = holder(token)
    if user is None or not _matching(token).update(last_login=timezone.now()):
        return None
    return user


def _matching(token: str) -> QuerySet[User]:
    """The account that the token is still good for."""
    try:
        note = signing.loads(token, salt=_SALT, max_age=LIFE)
    except signing.BadSignature:
        return User.objects.none()
    last = datetime.fromisoformat(note["last"]) if note["last"] else None
    return User.objects.filter(pk=note["user"], last_login=last, is_active=True)
