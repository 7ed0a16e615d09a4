"""What must have come to an end before an account's rows can go: here bytes and requests, and what each app offers.

``settings.CLOSING`` lists a module of each app, in order. ``privacy/erasure.py`` calls what of these a module offers:

* ``hindrance(person)``: why this account cannot be erased, in words; empty where nothing is in the way;
* ``loses(person)``: what the person should know before they ask, a sentence each;
* ``shut(person)``: nothing new begins; called once, in the transaction that begins the erasure;
* ``close(person)``: bring things to an end, and say how it stands (``Closed``); called again until it is over;
* ``remove(person)``: remove the account's own row, last of all, in the transaction that ends the erasure.

Each may be called twice, since a process may die behind it. Whatever is raised puts the erasure off, never ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from django.conf import settings

from privacy import datamap, vault
from privacy.datamap import Person
from privacy.models import Blob
from privacy.requests import forgetting, handling
from privacy.requests.models import SubjectRequest
from privacy.requests.rights import Right

AGAIN_SECONDS = 5.0


@dataclass(frozen=True)
class Closed:
    """How it stands: over, or to be looked at again in ``wait`` seconds.

    ``elsewhere``: what became of copies at others, as lines of a receipt (``provider``, ``result``, …).
    """

    wait: float = 0.0
    elsewhere: list[dict[str, Any]] = field(default_factory=list)


def offered(name: str) -> Iterator[Callable[[Person], Any]]:
    """The functions of that name that the apps offer, in the order of the settings."""
    for module in map(import_module, settings.CLOSING):
        if hasattr(module, name):
            yield getattr(module, name)


def shut(person: Person) -> None:
    """Requests of the person end here, and that their account is erased is one that was fulfilled at once."""
    mine = SubjectRequest.objects.open().filter(forgetting.whose(person))
    if not mine.filter(right=Right.DELETION).exists():
        handling.fulfilled_at_once(person, Right.DELETION, "")
    forgetting.end_all(person)


def close(person: Person) -> Closed:
    """Destroy what bytes of the person are left: their rows are the inventory, and go only after them."""
    left = Blob.objects.open().filter(datamap.in_groups(person))
    for blob_id in left.values_list("pk", flat=True)[:100]:
        vault.destroy(blob_id)
    return Closed(wait=AGAIN_SECONDS if left.exists() else 0.0)
