"""Three people of whom everything is held that can be; and what of the database is about each, asked without the map.

Numbers of rows lie in a range of each person's own, and every word that a person could have written holds their name:
so one person's data can be told from another's in any bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.db.models import AutoField, ForeignKey, Model, Q, QuerySet
from django.utils import timezone

from accounts import keys
from accounts.models import AccessKey, ApiCall, ApiCallSum, MailChoice, User
from billing import adjustments, forward, ledger, proof
from billing.models import BroughtForward, ClosedBooks, Customer, Order, Payment, Preferences, StripeEvent, Subscription
from generation import sums
from generation.models import Attempt, Event, Job, ProcessingLimits, Webhook
from generation.notifications import outbox, subscribing
from privacy import receipts, vault
from privacy.models import Erasure
from privacy.requests.models import RequestStep, SubjectRequest
from trust.models import Shown, Version

STATES = [
    *((stage, "") for stage in Job.Stage if stage not in {Job.Stage.PURGE, Job.Stage.OVER}),
    *((stage, outcome) for stage in (Job.Stage.PURGE, Job.Stage.OVER) for outcome in Job.Outcome if outcome),
]


@dataclass(frozen=True)
class People:
    """Two customers, and an operator who is a customer too."""

    ada: User
    ben: User
    operator: User

    def others(self, person: User) -> list[User]:
        """The two who are not the person."""
        return [one for one in (self.ada, self.ben, self.operator) if one != person]


def seed() -> People:
    """All three, with everything. Needs a store."""
    Group.objects.get_or_create(name="helpers")
    operator = _person(610_000_000, "operator", "203.0.113.7", is_staff=True)
    colleague = User.objects.create_user("colleague@example.org", is_staff=True)
    ada = _person(710_000_000, "ada", "198.51.100.17")
    ben = _person(810_000_000, "ben", "2001:db8:51:7::99")
    for number, person in ((720_000_000, ada), (820_000_000, ben), (620_000_000, operator)):
        number_from(number)
        name = person.email.partition("@")[0]
        signer = operator if person != operator else colleague  # nobody signs for their own account
        made = adjustments.adjust(
            user=person, credits=7, reason=f"=sorry for {name}", actor=signer, key=f"by-hand-{name}"
        )
        kind = ContentType.objects.get_for_model(made)
        LogEntry.objects.create(
            user=signer, content_type=kind, object_id=str(made.pk), object_repr=f"adjustment for {name}",
            action_flag=1, change_message=f"[{{\"added\": \"{name}\"}}]",
        )  # fmt: skip
    return People(ada, ben, operator)


def number_from(number: int) -> None:
    """Let the numbers of all tables' next rows begin there."""
    for model in apps.get_models(include_auto_created=True):
        key = model._meta.pk
        if not isinstance(key, AutoField) and "AutoField" not in type(key).__name__:
            continue
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(
                    "SELECT setval(pg_get_serial_sequence(%s, %s), %s)", [model._meta.db_table, key.column, number]
                )
            else:
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [model._meta.db_table])
                cursor.execute(
                    "INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [model._meta.db_table, number]
                )


def _person(number: int, name: str, address: str, **how: Any) -> User:
    now = timezone.now()
    user = User.objects.create_user(f"{name}@{name}.example", f"the-phrase-of-{name}", id=number, last_login=now, **how)
    number_from(number)
    mail = EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    EmailAddress.objects.create(user=user, email=f"new-{user.email}")
    EmailConfirmation.objects.create(email_address=mail, key=f"confirm-{name}", sent=now)
    _signed_in(user, name, address)
    for kind in Authenticator.Type:
        Authenticator.objects.create(user=user, type=kind, data={"secret": f"seed-of-{name}-{kind}"})
    user.groups.add(Group.objects.get(name="helpers"))
    user.user_permissions.add(Permission.objects.order_by("pk")[0])
    key, _secret = keys.make(
        owner=user, name=f"key of {name}", description=f"for {name}", scopes=["read"], networks=["192.0.2.0/24"],
        monthly_limit=100, expires_at=now + timedelta(days=1),
    )  # fmt: skip
    keys.rotate(key, overlap=timedelta(hours=1))
    _bought(user, name, now)
    ledger.grant(user=user, credits=500, key=f"gift:{name}", reason="signup")
    for stage, outcome in STATES:
        _job(user, name, stage, outcome, now)
    _added_up(user)
    _called(user, key, now)
    _notified(user, name, now)
    ProcessingLimits.objects.create(owner=user, restrictions={"never": [f"never-{name}"]})
    _told(user, now)
    Preferences.objects.create(user=user, monthly_limit=10_000, notice_below=5, noticed_at=now)
    MailChoice.objects.create(user=user, only_necessary=True)
    for state in SubjectRequest.State:
        if state != SubjectRequest.State.UNCONFIRMED:
            _asked(user, name, state, now)
    ClosedBooks.objects.create(user=user, closed_at=now)
    Erasure.objects.create(
        account=user, token=f"erasure-of-{name}", token_digest=f"digest-for-{name}", requested_at=now,
        runs_at=now + timedelta(days=7), due_at=now + timedelta(days=7),
    )  # fmt: skip
    return user


