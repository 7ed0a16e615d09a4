"""The data map: what is held, why, on what basis, how long, who receives it, and what an erasure does to it.

Each app offers a module ``subject_data`` that is listed in ``settings.SUBJECT_DATA``. It has ``HELD``, a list of
``Holding``: one for each table, whose items classify every field, and one for each thing that is held elsewhere. What
an item does not say itself, its holding says. A module may also have

* ``groups(person)``: a query for the ids of the groups of blobs (and of receipts) that are a person's;
* ``known_under(address)``: the people who have that e-mail address, in use or not yet;
* ``OLDER``: by name of a period, a function from a moment to the rows whose time began before it.

From the same maps are made the page "What we hold", the record of processing, the export and the plan of an erasure.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from privacy.retention import PERIODS, Period, Words

Person = AbstractBaseUser
Whose = str | Callable[[Person], Q]


class Basis(enum.Enum):
    """Why we may: the law's word, and ours."""

    CONTRACT = _("your contract with us")
    LEGAL = _("a legal obligation")
    INTEREST = _("our legitimate interest")
    NONE = _("not personal")


class Erasure(enum.Enum):
    """What erasing an account does to it."""

    ERASED = _("erased")
    LOOSE = _("cut loose from you: it stays and names nobody")
    KEPT = _("kept, because we must")
    UNTOUCHED = _("stays: it is not about you")


class Section(enum.Enum):
    """The parts of "What we hold", in order."""

    PHOTOS = _("Photos and 3D models")
    JOBS = _("Jobs and receipts")
    ACCOUNT = _("Your account")
    SIGNING_IN = _("Signing in")
    MONEY = _("Credits and purchases")
    RIGHTS = _("Your requests about your data")
    OPERATORS = _("Operators")
    NOBODY = _("Not about people")


@dataclass(frozen=True)
class Recipient:
    """Who else gets it: in words, and each by name where that is known only when it is asked."""

    name: Words
    each: Callable[[], list[str]] = list


@dataclass(frozen=True)
class Item:
    """A field, or several that are classified alike. ``withheld`` says why it is not in an export; empty: it is."""

    names: str
    what: Words
    withheld: Words = ""
    why: Words | None = None
    basis: Basis | None = None
    keeps: str | None = None
    receives: tuple[Recipient, ...] | None = None
    erasure: Erasure | None = None
    duty: Words | None = None

    @property
    def fields(self) -> list[str]:
        """The names of the fields."""
        return self.names.split()


@dataclass(frozen=True)
class Line:
    """An item with what its holding says for it."""

    fields: list[str]
    what: Words
    withheld: Words
    why: Words
    basis: Basis
    period: Period
    receives: tuple[Recipient, ...]
    erasure: Erasure
    duty: Words


@dataclass(frozen=True)
class Holding:
    """One table (``model`` is its label), or something held elsewhere (``model`` is a word without a dot).

    ``whose``: how its rows lead to a person, as a lookup or as a function from the person to a condition; ``None`` for
    what is about nobody. ``also``: further people whom a row names; lookup → the only fields that are theirs.
    ``stays``: which rows of a table that is kept the duty is about; the others are erased. An item that is erased in a
    table that is kept, or cut loose, is emptied.
    """

    model: str
    title: Words
    section: Section
    why: Words
    basis: Basis
    keeps: str
    items: tuple[Item, ...]
    whose: Whose | None = None
    also: Mapping[str, str] = field(default_factory=dict)
    receives: tuple[Recipient, ...] = ()
    erasure: Erasure = Erasure.ERASED
    duty: Words = ""
    stays: Q | None = None

    @property
    def is_table(self) -> bool:
        """Whether it is a table of the database."""
        return "." in self.model

    @property
    def table(self) -> type[Model]:
        """The model's class."""
        return apps.get_model(self.model)

    @property
    def period(self) -> Period:
        """How long, where an item says nothing else."""
        return PERIODS[self.keeps]

    def received_by(self) -> tuple[Recipient, ...]:
        """Everybody who receives any of it."""
        return tuple(dict.fromkeys(one for line in self.lines() for one in line.receives))

    def lines(self) -> list[Line]:
        """The items, each with everything said."""
        return [
            Line(
                fields=item.fields,
                what=item.what,
                withheld=item.withheld,
                why=self.why if item.why is None else item.why,
                basis=item.basis or self.basis,
                period=PERIODS[item.keeps or self.keeps],
                receives=self.receives if item.receives is None else item.receives,
                erasure=item.erasure or self.erasure,
                duty=self.duty if item.duty is None else item.duty,
            )
            for item in self.items
        ]

    def exported(self) -> list[str]:
        """The fields that the person whom a row is about gets, in the table's order."""
        given = {name for item in self.items if not item.withheld for name in item.fields}
        return [one.name for one in self.table._meta.concrete_fields if one.name in given]

    def exported_at_all(self) -> list[str]:
        """The fields that anybody gets: whom a row is about, or whom it names too."""
        also = {name for names in self.also.values() for name in names.split()}
        return [one.name for one in self.table._meta.concrete_fields if one.name in also or one.name in self.exported()]

    def of(self, person: Person) -> QuerySet[Any]:
        """The rows that are about the person."""
        assert self.whose is not None
        condition = Q(**{self.whose: person.pk}) if isinstance(self.whose, str) else self.whose(person)
        return self.table._default_manager.filter(condition).distinct().order_by("pk")

    def naming(self, person: Person) -> Iterator[tuple[QuerySet[Any], list[str]]]:
        """Rows that are about somebody else and name the person too; with the only fields that are the person's."""
        for lookup, names in self.also.items():
            rows = self.table._default_manager.filter(**{lookup: person.pk})
            if self.whose is not None:
                rows = rows.exclude(pk__in=self.of(person).values("pk"))
            yield rows.distinct().order_by("pk"), names.split()


