"""An account's calls as its owner reads them, newest first, in pages that stay put while new calls arrive."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import ApiCall, SecurityEvent, User

PAGE_SIZE: Final = 50
FIRST_ERROR: Final = 400


@dataclass(frozen=True)
class Page:
    """One page; ``before`` is the key of the next one, empty on the last."""

    calls: list[ApiCall]
    before: str


def chosen(*, owner: User, key: UUID | None = None, errors: bool = False) -> QuerySet[ApiCall]:
    """The owner's calls, newest first: all, those by one key, those that were answered with an error."""
    calls = owner.api_calls.order_by("-at", "-id")
    if key is not None:
        calls = calls.filter(access_key=key)
    return calls.filter(status__gte=FIRST_ERROR) if errors else calls


def page(*, owner: User, key: UUID | None = None, errors: bool = False, before: str = "") -> Page:
    """The chosen calls older than the key ``before``; a key that is none is ignored."""
    calls = chosen(owner=owner, key=key, errors=errors)
    place = _parse(before)
    if place is not None:
        at, call_id = place
        # The first condition alone is what an index can begin with.
        calls = calls.filter(at__lte=at).filter(Q(at__lt=at) | Q(id__lt=call_id))
    found = list(calls[: PAGE_SIZE + 1])
    more = len(found) > PAGE_SIZE
    found = found[:PAGE_SIZE]
    return Page(found, f"{found[-1].at.isoformat()}_{found[-1].pk}" if more else "")


def _parse(key: str) -> tuple[datetime, UUID] | None:
    at, _between, call_id = key.rpartition("_")
    try:
        parsed = datetime.fromisoformat(at.replace(" ", "+"))
        return (parsed.astimezone(UTC), UUID(call_id)) if parsed.tzinfo else None
    except (ValueError, OverflowError):  # the latter where time ends
        return None


def key_names(owner: User, numbers: Iterable[UUID]) -> dict[UUID, str]:
    """What the owner calls these keys; of one that is deleted, what it was called as long as anybody knows."""
    wanted = set(numbers)
    names = dict(owner.access_keys.filter(pk__in=wanted).values_list("pk", "name"))
    gone = wanted - set(names)
    events = SecurityEvent.objects.filter(owner=owner, access_key__in=gone).order_by("at", "pk")
    was = dict(events.values_list("access_key", "subject"))
    return names | {one: _("%(name)s (deleted)") % {"name": was.get(one, str(one)[:8])} for one in gone}