def _told(user: User, now: datetime) -> None:
    version, _ = Version.objects.get_or_create(
        document="terms", number=1, defaults={"text": "# Terms\n", "mark": {}, "substance": True, "summary": "s",
        "published_at": now, "effective_at": now},
    )  # fmt: skip
    for how in Shown.How:
        Shown.objects.create(account=user, version=version, how=how, at=now, claimed_at=now, dismissed_at=now)


def _asked(user: User, name: str, state: str, now: datetime) -> None:
    by_mail = state == SubjectRequest.State.OPEN
    made = SubjectRequest.objects.create(
        person=user, by_mail=by_mail, address=user.email if by_mail else "", right="correction", law="gdpr",
        text=f"{name} is spelt with two letters", state=state, confirmed_at=now, due_on=now.date(),
    )  # fmt: skip
    RequestStep.objects.create(request=made, what="received", by="person")
    RequestStep.objects.create(request=made, what="answered", by="operator", words=f"Now {name} is right.")


def _called(user: User, key: AccessKey, now: datetime) -> None:
    for job in (None, Job.objects.filter(owner=user).values_list("pk", flat=True)[0]):
        ApiCall.objects.create(
            owner=user, access_key=key.pk, at=now, endpoint="GET /jobs", status=200, ms=7, bytes_in=0, bytes_out=900,
            job=job,
        )  # fmt: skip
    ApiCallSum.objects.create(
        owner=user, access_key=key.pk, day=now.date(), endpoint="GET /jobs", status_class=2, within_ms=10, calls=2,
        bytes_in=0, bytes_out=1800,
    )  # fmt: skip


def _signed_in(user: User, name: str, address: str) -> None:
    for device in ("phone", "laptop"):
        store = SessionStore()
        store["_auth_user_id"] = str(user.pk)
        store["account_authentication_methods"] = [{"method": "code", "email": user.email}]
        store.create()
        UserSession.objects.create(
            user=user, ip=address, session_key=store.session_key, user_agent=f"{device} of {name}"
        )


def _bought(user: User, name: str, now: datetime) -> None:
    Customer.objects.create(user=user, stripe_id=f"cus_{name}")
    for state in Order.State:
        session = None if state == Order.State.FAILED else f"cs_{name}_{state}"
        Order.objects.create(
            user=user, item="pack-20", credits=20, amount=500, currency="eur", state=state, session_id=session
        )
        if session:
            StripeEvent.objects.create(
                id=f"evt_{name}_{state}", type="checkout.session.completed", kind="session", object_id=session
            )
    granted = ledger.grant(user=user, credits=100, key=f"cs_{name}_paid", reason="purchase")
    ledger.reverse(key=f"back:{name}", original=granted.key, credits=40, reason="refund")
    ledger.restore(key=f"again:{name}", original=granted.key, credits=10, reason="dispute")
    Payment.objects.create(
        user=user, stripe_id=f"cs_{name}_paid", payment_intent=f"pi_{name}_paid", credits=20, amount=500,
        currency="eur", refunded=100, reversed=4, grant=granted, paid_at=now,
    )  # fmt: skip
    Subscription.objects.create(
        user=user, stripe_id=f"sub_{name}", plan="plan-200", credits=200, amount=3200, currency="eur", status="active",
        period_ends_at=now,
    )  # fmt: skip
    for kind, object_id in (("payment", f"pi_{name}_paid"), ("subscription", f"sub_{name}")):
        StripeEvent.objects.create(id=f"evt_{name}_{kind}", type=kind, kind=kind, object_id=object_id, applied_at=now)


