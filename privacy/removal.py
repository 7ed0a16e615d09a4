"""What an erasure does to rows, by the data map alone: which go, which stay under which duty, which are cut loose.

The plan that is shown before, the deleting and the certificate are read from the same map, so they cannot differ by
what somebody forgot to write down twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Field, QuerySet

from privacy import datamap
from privacy.datamap import Erasure, Holding, Person, Section
from privacy.retention import Words

BATCH = 500
"""Rows that go in one transaction."""


@dataclass(frozen=True)
class Fate:
    """What becomes of so many rows of a table. ``fields``: what of them stays, by name; ``emptied``: what does not."""

    holding: Holding
    erasure: Erasure
    rows: int
    fields: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()
    duty: Words = ""
    how_long: str = ""


def tables() -> list[Holding]:
    """The tables with rows about people; before each table those whose rows are found by way of its, or point at it.

    So each row is deleted, and counted, as one of its own table, and none goes with another.
    """
    found = [one for one in datamap.held() if one.is_table and one.whose not in (None, "pk")]
    order = [one for one in found if not isinstance(one.whose, str)]
    left = [one for one in found if isinstance(one.whose, str)]
    while left:
        # Else in the map's order: what a database lets go only beside another row stands before that row's table.
        free = next(one for one in left if not any(_points(other, one) for other in left))
        left.remove(free)
        order.append(free)
    return order


def _points(holding: Holding, other: Holding) -> bool:
    """Whether rows of the one hold the numbers of rows of the other."""
    targets = {field.related_model for field in holding.table._meta.concrete_fields}
    return holding is not other and other.table in targets


def account() -> Holding:
    """The table of the accounts themselves."""
    return next(one for one in datamap.held() if one.whose == "pk")


def first() -> list[Holding]:
    """What goes at once, whatever else takes time: who cannot sign in any more needs no session."""
    return [one for one in tables() if one.section is Section.SIGNING_IN]


def going(holding: Holding, person: Person) -> QuerySet[Any]:
    """The rows of a table that go."""
    rows = holding.of(person)
    if holding.erasure is Erasure.ERASED:
        return rows
    if holding.stays is None:
        return rows.none()
    return rows.exclude(pk__in=rows.filter(holding.stays).values("pk"))


def staying(holding: Holding, person: Person) -> int:
    """How many rows of a table stay: those that are the person's, and those of others that name them."""
    rows = holding.of(person)
    if holding.erasure in (Erasure.ERASED, Erasure.UNTOUCHED):
        return 0
    found = (rows if holding.stays is None else rows.filter(holding.stays)).count()
    return found + sum(naming.count() for naming, _names in holding.naming(person))


def plan(person: Person) -> list[Fate]:
    """What becomes of everything that is held about a person in tables; nothing is said of tables without rows."""
    found = []
    for holding in tables():
        if gone := going(holding, person).count():
            found.append(Fate(holding, Erasure.ERASED, gone))
        if left := staying(holding, person):
            found.append(_stays(holding, left))
    own = account()
    if any(fate.erasure is Erasure.KEPT for fate in found):
        found.append(_stays(own, 1, Erasure.KEPT))
    else:
        found.append(Fate(own, Erasure.ERASED, 1))
    sections = list(Section)
    return sorted(found, key=lambda fate: sections.index(fate.holding.section))


def _stays(holding: Holding, rows: int, erasure: Erasure | None = None) -> Fate:
    lines = [line for line in holding.lines() if line.erasure is not Erasure.ERASED]
    emptied = [line for line in holding.lines() if line.erasure is Erasure.ERASED]
    return Fate(
        holding,
        erasure or holding.erasure,
        rows,
        fields=tuple(name for line in lines for name in line.fields),
        emptied=tuple(name for line in emptied for name in line.fields),
        duty=next((line.duty for line in lines if line.duty), ""),
        how_long=lines[0].period.words if lines else "",
    )


def erase_some(holding: Holding, person: Person) -> int:
    """Delete up to ``BATCH`` of the rows of a table that go; how many. For use in a transaction."""
    keys = list(going(holding, person).values_list("pk", flat=True)[:BATCH])
    if keys:
        holding.table._default_manager.filter(pk__in=keys).delete()
    return len(keys)


def cut_loose(person: Person) -> None:
    """Empty what is erased in rows that stay, and let those that are cut loose name nobody."""
    found = []
    for holding in tables():
        if holding.erasure not in (Erasure.KEPT, Erasure.LOOSE):
            continue
        names = [name for line in holding.lines() if line.erasure is Erasure.ERASED for name in line.fields]
        if holding.erasure is Erasure.LOOSE and isinstance(holding.whose, str):
            names.append(holding.whose)
        assert names or holding.erasure is Erasure.KEPT, f"{holding.model}: nothing to cut"
        # All are found before any is emptied: some lead to the person by way of others.
        found.append((holding, names, list(holding.of(person).values_list("pk", flat=True)) if names else []))
    for holding, names, keys in found:
        for some in (keys[at : at + BATCH] for at in range(0, len(keys), BATCH)):
            fields = [holding.table._meta.get_field(name) for name in names]
            rows = holding.table._default_manager.filter(pk__in=some)
            rows.update(**{field.name: _empty(field) for field in fields})


def _empty(field: Any) -> Any:
    assert isinstance(field, Field)
    return None if field.null else field.get_default() if field.has_default() else ""
