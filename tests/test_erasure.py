"""After an erasure nothing leads to the person but what the certificate lists, and nobody else has lost anything.

Every column of every table is searched as text, every database of every Redis, and the store; the map is not asked.
What rests on the database's own ways runs on SQLite, too (``test_on_sqlite.py``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import redis
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.conf import settings as configured
from django.core import mail
from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.urls import reverse
from django.utils import timezone

import accounts.closing
import billing.closing
import generation.closing
from accounts.models import User
from billing import ledger
from billing.models import Adjustment, Customer, Payment
from generation import pipeline
from generation.models import Job
from privacy import certificate, closing, erasure, erasure_mail, receipts, removal, vault
from privacy.audit import audit, too_old
from privacy.log_audit import audit as audit_log
from privacy.models import Blob, Erasure, Receipt
from privacy.tasks import tend_log
from tests.billing.bank import Bank, open_bank
from tests.billing.test_stripe_crashes import killed
from tests.people import People, is_telling, leaves, rows_of, seed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_counters() -> Any:
    cache.clear()
    for url in servers():
        redis.Redis.from_url(url).flushall()
    yield
    cache.clear()


@pytest.fixture
def store(settings, tmp_path) -> Path:
    settings.STORE_URL = f"file://{tmp_path}/blobs"
    return Path(tmp_path) / "blobs"


@pytest.fixture
def people(db: None, store: Path) -> People:
    return seed()


def servers() -> list[str]:
    """Every Redis of the run."""
    broker = configured.CELERY_BROKER_URL.replace("redis+socket://", "unix://")
    return [broker, configured.KEYSTORE_URL]


def erase(person: User, *, most: int = 300) -> Erasure:
    """Let the workers run until it is done: erasure and jobs, without their waits."""
    row = erasure.request(person, grace=timedelta(0))
    for _ in range(most):
        long_ago = timezone.now() - timedelta(minutes=1)
        Erasure.objects.filter(pk=row.pk).update(due_at=long_ago)
        erasure.advance(row.pk)
        row.refresh_from_db()
        if row.state == Erasure.State.DONE:
            return row
        for job in Job.objects.filter(owner=person.pk).exclude(stage=Job.Stage.OVER):
            Job.objects.filter(pk=job.pk).update(due_at=long_ago)
            pipeline.advance(job.pk)
    raise AssertionError(f"{row} is not done: {row.error} {row.closed}")


def body(row: Erasure) -> dict[str, Any]:
    """What the certificate says."""
    return dict(Receipt.objects.get(group=row.pk).document["receipt"])


def texts() -> dict[tuple[str, str], list[str]]:
    """Every value of every table as text, by table and column."""
    found: dict[tuple[str, str], list[str]] = {}
    for model in apps.get_models(include_auto_created=True):
        names = [one.attname for one in model._meta.concrete_fields]
        for values in model._default_manager.values_list(*names):
            for field, value in zip(model._meta.concrete_fields, values, strict=True):
                text = bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)
                found.setdefault((model._meta.label, field.name), []).append(text)
    return found


def where(value: str) -> set[tuple[str, str]]:
    """The columns in which a value occurs anywhere."""
    return occurrences(texts(), value)


def occurrences(everything: dict[tuple[str, str], list[str]], value: str) -> set[tuple[str, str]]:
    spellings = [value]
    with suppress(ValueError):
        spellings.append(UUID(value).hex)
    return {place for place, found in everything.items() if any(one in text for text in found for one in spellings)}


def in_memory() -> str:
    """Everything that the Redis servers hold, in all their databases, but messages that no worker here takes."""
    found = []
    for url in servers():
        for number in range(16):
            client: Any = redis.Redis.from_url(url, db=number)
            queues = [
                name for name in client.keys("*") if name.split(b"\x06")[0] in (b"default", b"engine", b"privacy")
            ]
            client.delete(*queues, "-")
            for key in client.keys("*"):
                found.append(repr(key) + repr(client.dump(key)))
    return "\n".join(found)


def identity(person: User) -> list[str]:
    """What is the person's alone and no law wants."""
    name = person.email.partition("@")[0]
    sessions = UserSession.objects.filter(user=person)
    keys = [one.session_key for one in sessions]
    return [
        person.email, f"phone of {name}", f"confirm-{name}", f"seed-of-{name}", f"cus_{name}", f"never-{name}",
        f"=sorry for {name}", f"adjustment for {name}", f"call-of-{name}", f"erasure-of-{name}", f"not-{name}",
        str(sessions[0].ip), person.password, *keys,
    ]  # fmt: skip


