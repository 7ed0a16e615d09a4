"""An erasure ends with everything gone that may go, and a certificate that says so: a durable state machine.

``request`` writes it down. Once its grace is over, ``advance`` claims it by conditional UPDATE and takes it as far as
it goes: shut the door, let each app bring things to an end (``closing``), delete rows by the data map in batches
(``removal``), send the last mail, and in one transaction remove the account and sign the certificate. What a batch
deleted is counted in the batch's own transaction, so that a process may die anywhere and the count is still right.

A failure puts it off, longer each time, and never ends it; ``sweep`` takes up whatever is due. Only the last mail may
go out twice, when a process dies between the mail server's word and ours.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from datetime import timedelta
from importlib import import_module
from typing import Any, Final
from uuid import UUID, uuid4

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from privacy import certificate, closing, erasure_mail, removal
from privacy.closing import Closed
from privacy.datamap import Holding, Person
from privacy.models import Erasure, Receipt
from privacy.retention import Words

logger = logging.getLogger(__name__)

State = Erasure.State

GRACE: Final = timedelta(days=7)
"""In which it can be undone, unless the person wants it at once."""
LEASE: Final = timedelta(minutes=3)
LONGEST_WAIT: Final = timedelta(hours=1)
HINDERED_WAIT: Final = timedelta(days=1)
WORRYING: Final = 10
"""Failures after which an operator should look."""
BUDGET_SECONDS: Final = 60.0
"""Of one task; what is left over is the next one's."""


class Refused(Exception):
    """This account cannot be erased now; the message says why, to people."""

    def __init__(self, message: Words) -> None:
        super().__init__(str(message))
        self.message = message


class LostLease(Exception):
    """It was undone, or is somebody else's by now."""


def of(person: Person) -> Erasure | None:
    """The erasure that waits for the account, or runs."""
    return Erasure.objects.filter(account=person.pk).first()


def request(person: Person, *, grace: timedelta = GRACE) -> Erasure:
    """Have an account erased after ``grace``; its ``token`` opens its page.

    Asking again returns what was asked before, brought forward if the grace is shorter now. Raises ``Refused``.
    """
    for hindrance in closing.offered("hindrance"):
        if why := hindrance(person):
            raise Refused(why)
    now, token = timezone.now(), secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            row, new = Erasure.objects.get_or_create(
                account_id=person.pk,
                defaults={
                    "token": token,
                    "token_digest": digest(token),
                    "requested_at": now,
                    "runs_at": now + grace,
                    "due_at": now + grace,
                },
            )
    except IntegrityError:  # the account went meanwhile
        raise Refused("") from None
    if not new:
        sooner = Erasure.objects.filter(pk=row.pk, state=State.WAITING, runs_at__gt=now + grace)
        sooner.update(runs_at=now + grace, due_at=now + grace)
        row.refresh_from_db()
    elif grace:
        erasure_mail.asked_for(row, person)
    if row.runs_at <= now:
        transaction.on_commit(lambda: _send(row.pk), robust=True)
    return row


def undo(person: Person) -> bool:
    """Take it back while it still waits; whether there was anything to take back."""
    return Erasure.objects.filter(account=person.pk, state=State.WAITING).delete()[0] > 0


def digest(token: str) -> str:
    """What a token is found by."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def find(token: str) -> Erasure | None:
    """The erasure that a token opens."""
    return Erasure.objects.filter(token_digest=digest(token)).first()


def receipt(row: Erasure) -> Receipt | None:
    """The certificate, once there is one."""
    return Receipt.objects.filter(group=row.pk).first() if row.state == State.DONE else None


def _due() -> QuerySet[Erasure]:
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    return Erasure.objects.exclude(state=State.DONE).filter(free, due_at__lte=timezone.now(), account__isnull=False)


def _until() -> Any:
    """By the database's clock: a machine whose own is wrong takes no erasure from another."""
    return Now() + LEASE


def sweep() -> int:
    """Send for every erasure that is due and nobody's; how many."""
    found = list(_due().order_by("due_at").values_list("pk", flat=True)[:100])
    for erasure_id in found:
        _send(erasure_id)
    return len(found)


def _send(erasure_id: UUID) -> None:
    from privacy.tasks import erase

    try:
        erase.delay(str(erasure_id))
    except Exception:  # whatever a broker raises: the sweep sends it again
        logger.warning("no broker took an erasure; the sweep will send it")


