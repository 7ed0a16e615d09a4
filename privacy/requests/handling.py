"""The life of a request: asked, confirmed, extended, and closed by an answer, a refusal or its withdrawal.

Each change is one conditional UPDATE in the transaction that writes its step; so of two who do the same, one does it.
The letter that goes with a step is written down with it (``mailing``), so none is lost, and no page waits for mail.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from privacy import datamap
from privacy.datamap import Person
from privacy.mail import reader_language
from privacy.requests import answers, clock, mailing
from privacy.requests.errors import LinkOver, NoMoreTime, NotOpen, OwnRequest, TooMany
from privacy.requests.forgetting import whose
from privacy.requests.models import RequestStep, SubjectRequest
from privacy.requests.rights import NEEDS_NOBODY, Law
from privacy.retention import Words, longest

State, What, By = SubjectRequest.State, RequestStep.What, RequestStep.By

MOST_OPEN: Final = 10
"""Of an account or an address, at a time."""
MOST_LINKS: Final = 3
"""Links to one address that nobody has used yet: nobody's mailbox can be filled by asking in their name."""


def ask(*, person: Person, right: str, law: str, text: str, form_key: UUID) -> SubjectRequest:
    """What somebody asks who is signed in. Sending the same form again gives the first request. Raises ``TooMany``."""
    now = timezone.now()
    with transaction.atomic():
        if SubjectRequest.objects.open().filter(person_id=person.pk).exclude(form_key=form_key).count() >= MOST_OPEN:
            raise TooMany
        found, new = SubjectRequest.objects.get_or_create(
            form_key=form_key,
            defaults={
                "person_id": person.pk, "right": right, "law": law, "text": text, "received_at": now,
                "confirmed_at": now, "due_on": clock.due(law, timezone.localdate(now)), "language": reader_language(),
            },
        )  # fmt: skip
        if found.person_id != person.pk:
            return ask(person=person, right=right, law=law, text=text, form_key=uuid4())
        if new:
            _step(found, What.RECEIVED, By.PERSON)
            _take_up(found, nothing_held=False)
    found.refresh_from_db()
    return found


def leave(*, address: str, right: str, law: str, text: str, form_key: UUID) -> None:
    """What somebody asks who is not signed in: it waits for the link that goes to the address.

    Whoever is known here, the same is done. Where too many are waiting already, nothing is.
    """
    with transaction.atomic():
        waiting = SubjectRequest.objects.filter(address=address, closed_at=None).exclude(form_key=form_key)
        states = list(waiting.values_list("state", flat=True)[: MOST_OPEN + MOST_LINKS])
        if len(states) >= MOST_OPEN or states.count(State.UNCONFIRMED) >= MOST_LINKS:
            return
        found, new = SubjectRequest.objects.get_or_create(
            form_key=form_key,
            defaults={
                "address": address, "right": right, "law": law, "text": text, "by_mail": True,
                "state": State.UNCONFIRMED, "language": reader_language(),
            },
        )  # fmt: skip
        if new:
            _step(found, What.RECEIVED, By.PERSON, mail=True)


def confirm(found: SubjectRequest) -> None:
    """The address is theirs who asked. Once; later calls change nothing. Raises ``LinkOver``."""
    now = timezone.now()
    fresh = SubjectRequest.objects.unconfirmed().filter(
        pk=found.pk, received_at__gte=now - longest("unconfirmed_request")
    )
    with transaction.atomic():
        due_on = clock.due(found.law, found.received_on)
        if fresh.update(state=State.OPEN, confirmed_at=now, due_on=due_on):
            found.refresh_from_db()
            _step(found, What.CONFIRMED, By.PERSON)
            known = datamap.known_under(found.address)
            mine = (one.pk for one in known if one.get_username().lower() == found.address)
            found.person_id = next(mine, None)
            found.save(update_fields=["person"])
            _take_up(found, nothing_held=not known)
    found.refresh_from_db()
    if found.state == State.UNCONFIRMED:
        raise LinkOver


def _take_up(found: SubjectRequest, *, nothing_held: bool) -> None:
    """Acknowledge it at once, or answer it at once where that needs nobody."""
    words: Words = ""
    if found.right in NEEDS_NOBODY:
        words = answers.NOTHING_SOLD
    elif nothing_held:
        words = answers.NOTHING_HELD
    _step(found, What.ACKNOWLEDGED, By.SITE, mail=not words)
    if words:
        _close(found, State.ANSWERED, at_once=True)
        _step(found, What.ANSWERED, By.SITE, words=str(words), mail=True)