def allowed(row: Erasure) -> set[tuple[str, str]]:
    """The columns that the certificate lists as kept."""
    return {(line["table"], name) for line in body(row)["kept"] for name in line["fields"]}


def values_of(rows: Iterable[Any]) -> list[dict[str, Any]]:
    return sorted((dict(row) for row in rows), key=repr)


def told_of(person: User) -> set[str]:
    """Every value in a row that is about a person, or names them."""
    return {leaf for rows in rows_of(person).values() for row in rows.values() for leaf in leaves(row)}


def snapshot(person: User, *, but: set[tuple[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Every row that is about a person, as it stands."""
    return {
        model._meta.label: values_of(
            row for row in rows.values() if (model._meta.label, row[model._meta.pk.attname]) not in but
        )
        for model, rows in rows_of(person).items()
    }


@pytest.mark.parametrize("who", ["ada", "operator"])
def test_nothing_leads_to_the_person_and_nobody_else_loses_anything(people: People, store: Path, who: str) -> None:
    person: User = getattr(people, who)
    ledger.balance(person)
    tend_log()
    mine = identity(person)
    theirs = {leaf for other in people.others(person) for leaf in told_of(other)}
    theirs.add(str(Erasure.objects.get(account=person).pk))  # the number of the certificate itself
    telling = {leaf for leaf in told_of(person) - theirs if is_telling(leaf)} | {str(person.pk)}
    assert len(telling) > 150
    before = texts()
    for value in mine:
        assert occurrences(before, value), f"{value} is not looked for where it is"
    # Others sign for the person, and the person for others: those rows are of two.
    shared = {("billing.Adjustment", one.pk) for one in Adjustment.objects.filter(transaction__user=person)}
    shared |= {("billing.Adjustment", one.pk) for one in Adjustment.objects.filter(actor=person)}
    shared |= {
        ("admin.LogEntry", pk)
        for (pk,) in apps.get_model("admin.LogEntry").objects.filter(
            object_id__in=[str(pk) for label, pk in shared if label == "billing.Adjustment"]
        ).values_list("pk")
    }  # fmt: skip
    others = {other.pk: snapshot(other, but=shared) for other in people.others(person)}
    bytes_of_others = {
        blob.pk: (store / blob.object_name).read_bytes()
        for blob in Blob.objects.open().exclude(group__in=Job.objects.filter(owner=person).values("pk"))
    }
    assert len(bytes_of_others) == 2 * 11

    with open_bank():  # Stripe never heard of these people
        row = erase(person)

    after = texts()
    for value in mine:
        assert occurrences(after, value) == set(), value
    listed = allowed(row)
    for value in telling:
        assert occurrences(after, value) <= listed, value
    assert ("billing.Payment", "stripe_id") in occurrences(after, f"pi_{who}_paid") | occurrences(
        after, f"cs_{who}_paid"
    )
    memory = in_memory()
    assert [value for value in [*mine, *telling] if value in memory] == []
    left = [path for path in store.rglob("*") if path.is_file()]
    assert {path: path.read_bytes() for path in left} == {
        store / Blob.objects.get(pk=pk).object_name: data for pk, data in bytes_of_others.items()
    }
    for other in people.others(person):
        assert snapshot(other, but=shared) == others[other.pk]

    # The payments that were seeded are not in proportion; whatever else could be wrong is not.
    assert [line for line in ledger.verify() if not line.startswith("payment ")] == []
    assert audit() == []
    assert too_old() == []
    tend_log()
    assert audit_log().differences == []
    issued = Receipt.objects.get(group=row.pk)
    assert receipts.verify(issued.document).ok
    assert (row.account_id, row.token, row.done_at is not None) == (None, "", True)
    shell = User.objects.get(pk=person.pk)
    assert (shell.is_active, shell.is_staff, shell.has_usable_password(), shell.last_login) == (
        False,
        False,
        False,
        None,
    )
    assert shell.email.endswith("@invalid")
    assert not shell.groups.exists()


def test_the_plan_is_what_happens_and_what_happens_is_certified(people: People) -> None:
    """Counted from three sides: the map before, foreign keys and values before and after, the certificate."""
    person = people.ada
    for job in Job.objects.filter(owner=person).exclude(stage=Job.Stage.OVER):
        Job.objects.filter(pk=job.pk).update(cancel_requested_at=timezone.now())
        for _ in range(20):
            Job.objects.filter(pk=job.pk).update(due_at=job.created_at)
            pipeline.advance(job.pk)
    plan = removal.plan(person)
    goes = {fate.holding.model: fate.rows for fate in plan if fate.erasure.name == "ERASED"}
    stays = {fate.holding.model: fate.rows for fate in plan if fate.erasure.name != "ERASED"}
    assert len(goes) >= 17
    assert set(goes) & set(stays) == {"billing.Order"}
    held = {model._meta.label: set(rows.values_list("pk", flat=True)) for model, rows in rows_of(person).items()}
    assert {label: len(keys) for label, keys in held.items()} == dict(Counter(goes) + Counter(stays))

    with open_bank():
        row = erase(person)
    said = body(row)
    assert {line["table"]: line["rows"] for line in said["destroyed"]} == goes
    # That the account was erased is noted as a request, and the one that was open is closed.
    noted = {"privacy.SubjectRequest": 1, "privacy.RequestStep": 2 + 1}
    assert {line["table"]: line["rows"] for line in said["kept"]} == dict(Counter(stays) + Counter(noted))
    assert all(line["duty"] or line["table"] == "privacy.Erasure" for line in said["kept"])
    for label, keys in held.items():
        still = apps.get_model(label)._default_manager.filter(pk__in=keys).count()
        assert still == stays.get(label, 0), label
    assert {line["provider"] for line in said["elsewhere"]} >= {"scripted", "Stripe"}
    text = str(said)
    assert not any(word in text for word in ("ada", str(person.pk), *map(str, held["generation.Job"])))


@pytest.mark.parametrize("wrong", ["account.EmailAddress"])
def test_a_search_that_is_broken_on_purpose_fails(
    people: People, store: Path, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left standing is found: the search is no ornament."""
    mine = identity(people.ada)
    right = removal.tables

    def without() -> list[Any]:
        return [one for one in right() if one.model != wrong]

    monkeypatch.setattr(removal, "tables", without)
    monkeypatch.setattr(accounts.closing, "close", lambda person: closing.Closed())
    monkeypatch.setattr(accounts.closing, "remove", lambda person: None)
    with open_bank():
        erase(people.ada)
    after = texts()
    assert any(occurrences(after, value) for value in mine)


def test_who_never_moved_a_credit_leaves_no_row(owner: User, stranger: User, settings) -> None:
    settings.GRANT_CREDITS = 0
    ledger.balance(owner)
    row = erase(owner)
    assert list(User.objects.all()) == [stranger]
    noted = {"privacy.SubjectRequest", "privacy.RequestStep"}
    assert {line["table"] for line in body(row)["kept"]} == {"privacy.Erasure"} | noted
    assert {line["table"]: line["rows"] for line in body(row)["destroyed"]} == {
        "accounts.User": 1, "billing.LedgerAccount": 2, "billing.ClosedBooks": 1,
    }  # fmt: skip
    assert User.objects.create_user(owner.email).pk != owner.pk


def test_in_two_batches(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "BATCH", 2)
    for number in range(5):
        UserSession.objects.create(user=owner, ip="198.51.100.1", session_key=f"key-{number}", user_agent="x")
    row = erase(owner)
    assert {line["table"]: line["rows"] for line in body(row)["destroyed"]}["usersessions.UserSession"] == 5


def test_counters_of_tries_by_account_and_address_are_dropped(client, owner: User, settings) -> None:
    settings.SITE_URL = "http://testserver"
    owner.set_password("the-phrase-of-owner")
    owner.save()
    client.post(reverse("account_login"), {"login": owner.email, "password": "wrong"})
    client.post(reverse("account_request_login_code"), {"email": owner.email})
    client.force_login(owner)
    client.post(reverse("privacy:copy"))
    client.post(reverse("account_reauthenticate"), {"password": "wrong"})

    def counters() -> list[str]:
        client: Any = redis.Redis.from_url(configured.CACHES["default"]["LOCATION"])
        names = [key.decode() for key in client.keys("*")]
        return [name for name in names if ":rl:" in name and ":ip:" not in name and "lock" not in name]

    assert len(counters()) >= 3
    erase(owner)
    assert counters() == []


# Grace, undoing, hindrances


def test_grace_and_undo(owner: User) -> None:
    row = erasure.request(owner)
    assert len(mail.outbox) == 1
    assert row.token in mail.outbox[0].body
    assert erasure.request(owner).pk == row.pk
    assert len(mail.outbox) == 1
    assert timedelta(days=6) < row.runs_at - timezone.now() <= timedelta(days=7)
    erasure.advance(row.pk)
    assert erasure.sweep() == 0
    assert User.objects.get(pk=owner.pk).is_active
    assert erasure.undo(owner)
    assert not erasure.undo(owner)
    assert not Erasure.objects.exists()
    erasure.advance(row.pk)  # a message that was still under way
    assert User.objects.get(pk=owner.pk).email == owner.email


def test_grace_that_is_over(owner: User) -> None:
    row = erasure.request(owner)
    Erasure.objects.update(runs_at=timezone.now(), due_at=timezone.now())
    assert erasure.sweep() == 1
    assert erase(owner).pk == row.pk
    assert [message.subject.partition(" on ")[0] for message in mail.outbox] == [
        "Your account will be erased", "Your account is erased",
    ]  # fmt: skip
    assert not erasure.undo(owner)
    assert row.token in mail.outbox[1].body
    assert erasure.find(row.token) == row


def test_what_has_begun_cannot_be_undone(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation.closing, "close", lambda person: closing.Closed(wait=60))
    row = erasure.request(owner, grace=timedelta(0))
    erasure.advance(row.pk)
    assert not erasure.undo(owner)
    assert not User.objects.get(pk=owner.pk).is_active
    row.refresh_from_db()
    assert (row.state, row.lease_until) == ("running", None)
    assert row.due_at > timezone.now() + timedelta(seconds=50)


def test_undone_under_the_workers_hands(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between a worker's claim and its first change: then nothing happens at all."""
    row = erasure.request(owner, grace=timedelta(0))
    begin = erasure._begin

    def undone(row: Erasure, person: Any) -> None:
        assert erasure.undo(person)
        begin(row, person)

    monkeypatch.setattr(erasure, "_begin", undone)
    erasure.advance(row.pk)
    assert User.objects.get(pk=owner.pk).is_active
    assert not Erasure.objects.exists()


def test_the_only_one_who_may_do_everything_stays(owner: User, stranger: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
    with pytest.raises(erasure.Refused, match="only account"):
        erasure.request(owner)
    User.objects.filter(pk=stranger.pk).update(is_staff=True, is_superuser=True)
    row = erasure.request(owner, grace=timedelta(0))
    User.objects.filter(pk=stranger.pk).update(is_active=False)
    erasure.advance(row.pk)  # meanwhile it is the only one
    assert User.objects.get(pk=owner.pk).is_active
    row.refresh_from_db()
    assert row.due_at > timezone.now() + timedelta(hours=23)
    User.objects.filter(pk=stranger.pk).update(is_active=True)
    erase(owner)


# What goes wrong


def test_a_mail_server_that_is_away_is_not_waited_for_for_ever(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any, **options: Any) -> int:
        raise ConnectionRefusedError

    monkeypatch.setattr(EmailMultiAlternatives, "send", away)
    row = erasure.request(owner, grace=timedelta(0))
    erasure.advance(row.pk)
    row.refresh_from_db()
    assert (row.state, row.error, row.tries) == ("running", "ConnectionRefusedError", 1)
    assert User.objects.get(pk=owner.pk).email == owner.email
    erase(owner, most=erasure.WORRYING + 2)
    assert mail.outbox == []


def test_a_store_that_is_away(owner: User, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of bytes that may still be there are the only way to them, and stay."""
    now = timezone.now()
    job = Job.objects.create(owner=owner, stage=Job.Stage.OVER, created_at=now, due_at=now, deadline_at=now)
    vault.seal([b"late"], kind="source", group=job.pk, limit=100)  # by a worker that had lost the job
    real = vault.destroy
    monkeypatch.setattr(vault, "destroy", lambda blob_id: None)
    row = erasure.request(owner, grace=timedelta(0))
    erasure.advance(row.pk)
    assert Blob.objects.open().count() == 1
    assert Job.objects.exists()
    monkeypatch.setattr(vault, "destroy", real)
    assert erase(owner).pk == row.pk
    assert not Blob.objects.exists()
    assert not list(store.rglob("*.*"))


def test_a_failure_puts_it_off_longer_each_time(owner: User, monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    def broken(person: Any) -> None:
        raise RuntimeError(owner.email)

    monkeypatch.setattr(billing.closing, "close", broken)
    row = erasure.request(owner, grace=timedelta(0))
    waits = []
    for _ in range(12):
        Erasure.objects.update(due_at=timezone.now())
        erasure.advance(row.pk)
        row.refresh_from_db()
        waits.append(round((row.due_at - timezone.now()).total_seconds()))
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (10, 3600)
    assert (row.tries, row.error) == (12, "RuntimeError")
    assert [record.levelname for record in caplog.records if record.name == "privacy.erasure"][-1] == "ERROR"


PLACES: dict[str, tuple[Any, str, str]] = {
    "begun": (erasure, "_begin", "after"),
    "first rows": (removal, "erase_some", "after"),
    "sessions ended": (billing.closing, "_end_sessions", "after"),
    "all closed": (closing, "close", "after"),
    "mailed": (erasure_mail, "done", "after"),
    "ending": (erasure, "_finish", "before"),
    "certified": (certificate, "issue", "after"),
    "account gone": (accounts.closing, "remove", "after"),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("place", PLACES)
def test_killed_it_finishes_later_once(owner: User, stranger: User, place: str) -> None:
    with open_bank() as bank:
        _customer(bank, owner)
        expected = Counter({fate.holding.model: fate.rows for fate in removal.plan(owner) if not fate.fields})
        row = erasure.request(owner, grace=timedelta(0))
        killed(lambda: erasure.advance(row.pk), PLACES[place])
        connection.close()
        Erasure.objects.filter(state="running").update(lease_until=timezone.now() - timedelta(seconds=1))
        Erasure.objects.filter(state="waiting").update(lease_until=None)
        row.refresh_from_db()
        if row.state != "done":
            erase(owner)
        row.refresh_from_db()
        assert bank.get("customer", bank.all("customer")[0]["id"])["deleted"]
        assert [one["status"] for one in bank.all("subscription")] == ["canceled"]
        assert {one["status"] for one in bank.all("checkout.session")} == {"complete", "expired"}
    assert Receipt.objects.filter(document__receipt__format=receipts.ERASURE).count() == 1
    certified = {line["table"]: line["rows"] for line in body(row)["destroyed"]}
    assert {table: certified[table] for table in expected} == dict(expected)
    assert ledger.verify() == []
    assert where(owner.email) == set()
    assert not Customer.objects.exists()
    assert Payment.objects.filter(user=owner).count() == 2
    assert User.objects.get(pk=stranger.pk).email == stranger.email
    assert len(mail.outbox) == (0 if place in ("ending", "certified", "account gone") else 1)


def _customer(bank: Bank, owner: User) -> None:
    """Somebody with a pack, a plan, and an order that is still open at Stripe; signed in."""
    bank.bought(owner)
    bank.bought(owner, "plan-200")
    bank.order(owner)
    UserSession.objects.create(user=owner, ip="198.51.100.1", session_key="key", user_agent="x")


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_do_it_once(owner: User) -> None:
    from concurrent.futures import ThreadPoolExecutor

    for number in range(20):
        UserSession.objects.create(user=owner, ip="198.51.100.1", session_key=f"key-{number}", user_agent="x")
    row = erasure.request(owner, grace=timedelta(0))

    def work(_: int) -> None:
        try:
            erasure.advance(row.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    row.refresh_from_db()
    assert row.state == "done"
    assert Receipt.objects.filter(group=row.pk).count() == 1
    assert len(mail.outbox) == 1
