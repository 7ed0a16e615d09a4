"""Two who do the same to a request at one moment: one does it, on either database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connections
from django.utils import timezone

from accounts.models import User
from privacy.requests import handling, mailing
from privacy.requests.errors import NotOpen
from privacy.requests.models import RequestStep, SubjectRequest

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 4


def at_once(*doing: Callable[[], Any]) -> list[Any]:
    """All of them in threads that start together; what each returned or raised."""
    start, results = threading.Barrier(len(doing)), []

    def run(one: Callable[[], Any]) -> None:
        start.wait()
        try:
            results.append(one())
        except Exception as error:
            results.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[one]) for one in doing]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_it_is_closed_once(owner: User) -> None:
    boss = User.objects.create_superuser("boss@example.com")
    found = handling.ask(person=owner, right="access", law="gdpr", text="", form_key=uuid4())
    results = at_once(
        lambda: handling.answer(found, words="Here it is.", by=boss),
        lambda: handling.refuse(found, reason="duty", words="We may not.", by=boss),
        lambda: handling.withdraw(found),
    )
    assert sum(isinstance(one, NotOpen) for one in results) == 2
    assert results.count(None) == 1
    assert found.steps.filter(what__in=["answered", "refused", "withdrawn"]).count() == 1


def test_its_time_is_extended_once(owner: User) -> None:
    boss = User.objects.create_superuser("boss@example.com")
    found = handling.ask(person=owner, right="access", law="gdpr", text="", form_key=uuid4())
    results = at_once(*[lambda: handling.extend(found, words="It takes longer.", by=boss) for _ in range(MANY)])
    assert results.count(None) == 1
    assert all(isinstance(one, NotOpen) for one in results if one is not None)
    assert found.steps.filter(what="extended").count() == 1


def test_an_address_is_confirmed_once() -> None:
    handling.leave(address="a@example.org", right="access", law="gdpr", text="", form_key=uuid4())
    found = SubjectRequest.objects.get()
    copies = [SubjectRequest.objects.get() for _ in range(MANY)]
    assert at_once(*[lambda one=one: handling.confirm(one) for one in copies]) == [None] * MANY
    assert list(found.steps.values_list("what", flat=True)) == ["received", "confirmed", "acknowledged", "answered"]


def test_a_form_counts_once(owner: User) -> None:
    key = uuid4()
    asked = at_once(
        *[lambda: handling.ask(person=owner, right="access", law="gdpr", text="", form_key=key) for _ in range(MANY)]
    )
    assert {one.pk for one in asked} == {SubjectRequest.objects.get().pk}
    assert RequestStep.objects.count() == 2


def test_a_letter_is_sent_by_one_of_several_workers(owner: User) -> None:
    handling.ask(person=owner, right="access", law="gdpr", text="", form_key=uuid4())
    step = RequestStep.objects.get(what="acknowledged")
    assert sorted(at_once(*[lambda: mailing.send(step.pk) for _ in range(MANY)])) == [False, False, False, True]
    assert len(mail.outbox) == 1
    step.refresh_from_db()
    assert step.mailed_at is not None
    assert step.mailed_at <= timezone.now()
