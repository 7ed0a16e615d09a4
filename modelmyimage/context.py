"""What every page needs: balance, initials and colours of who looks; whether this is a laptop, and money moves."""

from __future__ import annotations

from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

from accounts import devices, theme
from accounts.models import User
from billing import ledger


class Frame:
    """The facts of every page's frame, each looked up only when a page shows it."""

    local: bool = settings.LOCAL
    languages = settings.LANGUAGES
    bank: str = settings.STRIPE_API_BASE
    """Where one plays the bank, if a stand-in takes the payments."""

    @property
    def selling(self) -> bool:
        """Whether credits are for sale."""
        return settings.BILLING

    @property
    def test_mode(self) -> bool:
        """Whether buying is on and moves no money."""
        return settings.BILLING_TEST_MODE

    def __init__(self, request: HttpRequest) -> None:
        self._user = getattr(request, "user", None)
        match = request.resolver_match
        # Signing in lies below the same address, but is no page of an account.
        self.at_account = match is not None and match.route.startswith("account/") and isinstance(self._user, User)
        self.at_credits = match is not None and match.namespace == "billing" and match.url_name != "pricing"
        self._request = request

    @cached_property
    def balance(self) -> ledger.Balance | None:
        """The credits of who is signed in; ``None`` for an anonymous visitor."""
        return ledger.balance(self._user) if isinstance(self._user, User) else None

    @cached_property
    def theme(self) -> str:
        """In which colours the page is drawn: light, dark or contrast; empty: as the device asks for."""
        found = theme.chosen(self._request)
        return "" if found == theme.DEVICE else found

    @cached_property
    def library(self) -> str:
        """By what names browsers know the account of who is signed in, with spaces between; empty for others."""
        return " ".join(devices.names(self._user)) if isinstance(self._user, User) else ""

    @cached_property
    def passkeys_here(self) -> bool:
        """Whether a browser may use passkeys at the address this page was asked for: never at an IP address."""
        return not self.local or _ip(self._request) is None

    @cached_property
    def by_name(self) -> str:
        """This page under the name ``localhost``; empty for an address that is not of this machine."""
        found = _ip(self._request)
        if found is None or not found.is_loopback:
            return ""
        here = urlsplit(self._request.build_absolute_uri())
        return here._replace(netloc=f"localhost:{here.port}" if here.port else "localhost").geturl()

    @cached_property
    def initials(self) -> str:
        """Two letters of the e-mail address, for the round button that leads to the account."""
        if not isinstance(self._user, User):
            return ""
        words = self._user.email.partition("@")[0].replace("_", ".").replace("-", ".").split(".")
        parts = [word for word in words if word]
        return (parts[0][0] + parts[1][0] if len(parts) > 1 else self._user.email[:2]).upper()


def _ip(request: HttpRequest) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(urlsplit(f"//{request.get_host()}").hostname or "")
    except ValueError:
        return None


def frame(request: HttpRequest) -> dict[str, Frame]:
    """Adds ``frame`` to every template's context. (``site`` is a name that allauth's views use for themselves.)"""
    return {"frame": Frame(request)}
