"""The values that documents are filled with: each is asked of the code or the settings that it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format

from accounts import theme
from generation import choices, registry, wording
from generation.provider import Card
from privacy import data_pages, datamap, well_known
from privacy.datamap import Basis
from privacy.retention import PERIODS, length
from trust import operator, promise, promises

TOLD_FOR: Final = timedelta(days=30)
"""How long after a change took effect pages still say so to those who have not put the note away."""


RIGHTS: Final = {"form": "privacy:requests", "erase": "privacy:erase"}
"""The pages on which people use a right themselves, as far as this program has them."""


@dataclass(frozen=True)
class Receiver:
    """Somebody else who receives data: what they are told by, and what they are held to."""

    name: str
    terms: str
    """What a change of substance is told by; not for people."""
    since: str
    """The day it came onto the list, in words; empty while it is only coming."""
    coming: bool = False
    card: Card | None = None
    host: operator.Host | None = None


def values(*, since: Mapping[str, str] | None = None, today: date) -> dict[str, Any]:
    """Everything that a document may name; ``since``: days (ISO) from which receivers have been listed."""
    cards = [wording.told(card) for card in registry.cards()]
    others = [card for card in cards if not card.self_hosted]
    receivers = list(_receivers(since or {}, today))
    return {
        "site": settings.SITE_URL.rstrip("/"),
        "operator": operator.known(),
        "hosts": operator.hosts(),
        "certifications": operator.certifications(),
        "security_contacts": settings.SECURITY_CONTACT if well_known.expiry() else [],
        "period": {name: period.words for name, period in PERIODS.items()},
        "cookie": {
            "session": settings.SESSION_COOKIE_NAME,
            "csrf": settings.CSRF_COOKIE_NAME,
            "language": settings.LANGUAGE_COOKIE_NAME,
            "theme": settings.THEME_COOKIE_NAME,
            "messages": settings.MESSAGES_COOKIE_NAME,
        },
        "cookie_days": {
            "session": length(timedelta(seconds=settings.SESSION_COOKIE_AGE)),
            "csrf": length(timedelta(seconds=settings.CSRF_COOKIE_AGE)),
            "language": length(timedelta(seconds=settings.LANGUAGE_COOKIE_AGE)),
            "theme": length(theme.KEPT_FOR),
        },
        "chapters": data_pages.chapters(),
        "promise": {one.name: promise.markdown(one) for one in promises.PROMISES},
        "megabytes": settings.UPLOAD_LIMIT_BYTES // 1_000_000,
        "age": settings.MINIMUM_AGE,
        "gift": settings.GRANT_CREDITS,
        "longest_wait": str(choices.KEEP[-1][1]),
        "notice_days": settings.NOTICE_DAYS,
        "told_days": TOLD_FOR.days,
        "selling": settings.BILLING,
        "play_money": settings.BILLING_TEST_MODE,
        "own": [card for card in cards if card.self_hosted],
        "others": others,
        "receivers": receivers,
        "coming": [one for one in receivers if one.coming],
        "rights": {name: _address(view) for name, view in RIGHTS.items()},
        "abroad": [card for card in others if not _at_home(card)],
        "learning": [card for card in others if card.trains_on_input],
        "silent": [card for card in others if card.trains_on_input is None],
        "holding": [card for card in others if card.keeps is None or card.keeps],
        "unerasing": [card for card in others if not card.can_erase and card.keeps != timedelta(0)],
    }


def _address(view: str) -> str:
    try:
        return reverse(view)
    except NoReverseMatch:
        return ""


def _at_home(card: Card) -> bool:
    """Whether it says that it works in the operator's country."""
    return card.region != "" and card.region == settings.OPERATOR_REGION


def _receivers(since: Mapping[str, str], today: date) -> Iterable[Receiver]:
    def day(name: str) -> str:
        return date_format(date.fromisoformat(since[name]) if name in since else today, "DATE_FORMAT")

    for card in registry.cards():
        if not card.self_hosted:
            yield Receiver(card.label, _terms(card), day(card.label), card=wording.told(card))
    for card in registry.announced():
        if not card.self_hosted:
            yield Receiver(card.label, _terms(card), "", coming=True, card=wording.told(card))
    if settings.BILLING:
        yield Receiver("Stripe", "stripe", day("Stripe"))
    for host in operator.hosts():
        yield Receiver(host.name, f"{host.region}|{host.purpose}", day(host.name), host=host)


def _terms(card: Card) -> str:
    return f"{card.operator}|{card.region}|{card.keeps}|{card.trains_on_input}|{card.can_erase}"


def kinds_held() -> dict[str, str]:
    """Each kind of thing that is held of people, with what a change of substance is told by."""
    held = [one for one in datamap.held() if one.basis is not Basis.NONE]
    return {str(one.title): f"{one.basis.name}|{one.keeps}|{one.period.longest}" for one in held}


def receiving() -> list[str]:
    """Companies that may receive photos now, whatever a version says."""
    return [card.label for card in registry.cards() if not card.self_hosted]