def nobody(model: str, title: Words, names: str, why: Words) -> Holding:
    """A table that is about nobody."""
    return Holding(
        model,
        title,
        Section.NOBODY,
        why=why,
        basis=Basis.NONE,
        keeps="site",
        items=(Item(names, title, withheld=_("It is not about people.")),),
        erasure=Erasure.UNTOUCHED,
    )


def modules() -> list[ModuleType]:
    """The apps' maps, in the order of the settings."""
    return [import_module(name) for name in settings.SUBJECT_DATA]


@lru_cache(maxsize=1)
def _held(names: tuple[str, ...]) -> tuple[Holding, ...]:
    return tuple(holding for name in names for holding in import_module(name).HELD)


def held() -> tuple[Holding, ...]:
    """The whole map."""
    return _held(tuple(settings.SUBJECT_DATA))


def in_groups(person: Person) -> Q:
    """The condition that a row's ``group`` is one of the person's, as the apps know them."""
    condition = Q(pk__in=[])
    for module in modules():
        if hasattr(module, "groups"):
            condition |= Q(group__in=module.groups(person))
    return condition


def known_under(address: str) -> list[Person]:
    """Everybody of whom something is held under an e-mail address, as the apps know."""
    asked = (module.known_under(address) for module in modules() if hasattr(module, "known_under"))
    return [person for found in asked for person in found]


def older() -> dict[str, Callable[[datetime], QuerySet[Any]]]:
    """By name of a period: the rows whose time began before a moment."""
    return {name: rows for module in modules() for name, rows in getattr(module, "OLDER", {}).items()}


def problems(holdings: Iterable[Holding], models: Iterable[type[Model]]) -> list[str]:
    """What is not classified, or classified and not there; empty when the map is whole."""
    known = list(holdings)
    tables = {model._meta.label: model for model in models}
    found = [problem for holding in known for problem in _contradictions(holding)]
    labels = [holding.model for holding in known]
    found += [f"{label}: classified more than once" for label in _twice(labels)]
    found += [f"{label}: no such table" for label in labels if "." in label and label not in tables]
    found += [f"{label}: not classified" for label in tables if label not in labels]
    for holding in known:
        if holding.model not in tables:
            continue
        fields = [one.name for one in tables[holding.model]._meta.concrete_fields]
        said = [name for item in holding.items for name in item.fields]
        also = [name for names in holding.also.values() for name in names.split()]
        found += [f"{holding.model}.{name}: not classified" for name in fields if name not in said]
        found += [f"{holding.model}.{name}: no such field" for name in said + also if name not in fields]
        found += [f"{holding.model}.{name}: classified more than once" for name in _twice(said)]
    return found


def _twice(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def _contradictions(holding: Holding) -> Iterator[str]:
    """What a holding says that cannot be."""
    for name in {holding.keeps, *(item.keeps for item in holding.items if item.keeps)}:
        if name not in PERIODS:
            yield f"{holding.model}: {name!r} is no period of privacy/retention.py"
            return
    personal = any(line.basis is not Basis.NONE for line in holding.lines())
    if holding.is_table and holding.whose is None and any(not item.withheld for item in holding.items):
        yield f"{holding.model}: exported, but nothing says whose its rows are"
    for line in holding.lines():
        if line.erasure is Erasure.KEPT and not line.duty:
            yield f"{holding.model}: kept after an erasure, but under no duty"
    if personal and not all(line.what and line.why for line in holding.lines()):
        yield f"{holding.model}: says nothing to people"