def advance(erasure_id: UUID) -> None:
    """Take an erasure as far as it goes now, if it is due and nobody else has it."""
    lease = uuid4()
    if not _due().filter(pk=erasure_id).update(lease_id=lease, lease_until=_until()):
        return
    row = Erasure.objects.get(pk=erasure_id)
    row.lease_id = lease
    try:
        wait = _go_on(row, time.monotonic() + BUDGET_SECONDS)
    except LostLease:
        logger.info("an erasure was undone, or is another worker's")
        return
    except Exception as error:
        _failed(row, error)
        return
    if row.state != State.DONE:
        _give_back(row, wait)


def _go_on(row: Erasure, until: float) -> timedelta:
    """Everything that can be done now; returns what to wait for the rest. Raises ``LostLease``."""
    person = row.account
    if person is None:
        raise LostLease
    if row.state == State.WAITING:
        if any(hindrance(person) for hindrance in closing.offered("hindrance")):
            logger.warning("an erasure waits: its account is the only one of its kind")
            return HINDERED_WAIT
        _begin(row, person)
    for holding in removal.first():
        _erase(row, holding, person, until)
    for name in settings.CLOSING:
        if name in row.closed or not hasattr(import_module(name), "close"):
            continue
        found: Closed = import_module(name).close(person)
        if found.wait:
            return timedelta(seconds=found.wait)
        _save(row, closed=[*row.closed, name], elsewhere=[*row.elsewhere, *found.elsewhere], tries=0)
    for holding in removal.tables():
        if not _erase(row, holding, person, until):
            return timedelta(0)
    if row.mailed_at is None and erasure_mail.done(row, person, last_try=row.tries >= WORRYING):
        _save(row, mailed_at=timezone.now())
    _finish(row, person)
    return timedelta(0)


def _begin(row: Erasure, person: Person) -> None:
    """Shut the door; from here on nothing takes it back."""
    with transaction.atomic():
        _save(row, state=State.RUNNING, tries=0)
        for shut in closing.offered("shut"):
            shut(person)


def _erase(row: Erasure, holding: Holding, person: Person, until: float) -> bool:
    """Delete the rows of a table that go, in batches; whether all of them are gone by now."""
    while time.monotonic() < until:
        with transaction.atomic():
            _hold(row)
            gone = removal.erase_some(holding, person)
            if gone:
                count = row.erased.get(holding.model, 0) + gone
                _save(row, erased={**row.erased, holding.model: count}, tries=0)
        if gone < removal.BATCH:
            return True
    return False


def _finish(row: Erasure, person: Person) -> None:
    """The end, which happens whole or not at all: late rows, the certificate, the account."""
    with transaction.atomic():
        _hold(row)
        # What a request wrote that was under way when the door was shut.
        for holding in removal.tables():
            while gone := removal.erase_some(holding, person):
                row.erased[holding.model] = row.erased.get(holding.model, 0) + gone
        certificate.issue(row, person)
        removal.cut_loose(person)
        for remove in closing.offered("remove"):
            remove(person)
        _save(row, state=State.DONE, account=None, token="", error="", done_at=timezone.now(), erased=row.erased)
    logger.info("an account was erased", extra={"count": sum(row.erased.values())})


def _mine(row: Erasure) -> QuerySet[Erasure]:
    return Erasure.objects.filter(pk=row.pk, lease_id=row.lease_id)


def _hold(row: Erasure) -> None:
    """Lock the row until the transaction ends, if it is still ours. Raises ``LostLease``."""
    if not _mine(row).select_for_update().exists():
        raise LostLease


def _save(row: Erasure, **changes: Any) -> None:
    """Write what was learned, and keep the lease. Raises ``LostLease``."""
    if not _mine(row).update(**changes, lease_until=_until()):
        raise LostLease
    for name, value in changes.items():
        setattr(row, name, value)


def _give_back(row: Erasure, wait: timedelta) -> None:
    _mine(row).update(lease_id=None, lease_until=None, due_at=timezone.now() + wait)


def _failed(row: Erasure, error: Exception) -> None:
    """Note what went wrong, by name alone, and when to try again."""
    row.refresh_from_db(fields=["tries"])
    tries = row.tries + 1
    wait = min(LONGEST_WAIT, timedelta(seconds=5 * 2 ** min(tries, 12)))
    _mine(row).update(tries=tries, error=type(error).__name__[:80])
    _give_back(row, wait)
    say = logger.error if tries >= WORRYING else logger.warning
    say("an erasure could not go on", extra={"attempt": tries}, exc_info=error)
