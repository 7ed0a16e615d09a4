"""An export holds everything in the database about a person, and nothing about anybody else."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import pytest
from django.apps import apps
from django.db import transaction
from django.db.models import Q
from django.test import override_settings

from accounts.models import User
from billing.models import Adjustment, Transaction
from generation.models import Attempt, Job
from privacy import datamap, export, receipts
from privacy.datamap import Holding
from privacy.models import Receipt
from tests.people import People, leaves, rows_of, seed

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def seeded(django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[People, str]]:
    """Everybody with everything, once for the file: each test's changes are undone, and these at the end."""
    store = f"file://{tmp_path_factory.mktemp('store')}"
    whole = transaction.atomic()
    # As Django's own around its tests: what must not be nested may be, in this one.
    whole._from_testcase = True  # type: ignore[attr-defined]  # private, but the only seam
    with django_db_blocker.unblock(), override_settings(STORE_URL=store), whole:
        people = seed()
        yield people, store
        transaction.set_rollback(True)


@pytest.fixture
def people(seeded: tuple[People, str], db: None, settings) -> People:
    people, settings.STORE_URL = seeded
    return people


def unzipped(data: bytes) -> dict[str, bytes]:
    with ZipFile(io.BytesIO(data)) as zipped:
        assert zipped.testzip() is None
        return {name: zipped.read(name) for name in zipped.namelist()}


def complaints(person: User, others: list[User]) -> list[str]:
    """What is wrong with the person's export; the database is asked by foreign keys and values, not by the map."""
    files = unzipped(export.archive(person))
    return missing(person, files) + strangers(person, others, files)


def missing(person: User, files: dict[str, bytes]) -> list[str]:
    """Rows that are about the person and not in the export or the other way round; fields without their value."""
    found = []
    classified = {holding.model: holding for holding in datamap.held()}
    about = {model._meta.label: rows for model, rows in rows_of(person).items()}
    assert len(about) >= 20
    for label, rows in about.items():
        holding = classified.get(label)
        given = json.loads(files.get(f"json/{label.lower()}.json", b"[]"))
        table = list(csv.DictReader(io.StringIO(files.get(f"csv/{label.lower()}.csv", b"").decode())))
        if len(table) != len(given):
            found.append(f"{label}: {len(table)} rows in CSV, {len(given)} in JSON")
        if len(given) != rows.count():
            found.append(f"{label}: {len(given)} rows given, {rows.count()} held")
            continue
        if holding is None:
            continue
        key = rows.model._meta.pk.name
        mine = set(holding.of(person).values_list("pk", flat=True))
        by_key = {str(row[key]): row for row in given} if key in holding.exported() else {}
        for row in rows:
            shown = by_key.get(str(row.pk)) if by_key else given[0]
            if shown is None:
                found.append(f"{label}: a row is missing")
                continue
            if row.pk not in mine:
                continue  # about somebody else, and names the person
            for field in rows.model._meta.concrete_fields:
                classified_as_exported = any(not i.withheld and field.name in i.fields for i in holding.items)
                if classified_as_exported != (field.name in shown):
                    found.append(f"{label}.{field.name}: exported is {classified_as_exported}, but it is otherwise")
                elif by_key and classified_as_exported:
                    value = json.loads(json.dumps(getattr(row, field.attname), default=export._plain))
                    if shown[field.name] != value:
                        found.append(f"{label}.{field.name}: {shown[field.name]!r} is not {value!r}")
    beyond = {name for name in files if name.startswith("json/")} - {f"json/{label.lower()}.json" for label in about}
    return found + [f"{name}: the database has nothing like it" for name in beyond]


def strangers(person: User, others: list[User], files: dict[str, bytes]) -> list[str]:
    """Values of rows of the others that occur anywhere in the export."""
    mine = rows_of(person)
    own = {leaf for rows in mine.values() for row in rows.values() for leaf in leaves(row)}
    theirs = set()
    for other in others:
        for model, rows in rows_of(other).items():
            # A row that is about the person and signed by another is the person's.
            unshared = rows.exclude(pk__in=mine[model].values("pk")) if model in mine else rows
            theirs |= {leaf for row in unshared.values() for leaf in leaves(row) if _long(leaf)}
    # Whoever they are is nobody's but theirs, even where a row of the person's names them.
    who = {other.email for other in others} | {str(other.pk) for other in others}
    everything = b"\n".join([*files.values(), *map(str.encode, files)]).decode()
    return sorted(f"somebody else's: {leaf}" for leaf in (theirs - own) | who if _occurs(leaf, everything))


def _long(leaf: str) -> bool:
    return len(leaf) >= 9 if leaf.isdigit() else len(leaf) >= 6


def _occurs(leaf: str, text: str) -> bool:
    spellings = [leaf]
    with suppress(ValueError):
        spellings.append(UUID(leaf).hex)
    return any(spelling in text for spelling in spellings)


def test_the_seed_fills_every_table_that_can_be_about_somebody(people: People) -> None:
    filled = {model._meta.label for model in rows_of(people.operator)}
    personal = {one.model for one in datamap.held() if one.is_table and (one.whose is not None or one.also)}
    assert filled == personal
    assert {(job.stage, job.outcome) for job in Job.objects.filter(owner=people.ada)} >= {
        *((stage, "") for stage in ("prepare", "dispatch", "watch", "collect", "inspect", "settle", "deliver")),
        *(("over", outcome) for outcome in ("done", "failed", "cancelled", "expired")),
    }


@pytest.mark.parametrize("who", ["ada", "ben", "operator"])
def test_everything_about_one_and_nothing_of_the_others(people: People, who: str) -> None:
    person = getattr(people, who)
    assert complaints(person, people.others(person)) == []


