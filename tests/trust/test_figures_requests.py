"""The public figures say how soon requests about data were answered, and colour what is overdue."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from privacy.requests import answers, handling
from privacy.requests.models import SubjectRequest
from privacy.requests.rights import Right
from trust import figures

pytestmark = pytest.mark.django_db


def by_meaning(word: str) -> figures.Figure:
    return next(figure for figure in figures.count().figures if word in figure.meaning)


def test_response_times(owner: User) -> None:
    now = timezone.now()
    assert by_meaning("about data: none waited for a person").empty
    assert (by_meaning("about data overdue").value, by_meaning("about data overdue").bad) == ("0", False)
    handling.fulfilled_at_once(owner, Right.ACCESS, answers.COPY_SAVED)
    boss = User.objects.create_superuser("boss@example.com")
    for days, ago in ((2, 1), (5, 1), (20, 91)):  # the last one was answered too long ago to count
        made = handling.ask(person=owner, right="access", law="gdpr", text="", form_key=uuid4())
        handling.answer(made, words="Here it is.", by=boss)
        closed_at = now - timedelta(days=ago)
        SubjectRequest.objects.filter(pk=made.pk).update(
            closed_at=closed_at, received_at=closed_at - timedelta(days=days)
        )
    late = handling.ask(person=owner, right="access", law="gdpr", text="", form_key=uuid4())
    SubjectRequest.objects.filter(pk=late.pk).update(due_on=timezone.localdate() - timedelta(days=1))

    times = by_meaning("about data: median")
    assert (times.value, times.unit) == ("3.5", "d")
    assert "the longest 5.0 d; 1 was answered at once" in times.meaning
    assert (by_meaning("about data overdue").value, by_meaning("about data overdue").bad) == ("1", True)


def test_each_has_a_query_and_names_nobody(owner: User) -> None:
    handling.ask(person=owner, right="access", law="gdpr", text="what I wrote", form_key=uuid4())
    for word in ("about data: none", "about data overdue"):
        query = by_meaning(word).query
        assert query.startswith("SELECT ")
        assert "privacy_subjectrequest" in query
        assert owner.email not in query
