"""The certificate of an erasure: what went, what stays under which duty, what became of copies at others; signed.

It is a receipt like those of jobs, of a form of its own: in the same table, so that it comes into the log, and checked
by the same programs. Like the log it cannot be taken back, so it names nobody: tables, fields, counts and moments.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.utils import timezone
from django.utils.translation import override

from privacy import datamap, receipts, removal
from privacy.datamap import Basis, Erasure, Person
from privacy.models import Erasure as Row
from privacy.models import Receipt
from privacy.removal import Fate

SPEECH = "en"
"""A signature is of one text."""

DOES_NOT_PROVE = [
    "That no copy exists: it says what our systems did and saw, and no signature can show that something is absent.",
    "What others say about their own copies: it is repeated here as it was told to us.",
    "Anything about backups of the database: what was removed lasts in them until they are overwritten.",
    "Anything about mail that was already delivered to you.",
]


def issue(row: Row, person: Person) -> Receipt:
    """The certificate of an erasure whose rows are gone; for use in the transaction that ends it."""
    at = timezone.now()
    now = at.isoformat(timespec="seconds")
    with override(SPEECH):
        fates = removal.plan(person)
        erased = {**row.erased, **{one.holding.model: 1 for one in fates if one.erasure is Erasure.ERASED}}
        titles = {holding.model: str(holding.title) for holding in datamap.held()}
        body: dict[str, Any] = {
            "format": receipts.ERASURE,
            "id": str(uuid4()),
            "job": str(row.pk),
            "issued_at": now,
            "outcome": "erased",
            "destroyed": [
                {"kind": titles[model], "table": model, "rows": rows, "destroyed_at": now}
                for model, rows in sorted(erased.items())
            ],
            "kept": [kept(fate) for fate in fates if fate.erasure is not Erasure.ERASED],
            "ends_by_itself": _by_themselves(),
            "elsewhere": row.elsewhere,
            "does_not_prove": DOES_NOT_PROVE,
        }
    return receipts.keep(group=row.pk, body=body, at=at)


def kept(fate: Fate) -> dict[str, Any]:
    """What is said of a table of which something stays."""
    return {
        "kind": str(fate.holding.title),
        "table": fate.holding.model,
        "rows": fate.rows,
        "fields": list(fate.fields),
        "emptied": list(fate.emptied),
        "duty": str(fate.duty),
        "how_long": fate.how_long,
    }


def _by_themselves() -> list[dict[str, str]]:
    """What lies in no table, and ends by the clock whether or not anybody is erased."""
    return [
        {"kind": str(holding.title), "how_long": holding.period.words}
        for holding in datamap.held()
        if not holding.is_table and holding.basis is not Basis.NONE and holding.erasure is Erasure.ERASED
    ]
