"""How requests end: rows whose time began before a moment, forgetting them, and closing those of an account that ends.

A request that is over loses first what was written and to whom; the bare facts stay as long as the law wants to see
how requests were dealt with. How long a time is stands in ``privacy/retention.py``.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from privacy.datamap import Person
from privacy.requests.models import RequestStep, SubjectRequest
from privacy.requests.rights import Right
from privacy.retention import longest


def whose(person: Person) -> Q:
    """The condition that a request is the person's: an unconfirmed one may have been sent by anybody."""
    return Q(person=person.pk) | Q(address=person.get_username().lower(), confirmed_at__isnull=False)


def whose_steps(person: Person) -> Q:
    """The same for the steps of requests."""
    return Q(request__in=SubjectRequest.objects.filter(whose(person)).values("pk"))


def unconfirmed(before: datetime) -> QuerySet[SubjectRequest]:
    """Those sent before whose address nobody confirmed."""
    return SubjectRequest.objects.unconfirmed().filter(received_at__lt=before)


def worded(before: datetime) -> QuerySet[SubjectRequest]:
    """Those closed before that still hold words or an address."""
    return SubjectRequest.objects.closed().worded().filter(closed_at__lt=before)


def closed(before: datetime) -> QuerySet[SubjectRequest]:
    """Those closed before."""
    return SubjectRequest.objects.filter(closed_at__lt=before)


def forget() -> None:
    """One round; repeating it is harmless."""
    now = timezone.now()
    unconfirmed(now - longest("unconfirmed_request")).delete()
    closed(now - longest("request")).delete()
    _bare(worded(now - longest("request_text")))


def end_all(person: Person) -> None:
    """Close what is open of somebody whose account is being erased; their names and words go with its rows.

    A deletion has been fulfilled by it, and of the others nothing is left to act upon. What waits for a confirmation
    from the same address goes, and so do letters that have not gone out: the erasure has letters of its own.
    """
    with transaction.atomic():
        SubjectRequest.objects.unconfirmed().filter(address=person.get_username().lower()).delete()
        for found in SubjectRequest.objects.open().filter(whose(person)):
            fulfilled = found.right == Right.DELETION
            found.state = SubjectRequest.State.ANSWERED if fulfilled else SubjectRequest.State.WITHDRAWN
            found.closed_at = timezone.now()
            found.save(update_fields=["state", "closed_at"])
            what = RequestStep.What.ANSWERED if fulfilled else RequestStep.What.WITHDRAWN
            RequestStep.objects.create(request=found, what=what, by=RequestStep.By.SITE)
        RequestStep.objects.filter(whose_steps(person)).update(mail_due_at=None)


def _bare(rows: QuerySet[SubjectRequest]) -> None:
    """Take words and addresses away, and letters that could no longer be sent."""
    keys = list(rows.values_list("pk", flat=True))
    with transaction.atomic():
        RequestStep.objects.filter(request__in=keys).update(words="", mail_due_at=None)
        SubjectRequest.objects.filter(pk__in=keys).update(text="", address="")