def _added_up(user: User) -> None:
    last = user.transactions.order_by("-pk")[0]
    before = forward.upto(user, [last.pk - 1])[last.pk - 1]
    BroughtForward.objects.get_or_create(
        line=last, defaults={"user": user, "at": last.created_at, "credits": before.credits, "spent": before.spent}
    )
    assert not proof.prove([user.pk])


def _notified(user: User, name: str, now: datetime) -> None:
    webhook, _secret = subscribing.make(
        owner=user, url=f"https://{name}.example/hooks", description=f"shop of {name}", kinds=["job.destroyed"]
    )
    subscribing.rotate(webhook, overlap=timedelta(hours=1))
    Webhook.objects.filter(pk=webhook.pk).update(lease_id=uuid4(), lease_until=now, nudged_at=now, failing_since=now)
    for job in Job.objects.filter(owner=user, stage=Job.Stage.OVER):
        outbox.record(job, job.stage)
    outbox.test(webhook)


def _job(user: User, name: str, stage: str, outcome: str, now: datetime) -> None:
    job = Job.objects.create(
        owner=user, stage=stage, outcome=outcome, provider="scripted", credits=2, created_at=now, due_at=now,
        deadline_at=now + timedelta(minutes=20), options={"mirror": True}, restrictions={"never": [f"not-{name}"]},
        lease_id=uuid4(), size_x=0.25, access_key=AccessKey.objects.get(owner=user),
    )  # fmt: skip
    ledger.hold(user=user, credits=2, job=job.pk)
    if outcome == Job.Outcome.DONE:
        ledger.capture(job=job.pk)
    elif outcome:
        ledger.release(job=job.pk)
    blob = vault.seal([name.encode()], kind="source", group=job.pk, limit=100)
    job.sources = {"front": str(blob.pk)}
    Attempt.objects.create(
        job=job, number=1, provider="scripted", state="finished", remote_id=f"call-of-{name}-{job.pk}",
        remote={"url": f"https://provider.example/{name}/{job.pk}"}, started_at=now,
    )  # fmt: skip
    Event.objects.create(job=job, at=now, code="received")
    Event.objects.create(job=job, at=now, code="over", attempt=1, provider="scripted")
    if stage == Job.Stage.OVER:
        vault.destroy(blob.pk)
        job.receipt_id = receipts.issue(group=job.pk, elsewhere=[{"provider": f"for {name}"}], outcome=outcome).pk
        job.finished_at = now
        sums.count(job)
    job.save()


# What is about whom, by foreign keys and by values alone


def paths(model: type[Model], depth: int = 4) -> Iterator[str]:
    """Every lookup from a row to the account that it is about."""
    if model is User:
        yield "pk"
    for one in model._meta.concrete_fields if depth else ():
        if isinstance(one, ForeignKey):
            to = one.remote_field.model
            if to is User:
                yield one.name
            elif to is not model:
                yield from (f"{one.name}__{further}" for further in paths(to, depth - 1))


def rows_of(person: User) -> dict[type[Model], QuerySet[Any]]:
    """All rows with a way of foreign keys to the person, and rows of other tables that hold one of their values."""
    found: dict[type[Model], QuerySet[Any]] = {}
    unlinked = []
    for model in apps.get_models(include_auto_created=True):
        ways = list(paths(model))
        condition = Q()
        for way in ways:
            condition |= Q(**{way: person.pk})
        if ways:
            found[model] = model._default_manager.filter(condition).distinct()
        else:
            unlinked.append(model)
    telling = {leaf for rows in found.values() for row in rows.values() for leaf in leaves(row) if is_telling(leaf)}
    for model in unlinked:
        keys = [row["pk"] for row in _with_keys(model) if telling & set(leaves(row))]
        if keys:
            found[model] = model._default_manager.filter(pk__in=keys)
    return {model: rows for model, rows in found.items() if rows.exists()}


def _with_keys(model: type[Model]) -> Iterator[dict[str, Any]]:
    for row in model._default_manager.values():
        yield {**row, "pk": row[model._meta.pk.attname]}


def leaves(value: Any) -> Iterator[str]:
    """Every value in a row, down into JSON, as text."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member)
            if not str(name).isidentifier():
                yield str(name)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from leaves(member)
    elif isinstance(value, int | str | UUID) and not isinstance(value, bool):
        yield str(value)


def is_telling(leaf: str) -> bool:
    """Whether a value is of one person's alone: a random number, or a word that somebody or Stripe made up."""
    try:
        UUID(leaf)
    except ValueError:
        return len(leaf) >= 32 or "ada" in leaf or "ben" in leaf or "operator" in leaf
    return True