def fulfilled_at_once(person: Person, right: str, words: Words) -> SubjectRequest:
    """Note that a person just did on a page what they have a right to; ``words`` say what."""
    now = timezone.now()
    with transaction.atomic():
        made = SubjectRequest.objects.create(
            person_id=person.pk, right=right, law=Law.OTHER, state=State.ANSWERED, at_once=True, received_at=now,
            confirmed_at=now, closed_at=now, due_on=clock.due(Law.OTHER, timezone.localdate(now)),
            language=reader_language(),
        )  # fmt: skip
        _step(made, What.RECEIVED, By.PERSON)
        _step(made, What.ANSWERED, By.SITE, words=str(words))
    return made


def withdraw(found: SubjectRequest) -> None:
    """Who asked no longer wants it. Raises ``NotOpen``."""
    with transaction.atomic():
        _close(found, State.WITHDRAWN)
        _step(found, What.WITHDRAWN, By.PERSON)


def extend(found: SubjectRequest, *, words: str, by: Person) -> None:
    """Take the further time that the law gives, and tell why. Raises ``NotOpen``, ``NoMoreTime``, ``OwnRequest``."""
    _not_own(found, by)
    today = timezone.localdate()
    if found.due_on is None or not clock.may_be_extended(
        found.due_on, already=found.extended_at is not None, today=today
    ):
        raise NoMoreTime
    later = clock.extended(found.law, found.received_on)
    with transaction.atomic():
        _change(_open(found).filter(extended_at=None, due_on__gte=today), due_on=later, extended_at=timezone.now())
        _step(found, What.EXTENDED, By.OPERATOR, words=words, mail=True)


def answer(found: SubjectRequest, *, words: str, by: Person) -> None:
    """Close it with an answer. Raises ``NotOpen``, ``OwnRequest``."""
    _not_own(found, by)
    with transaction.atomic():
        _close(found, State.ANSWERED)
        _step(found, What.ANSWERED, By.OPERATOR, words=words, mail=True)


def erase(found: SubjectRequest, *, by: Person) -> None:
    """Have the account of whoever asks erased, after the grace in which they can undo it.

    They get a letter of the erasure's own, and what they asked is answered when it begins. Raises ``NotOpen``,
    ``OwnRequest``, ``erasure.Refused``.
    """
    from privacy import erasure  # it ends requests itself

    _not_own(found, by)
    if found.person is None or not _open(found).exists():
        raise NotOpen
    erasure.request(found.person)


def refuse(found: SubjectRequest, *, reason: str, words: str, by: Person) -> None:
    """Close it without doing it, for a reason that the law knows. Raises ``NotOpen``, ``OwnRequest``."""
    _not_own(found, by)
    said = f"{answers.Reason(reason).label}\n\n{words}"
    with transaction.atomic():
        _close(found, State.REFUSED, reason=reason)
        _step(found, What.REFUSED, By.OPERATOR, words=said, mail=True)


def of(person: Person) -> QuerySet[SubjectRequest]:
    """A person's requests, newest first: asked while signed in, or confirmed from their address."""
    return SubjectRequest.objects.filter(whose(person)).order_by("-received_at", "-pk")


def _open(found: SubjectRequest) -> QuerySet[SubjectRequest]:
    return SubjectRequest.objects.open().filter(pk=found.pk)


def _close(found: SubjectRequest, state: str, **more: Any) -> None:
    _change(_open(found), state=state, closed_at=timezone.now(), **more)


def _change(rows: QuerySet[SubjectRequest], **values: Any) -> None:
    if not rows.update(**values):
        raise NotOpen


def _not_own(found: SubjectRequest, operator: Person) -> None:
    if found.person_id == operator.pk:
        raise OwnRequest


def _step(found: SubjectRequest, what: str, by: str, *, words: str = "", mail: bool = False) -> None:
    now = timezone.now()
    made = RequestStep.objects.create(
        request=found, at=now, what=what, by=by, words=words, mail_due_at=now if mail else None
    )
    if mail:
        transaction.on_commit(lambda: mailing.hand_over(made.pk))
