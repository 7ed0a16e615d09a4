"""Sessions end before their time: one person's, or everybody's. Whoever had one signs in anew."""

from __future__ import annotations

import logging

from allauth.usersessions.models import UserSession
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction

from accounts.models import User

logger = logging.getLogger(__name__)


def end(person: User | None, *, by: User | None) -> int:
    """End this person's sessions, or everybody's if it is nobody; how many. The operator who did it is written down."""
    notes = UserSession.objects.all() if person is None else UserSession.objects.filter(user=person)
    with transaction.atomic():
        found = Session.objects.all()
        if person is not None:
            found = found.filter(session_key__in=notes.values("session_key"))
        count = found.delete()[0]
        notes.delete()
        if by is not None:
            LogEntry.objects.create(
                user=by,
                content_type=ContentType.objects.get_for_model(User) if person else None,
                object_id=str(person.pk) if person else None,
                object_repr=str(person) if person else "every account",
                action_flag=CHANGE,
                change_message="Sessions ended.",
            )
    logger.warning("sessions ended early", extra={"count": count, "outcome": "everybody" if person is None else "one"})
    return count
