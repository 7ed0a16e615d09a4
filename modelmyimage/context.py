"""What every page needs: the balance and initials of who is signed in, and whether this is a laptop."""

from __future__ import annotations

from functools import cached_property

from django.conf import settings
from django.http import HttpRequest

from accounts.models import User
from billing import ledger


class Site:
    """The frame's facts, each looked up only when a page shows it."""

    local: bool = settings.LOCAL

    def __init__(self, request: HttpRequest) -> None:
        self._user = getattr(request, "user", None)

    @cached_property
    def balance(self) -> ledger.Balance | None:
        """The credits of who is signed in; ``None`` for an anonymous visitor."""
        return ledger.balance(self._user) if isinstance(self._user, User) else None

    @cached_property
    def initials(self) -> str:
        """Two letters of the e-mail address, for the round button that leads to the account."""
        if not isinstance(self._user, User):
            return ""
        words = self._user.email.partition("@")[0].replace("_", ".").replace("-", ".").split(".")
        parts = [word for word in words if word]
        return (parts[0][0] + parts[1][0] if len(parts) > 1 else self._user.email[:2]).upper()


def site(request: HttpRequest) -> dict[str, Site]:
    """Adds ``site`` to every template's context."""
    return {"site": Site(request)}
