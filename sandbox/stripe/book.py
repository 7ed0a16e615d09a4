"""Everything the stand-in knows: its objects by id, its own notes about them, its clock, and what is to happen when.

Objects are kept as Stripe shows them, with ids where others are referred to. Whoever changes one holds the lock of the
``Sandbox``; nothing here takes it.
"""

from __future__ import annotations

import copy
import heapq
import random
import string
from collections.abc import Callable
from typing import Any

import stripe

from sandbox.stripe.refusal import missing
from sandbox.stripe.shapes import CLASSES, Json, hints, make

ALPHABET = string.ascii_letters + string.digits
PREFIXES = {
    "balance_transaction": "txn",
    "billing_portal.configuration": "bpc",
    "billing_portal.session": "bps",
    "charge": "ch",
    "checkout.session": "cs_test",
    "coupon": "co",
    "customer": "cus",
    "discount": "di",
    "dispute": "du",
    "event": "evt",
    "invoice": "in",
    "invoice_payment": "inpay",
    "item": "li",
    "line_item": "il",
    "payment_intent": "pi",
    "payment_method": "pm",
    "plan": "price",
    "price": "price",
    "product": "prod",
    "promotion_code": "promo",
    "refund": "re",
    "subscription": "sub",
    "subscription_item": "si",
}


class Book:
    """The state. ``now``: seconds since the epoch; ``rng`` makes ids, so that a seeded one repeats a run."""

    def __init__(self, *, rng: random.Random, now: Callable[[], float]) -> None:
        self.rng, self._real_now = rng, now
        self.objects: dict[str, Json] = {}
        self.kinds: dict[str, list[str]] = {name: [] for name in CLASSES}
        """Ids by kind, oldest first."""
        self.notes: dict[str, Json] = {}
        """What Stripe would know and not show, by the id of the object it is about."""
        self.answers: dict[str, Json] = {}
        """What calls with an idempotency key were answered, by key."""
        self.agenda: list[tuple[float, str, str]] = []
        """A heap of (when, what, id); whoever takes one looks whether it is still due."""
        self.offset = 0.0
        self.moment: float | None = None
        """The time that it is while something due in the past is done."""
        self.base = "http://127.0.0.1"
        self.request: Json | None = None
        """The call that is being answered, as events name it."""
        self.refunds_wait = False
        """Whether new refunds stay pending until they are settled."""
        self.tell: Callable[[Json], None] = lambda event: None
        """Called with each new event."""

    def now(self) -> int:
        """What time it is here, in whole seconds since the epoch."""
        return int(self.exact_now())

    def exact_now(self) -> float:
        """What time it is here."""
        return self._real_now() + self.offset if self.moment is None else self.moment

    def plan(self, when: float, what: str, id: str) -> None:
        """Have something done at a time; see ``clock.py``."""
        heapq.heappush(self.agenda, (when, what, id))

    def due(self) -> tuple[float, str, str]:
        """Take the earliest entry off the agenda."""
        return heapq.heappop(self.agenda)

    def new_id(self, name: str) -> str:
        """An id for a new object of this kind."""
        return f"{PREFIXES[name]}_{''.join(self.rng.choices(ALPHABET, k=24))}"

    def build(self, name: str, /, **fields: Any) -> Json:
        """A complete object with an id and a time, which lives inside another one."""
        known = hints(CLASSES[name])
        given = {"id": self.new_id(name), "created": self.now(), "livemode": False} | fields
        return make(name, **{field: value for field, value in given.items() if field in known or field in fields})

    def new(self, name: str, /, **fields: Any) -> Json:
        """A complete object of this kind, kept: the object itself, to be changed in place."""
        made = self.build(name, **fields)
        self.objects[made["id"]] = made
        self.kinds[name].append(made["id"])
        return made

    def get(self, name: str, id: str, param: str = "id") -> Json:
        """The kept object; raises ``Refusal`` when there is none of this kind."""
        found = self.objects.get(id)
        if found is None or found["object"] != name:
            raise missing(name, id, param)
        return found

    def all(self, name: str) -> list[Json]:
        """The kept objects of a kind, newest first."""
        return [self.objects[id] for id in reversed(self.kinds[name])]

    def note(self, id: str) -> Json:
        """What is noted about an object; to be changed in place."""
        return self.notes.setdefault(id, {})

    def emit(self, type: str, object: Json, previous: Json | None = None) -> Json:
        """An event that shows the object as it is now. ``previous``: changed fields as they were."""
        data = {"object": copy.deepcopy(object)} | ({"previous_attributes": previous} if previous else {})
        event = self.new(
            "event",
            type=type,
            api_version=stripe.api_version,
            data=data,
            pending_webhooks=0,
            request=self.request or {"id": None, "idempotency_key": None},
        )
        if not previous:
            event["data"].pop("previous_attributes")
        self.tell(event)
        return event


def merge_metadata(target: Json, given: Any) -> None:
    """Metadata as Stripe updates it: an empty value removes a name, an empty whole removes all."""
    if given == "":
        target["metadata"] = {}
    elif given:
        merged = (target["metadata"] or {}) | given
        target["metadata"] = {name: value for name, value in merged.items() if value != ""}
