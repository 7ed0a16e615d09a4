"""Rows of accounts, and of what accounts leave behind, whose time began before a moment.

The sweep (``accounts/tasks.py``) deletes those whose time is up; the audit asks that none be left. How long a time is
stands in ``privacy/retention.py``.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import router
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.deletion import Collector, ProtectedError, RestrictedError

from accounts.models import User
from privacy.retention import longest

NOTED = timedelta(minutes=5)
"""A session's note may be written this much before the session itself is."""

AT_ONCE = 5000
"""Sessions that are opened in one round; the next one takes the others."""


def sessions(before: datetime) -> QuerySet[Session]:
    """Sessions that were last changed before: their end is counted from then."""
    return Session.objects.filter(expire_date__lt=before + longest("session"))


def notes_of_ended_sessions(now: datetime) -> QuerySet[UserSession]:
    """Addresses and browsers noted beside sessions that are gone."""
    alive = Session.objects.filter(session_key=OuterRef("session_key"))
    found: QuerySet[UserSession] = UserSession.objects.filter(~Exists(alive), created_at__lt=now - NOTED)
    return found


def begun_sign_ins(before: datetime) -> QuerySet[Session]:
    """Sessions in which nobody is signed in, last changed before: they hold an address and a code that was mailed."""
    noted = UserSession.objects.filter(session_key=OuterRef("session_key"))
    nobodys = Session.objects.filter(~Exists(noted), expire_date__lt=before + longest("session")).order_by(
        "expire_date"
    )
    # The note is made after the session is, so a session's own word counts.
    return Session.objects.filter(
        session_key__in=[one.session_key for one in nobodys[:AT_ONCE] if SESSION_KEY not in one.get_decoded()]
    )


def unconfirmed(before: datetime) -> QuerySet[User]:
    """Accounts that signed up before and whose address nobody ever confirmed.

    One that an operator made and that has credits or jobs already is not among them: it is not ours to remove.
    """
    confirmed = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
    found = User.objects.filter(
        ~Exists(confirmed), last_login=None, is_staff=False, is_active=True, date_joined__lt=before
    )
    return User.objects.filter(pk__in=[one.pk for one in found if removable(one)])


def removable(user: User) -> bool:
    """Whether no row of another app must go on pointing at the account."""
    try:
        Collector(using=router.db_for_write(User)).collect([user])
    except (ProtectedError, RestrictedError):
        return False
    return True


def confirmations(before: datetime) -> QuerySet[EmailConfirmation]:
    """Links that were made before."""
    found: QuerySet[EmailConfirmation] = EmailConfirmation.objects.filter(Q(created__lt=before))
    return found


def operator_log(before: datetime) -> QuerySet[LogEntry]:
    """What operators did before."""
    return LogEntry.objects.filter(action_time__lt=before)
