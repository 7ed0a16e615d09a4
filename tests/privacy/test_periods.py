"""One table of periods; each is enforced by something that is there, and the audit finds whatever is older."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.core.internal.ratelimit import parse_rates
from django.conf import settings as configured
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts import tasks as accounts_tasks
from accounts.models import ApiCall, SecurityEvent, User
from billing import tasks as billing_tasks
from billing.models import ClosedBooks, Order, StripeEvent
from generation import tasks as generation_tasks
from generation.models import Attempt, Job, Notification
from generation.notifications import outbox, subscribing
from privacy import datamap, keystore, vault
from privacy import tasks as privacy_tasks
from privacy.audit import Difference, audit, too_old
from privacy.models import Blob, Erasure, Receipt
from privacy.requests.models import RequestStep, SubjectRequest
from privacy.retention import PERIODS, RETENTION, length, years

pytestmark = pytest.mark.django_db

BY_THEMSELVES = {"key", "rate_limit", "repeat"}
BY_THE_VAULT = {"interrupted"}


def test_each_enforced_period_can_be_audited() -> None:
    enforced = {name for name, period in PERIODS.items() if period.by}
    assert set(datamap.older()) == enforced - BY_THEMSELVES - BY_THE_VAULT
    assert all(period.longest for period in PERIODS.values() if period.by)
    assert all(period.by for period in PERIODS.values() if period.longest)


def test_what_enforces_a_period_is_there() -> None:
    for period in PERIODS.values():
        assert not period.by or callable(import_string(period.by)), period.name


def test_what_enforces_a_period_runs() -> None:
    """Each task by the clock, often enough for the grace that its period gives."""
    runs = {entry["task"]: entry["schedule"] for entry in configured.CELERY_BEAT_SCHEDULE.values()}
    indirectly = {
        "billing.webhooks.forget": "billing.tasks.reconcile",
        "billing.forgetting.forget": "billing.tasks.reconcile",
    }
    for name in datamap.older():
        period = PERIODS[name]
        every = runs[indirectly.get(period.by, period.by)]
        seconds = every if isinstance(every, float) else timedelta(days=1).total_seconds()
        assert timedelta(seconds=seconds) < period.grace, name


def test_every_period_is_used_and_every_kind_of_blob_has_one() -> None:
    used = {line.period.name for holding in datamap.held() for line in holding.lines()}
    assert set(PERIODS) - used == {"interrupted", "stray"}  # parts of the bytes' own
    assert set(RETENTION) == {"upload", "source", "raw_mesh", "asset"}


def test_counters_of_tries_end_in_time() -> None:
    from allauth.account import app_settings

    longest = max(rate.duration for rates in app_settings.RATE_LIMITS.values() for rate in parse_rates(rates))
    assert timedelta(seconds=longest) <= PERIODS["rate_limit"].longest  # type: ignore[operator]  # has a length
    assert app_settings.EMAIL_VERIFICATION_BY_CODE_TIMEOUT <= 3600  # a session with a code is forgotten after an hour
    assert configured.ACCOUNT_LOGIN_BY_CODE_TIMEOUT <= 3600


def test_the_guide_lists_every_period() -> None:
    guide = (configured.BASE_DIR / "docs" / "privacy.md").read_text()
    rows = [
        line.split("|")[1]
        for line in guide.partition("## Periods")[2].partition("\n## ")[0].splitlines()
        if line.startswith("| `")
    ]
    assert {name.strip(" `") for row in rows for name in row.split(",")} == set(PERIODS)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=10), "10 minutes"),
        (timedelta(minutes=60), "1 hour"),
        (timedelta(hours=26), "26 hours"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=90), "90 days"),
        (timedelta(days=365), "1 year"),
        (years(1), "1 year"),
        (years(10), "10 years"),
        (timedelta(days=3651), "3651 days"),
    ],
)
def test_lengths_in_words(span: timedelta, words: str) -> None:
    assert length(span) == words


def a_begun_sign_in(owner: User) -> Any:
    store = SessionStore()
    store["account_login_code"] = {"email": "somebody@example.org"}
    store.create()
    return Session.objects.filter(pk=store.session_key)


def a_session(owner: User) -> Any:
    store = SessionStore()
    store["_auth_user_id"] = str(owner.pk)
    store.create()
    return Session.objects.filter(pk=store.session_key)


def old_blob(kind: str) -> Callable[[User], Any]:
    def make(owner: User) -> Any:
        blob = vault.seal([b"x"], kind=kind, group=uuid4(), limit=10)
        return Blob.objects.filter(pk=blob.pk)

    return make


def stray(owner: User) -> Any:
    blob = vault.destroy(vault.seal([b"x"], kind="upload", group=uuid4(), limit=10).pk)
    return Blob.objects.filter(pk=blob.pk)


def attempt(owner: User) -> Any:
    now = timezone.now()
    job = Job.objects.create(owner=owner, stage=Job.Stage.OVER, created_at=now, due_at=now, deadline_at=now)
    made = Attempt.objects.create(job=job, number=1, provider="x", remote_id="r", remote={"url": "u"}, started_at=now)
    return Attempt.objects.filter(pk=made.pk)


def confirmation(owner: User) -> Any:
    address = EmailAddress.objects.create(user=owner, email=owner.email, verified=True)
    made = EmailConfirmation.objects.create(email_address=address, key="k")
    return EmailConfirmation.objects.filter(pk=made.pk)


def order(state: str) -> Callable[[User], Any]:
    def make(owner: User) -> Any:
        made = Order.objects.create(user=owner, item="pack-20", credits=20, amount=500, currency="eur", state=state)
        return Order.objects.filter(pk=made.pk)

    return make


def event(owner: User) -> Any:
    return StripeEvent.objects.filter(pk=StripeEvent.objects.create(id="evt_1", type="t", kind="k", object_id="o").pk)


def closed_books(owner: User) -> Any:
    User.objects.filter(pk=owner.pk).update(is_active=False)
    made = ClosedBooks.objects.create(user=owner, closed_at=timezone.now())
    return ClosedBooks.objects.filter(pk=made.pk)


def certificate(owner: User) -> Any:
    now = timezone.now()
    made = Erasure.objects.create(
        state="done", token_digest="d", requested_at=now, runs_at=now, due_at=now, done_at=now
    )
    Receipt.objects.create(group=made.pk, issued_at=now, key_id="k", document={})
    return Erasure.objects.filter(pk=made.pk)


def log_entry(owner: User) -> Any:
    made = LogEntry.objects.create(user=owner, action_flag=1, object_repr="x")
    return LogEntry.objects.filter(pk=made.pk)


def request(state: str, *, worded: bool) -> Callable[[User], Any]:
    def make(owner: User) -> Any:
        made = SubjectRequest.objects.create(
            address="a@example.org" if worded else "", text="mine" if worded else "", by_mail=True, state=state
        )
        RequestStep.objects.create(request=made, what="answered", by="operator", words="yours" if worded else "")
        return SubjectRequest.objects.filter(pk=made.pk)

    return make


def security_event(owner: User) -> Any:
    made = SecurityEvent.objects.create(owner=owner, code="key_made", subject="x", access_key=uuid4())
    return SecurityEvent.objects.filter(pk=made.pk)


def api_call(owner: User) -> Any:
    made = ApiCall.objects.create(
        owner=owner, access_key=uuid4(), at=timezone.now(), endpoint="GET /jobs", status=200, ms=1, bytes_in=0,
        bytes_out=0,
    )  # fmt: skip
    return ApiCall.objects.filter(pk=made.pk)


def notification(owner: User) -> Any:
    webhook, _secret = subscribing.make(owner=owner, url="https://shop.example/", description="", kinds=["job.done"])
    return Notification.objects.filter(pk=outbox.test(webhook).notification_id)


CASES: dict[str, tuple[Callable[[User], Any], str, Callable[[], object]]] = {
    **{kind: (old_blob(kind), "created_at", privacy_tasks.sweep) for kind in RETENTION},
    "stray": (stray, "destroyed_at", privacy_tasks.forget),
    "session": (a_session, "expire_date", accounts_tasks.forget),
    "sign_in": (a_begun_sign_in, "expire_date", accounts_tasks.forget),
    "unconfirmed": (lambda owner: User.objects.filter(pk=owner.pk), "date_joined", accounts_tasks.forget),
    "confirmation": (confirmation, "created", accounts_tasks.forget),
    "operator_log": (log_entry, "action_time", accounts_tasks.forget),
    "unconfirmed_request": (request("unconfirmed", worded=True), "received_at", privacy_tasks.forget),
    "request_text": (request("answered", worded=True), "closed_at", privacy_tasks.forget),
    "request": (request("refused", worded=False), "closed_at", privacy_tasks.forget),
    "security_log": (security_event, "at", accounts_tasks.forget),
    "request_log": (api_call, "at", accounts_tasks.forget),
    "remote_call": (attempt, "ended_at", generation_tasks.forget),
    "webhook_log": (notification, "at", generation_tasks.forget),
    "stripe_event": (event, "applied_at", billing_tasks.reconcile),
    "unpaid_order": (order("expired"), "created_at", billing_tasks.reconcile),
    "books": (closed_books, "closed_at", billing_tasks.reconcile),
    "certificate": (certificate, "done_at", privacy_tasks.forget),
}


def test_there_is_a_case_for_each_period() -> None:
    assert set(CASES) == set(datamap.older())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", CASES)
def test_what_is_older_is_named_and_goes(name: str, owner: User, directory: object) -> None:
    """Young enough: neither named nor gone. Older: named; after its sweep gone, and the audit is content."""
    make, counted, sweep = CASES[name]
    period = PERIODS[name]
    rows, now = make(owner), timezone.now()
    span = period.longest or timedelta(0)
    ahead = PERIODS["session"].longest if name in {"session", "sign_in"} else timedelta(0)
    assert ahead is not None

    young = {counted: now - span + timedelta(minutes=1) + ahead}
    rows.update(**young)
    assert too_old() == []
    sweep()
    assert rows.exists()

    year = timedelta(days=366) if name == "books" else timedelta(0)  # its period is counted from the year's end
    rows.update(**{counted: now - span - year - period.grace - timedelta(minutes=1) + ahead})
    if name in RETENTION:
        rows.update(expires_at=now - timedelta(minutes=5))
    found = [one for one in too_old() if one.subject.startswith(f"{name}: ")]
    assert len(found) == 1
    secret = name in {"session", "sign_in"}
    assert (str(rows.get().pk) in found[0].subject) is not secret
    with pytest.raises(CommandError):
        call_command("audit_retention", stdout=StringIO())

    sweep()
    assert too_old() == []
    if name == "remote_call":
        assert (rows.get().remote_id, rows.get().remote) == ("", None)  # the history of the job stays
    elif name == "request_text":
        assert (rows.get().text, rows.get().address) == ("", "")
        assert [step.words for step in rows.get().steps.all()] == [""]  # that it was answered, and when, stays
    elif name in RETENTION:
        assert rows.get().state == Blob.State.DESTROYED
    else:
        assert not rows.exists()
    assert not Receipt.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_must_stay_stays(owner: User, directory: object) -> None:
    """However old: orders that may be paid, events not acted on, jobs, blobs on a receipt, requests still open."""
    long_ago = timezone.now() - timedelta(days=4000)
    request("open", worded=True)(owner).update(received_at=long_ago, confirmed_at=long_ago)
    for state in ("open", "pending", "paid"):
        order(state)(owner).update(created_at=long_ago)
    event(owner).update(received_at=long_ago)
    attempt(owner).update(started_at=long_ago)  # not ended
    Job.objects.update(created_at=long_ago)
    noted = stray(owner).get()
    Blob.objects.update(destroyed_at=long_ago)
    Receipt.objects.create(group=noted.group, issued_at=long_ago, key_id="k", document={})
    for _, _, sweep in CASES.values():
        sweep()
    assert (Order.objects.count(), StripeEvent.objects.count(), Job.objects.count()) == (3, 1, 1)
    assert Blob.objects.count() == 1
    assert Attempt.objects.get().remote_id == "r"
    assert SubjectRequest.objects.get().text == "mine"
    assert too_old() == []


def test_many_are_counted_not_listed(owner: User) -> None:
    for number in range(103):
        StripeEvent.objects.create(id=f"evt_{number:03}", type="t", kind="k", object_id="o")
    StripeEvent.objects.update(applied_at=timezone.now() - timedelta(days=100))
    found = too_old()
    assert len(found) == 101
    assert found[-1] == Difference("too_old", "stripe_event: billing.StripeEvent, 3 more")


def test_a_session_of_somebody_who_is_signed_in_stays(client, owner: User) -> None:
    client.force_login(owner)
    Session.objects.update(expire_date=timezone.now() + timedelta(days=7))
    accounts_tasks.forget()
    assert Session.objects.count() == 1
    from allauth.usersessions.models import UserSession

    UserSession.objects.all().delete()  # the note beside it is missing; its own word counts
    accounts_tasks.forget()
    assert Session.objects.count() == 1
    assert too_old() == []


@pytest.mark.django_db(transaction=True)
def test_a_key_that_would_outlive_its_bytes(directory: object) -> None:
    blob = vault.seal([b"x"], kind="source", group=uuid4(), limit=10)
    assert audit() == []
    wrapped = keystore.get(blob.pk)
    keystore.put(blob.pk, wrapped, timedelta(hours=2))
    assert audit() == [Difference("key_outlives", str(blob.pk))]
    keystore._client(configured.KEYSTORE_URL).persist("blob-key:" + blob.pk.hex)
    assert audit() == [Difference("key_outlives", str(blob.pk))]


@pytest.mark.django_db(transaction=True)
def test_the_command_says_what_it_asked(directory: object) -> None:
    out = StringIO()
    call_command("audit_retention", stdout=out)
    said = out.getvalue()
    assert "stripe_event: nothing is older than 90 days" in said
    assert (
        "account: until you change or remove it, else as long as your account exists; nothing runs by the clock" in said
    )
    assert all(f"\n{name}: " in said for name in PERIODS)