def changed(model: str, **how: Any) -> Callable[[], tuple[Holding, ...]]:
    """The map with one table classified otherwise."""
    whole = datamap.held()
    mutated = tuple(replace(one, **how) if one.model == model else one for one in whole)
    assert mutated != whole
    return lambda: mutated


def without(model: str) -> Callable[[], tuple[Holding, ...]]:
    less = tuple(one for one in datamap.held() if one.model != model)
    return lambda: less


def given_out(model: str, name: str) -> Callable[[], tuple[Holding, ...]]:
    """The map with a withheld field given out."""
    items = next(one.items for one in datamap.held() if one.model == model)
    return changed(model, items=tuple(replace(i, withheld="") if name in i.fields else i for i in items))


WRONG = [
    (without("billing.Order"), "billing.Order: 0 rows given, 5 held"),
    (without("privacy.Receipt"), "privacy.Receipt: 0 rows given, 4 held"),
    (changed("generation.Job", whose=lambda person: Q(outcome="done")), "somebody else's: "),
    (changed("billing.StripeEvent", whose=lambda person: Q()), "somebody else's: evt_ben_paid"),
    (changed("generation.Event", whose=lambda person: Q(job__owner=person, code="over")), "15 rows given, 30 held"),
    (changed("account.EmailAddress", whose=lambda person: Q(user=person, verified=True)), "1 rows given, 2 held"),
    (given_out("billing.Adjustment", "actor"), "somebody else's: 610000000"),
    (changed("billing.Customer", whose=None), "billing.Customer: 0 rows given, 1 held"),
]


def test_a_wrong_map_is_found_out(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    for mutated, found in WRONG:
        monkeypatch.setattr(datamap, "held", mutated)
        said = complaints(people.ada, people.others(people.ada))
        assert any(found in one for one in said), (found, said)


def test_an_operators_signature_leads_to_nobody(people: People) -> None:
    """Who signs gets that they signed; whom it was for, and why, is that person's."""
    files = unzipped(export.archive(people.operator))
    signed = json.loads(files["json/billing.adjustment.json"])
    assert len(signed) == 3
    strangers_rows = [row for row in signed if set(row) == {"id", "actor"}]
    assert len(strangers_rows) == 2
    assert all(row["actor"] == people.operator.pk for row in strangers_rows)
    assert Adjustment.objects.count() == 3


def test_receipts_are_as_they_were_signed(people: People) -> None:
    files = unzipped(export.archive(people.ada))
    mine = Receipt.objects.filter(group__in=Job.objects.filter(owner=people.ada))
    assert {name for name in files if name.startswith("receipts/")} == {f"receipts/{one.pk}.json" for one in mine}
    for one in mine:
        assert receipts.verify(files[f"receipts/{one.pk}.json"]).ok


def test_secrets_are_not_in_it(people: People) -> None:
    everything = b"".join(unzipped(export.archive(people.ada)).values()).decode()
    for secret in ("seed-of-ada", "confirm-ada", people.ada.password, "provider.example/ada"):
        assert secret not in everything
    for key in rows_of(people.ada)[apps.get_model("sessions.Session")].values_list("pk", flat=True):
        assert key not in everything


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\uff1d"])
def test_no_cell_begins_a_formula(owner: User, start: str) -> None:
    evil = start + 'cmd|"/c calc"!A1'
    job = make_job(owner, provider_wish=evil[:40])
    table = unzipped(export.archive(owner))["csv/generation.job.csv"].decode()
    row = next(csv.DictReader(io.StringIO(table, newline="")))
    assert row["id"] == str(job.pk)
    assert row["provider_wish"] == "'" + evil[:40]
    assert json.loads(unzipped(export.archive(owner))["json/generation.job.json"])[0]["provider_wish"] == evil[:40]


def make_job(owner: User, **fields: Any) -> Job:
    from django.utils import timezone

    now = timezone.now()
    return Job.objects.create(owner=owner, created_at=now, due_at=now, deadline_at=now, **fields)


def test_numbers_stay_numbers(owner: User) -> None:
    from billing import ledger

    ledger.grant(user=owner, credits=5, key="g", reason="gift")
    table = unzipped(export.archive(owner))["csv/billing.entry.csv"].decode()
    assert {row["amount"] for row in csv.DictReader(io.StringIO(table))} >= {"5", "-5"}


def test_the_readme_explains_every_file_and_field(people: People) -> None:
    files = unzipped(export.archive(people.ada))
    text = files["README.txt"].decode()
    for name in files:
        if name.startswith("json/"):
            assert name.removeprefix("json/").removesuffix(".json") in text
            assert all(field in text for row in json.loads(files[name])[:1] for field in row)
    assert "Not in the file: Whoever has it could sign in as you." in text
    assert "until you change or remove it, else as long as your account exists" in text
    assert people.ada.email not in text


def test_somebody_new_gets_their_account(owner: User) -> None:
    files = unzipped(export.archive(owner))
    assert json.loads(files["json/accounts.user.json"])[0]["email"] == owner.email
    assert set(files) == {"README.txt", "json/accounts.user.json", "csv/accounts.user.csv"}


def test_an_export_has_a_bound(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "LARGEST", 500)
    with pytest.raises(export.TooLarge):
        export.archive(owner)


def test_making_one_changes_nothing(people: People) -> None:
    def counts() -> dict[str, int]:
        return {m._meta.label: m._default_manager.count() for m in apps.get_models(include_auto_created=True)}

    before = counts()
    export.archive(people.ada)
    assert counts() == before
    assert Attempt.objects.exists()
    assert Transaction.objects.exists()
