"""The log of what a webhook was told: newest first, filtered, in pages that stay put while new lines arrive."""

from __future__ import annotations

import re
from dataclasses import dataclass

from generation.models import Delivery, Webhook

PAGE_SIZE = 25
KEY = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True)
class Page:
    """One page; ``before`` is the key of the next one, empty on the last."""

    deliveries: list[Delivery]
    before: str


def page(webhook: Webhook, *, state: str = "", kind: str = "", before: str = "", most: int = PAGE_SIZE) -> Page:
    """Deliveries older than the key ``before``, at most ``most``; what is no key is ignored."""
    found = webhook.deliveries.select_related("notification").order_by("-notification")
    if state:
        found = found.filter(state=state)
    if kind:
        found = found.filter(notification__kind=kind)
    if is_key(before):
        found = found.filter(notification__lt=int(before))
    rows = list(found[: most + 1])
    shown = rows[:most]
    return Page(shown, str(shown[-1].notification_id) if len(rows) > most else "")


def is_key(text: str) -> bool:
    """Whether it has the form of a ``Page.before``."""
    return KEY.fullmatch(text) is not None
