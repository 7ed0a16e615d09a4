"""Requests of somebody whose account is erased stay as bare facts; and what is asked by address is in one's copy."""

from __future__ import annotations

import io
import json
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from privacy import closing, export, removal
from privacy.requests import handling, mailing
from privacy.requests.models import RequestStep, SubjectRequest

pytestmark = pytest.mark.django_db

WORDS = "what I wrote about myself"


def by_address(address: str, **more: Any) -> SubjectRequest:
    """Asked and confirmed by mail."""
    found = SubjectRequest.objects.create(
        address=address, by_mail=True, right="access", law="gdpr", text=WORDS, confirmed_at=timezone.now(),
        due_on=timezone.localdate(), **more,
    )  # fmt: skip
    RequestStep.objects.create(request=found, what="received", by="person", words=WORDS)
    return found


def test_cutting_loose(client: Client, owner: User, stranger: User) -> None:
    open_deletion = handling.ask(person=owner, right="deletion", law="gdpr", text=WORDS, form_key=uuid4())
    open_access = handling.ask(person=owner, right="access", law="ccpa", text=WORDS, form_key=uuid4())
    before_the_account = by_address(owner.email)
    handling.leave(address=owner.email, right="access", law="gdpr", text=WORDS, form_key=uuid4())
    others = [by_address(stranger.email, person=stranger)]
    others.append(handling.ask(person=stranger, right="access", law="gdpr", text=WORDS, form_key=uuid4()))
    shown = [open_deletion.url, before_the_account.url]

    closing.shut(owner)
    removal.cut_loose(owner)
    left = SubjectRequest.objects.exclude(pk__in=[one.pk for one in others])
    assert {(one.person, one.address, one.text) for one in left} == {(None, "", "")}
    assert {one.pk: one.state for one in left} == {
        open_deletion.pk: "answered", open_access.pk: "withdrawn", before_the_account.pk: "withdrawn"
    }  # fmt: skip
    assert all(one.closed_at and one.due_on for one in left)
    steps = RequestStep.objects.filter(request__in=left)
    assert not steps.exclude(words="").exists()
    assert not steps.filter(mail_due_at__isnull=False).exists()
    assert SubjectRequest.objects.filter(text=WORDS).count() == 2
    owner.delete()
    assert client.get(shown[0], follow=True).redirect_chain  # nobody can sign in as them any more
    page = client.get(shown[1]).content.decode()
    assert "It ended with the account." in page
    assert WORDS not in page
    assert handling.of(stranger).count() == 2


def test_an_account_that_goes_otherwise_leaves_no_name(owner: User) -> None:
    found = handling.ask(person=owner, right="access", law="gdpr", text="", form_key=uuid4())
    owner.delete()
    found.refresh_from_db()
    assert (found.person, found.address) == (None, "")
    step = RequestStep.objects.get(what="acknowledged")
    assert not mailing.send(step.pk)
    step.refresh_from_db()
    assert step.mail_due_at is None


def test_a_copy_has_what_was_asked_from_the_address_before_there_was_an_account(owner: User, stranger: User) -> None:
    mine, theirs = by_address(owner.email), by_address(stranger.email)
    handling.leave(address=owner.email, right="deletion", law="gdpr", text="by anybody", form_key=uuid4())
    with ZipFile(io.BytesIO(export.archive(owner))) as zipped:
        rows = json.loads(zipped.read("json/privacy.subjectrequest.json"))
        steps = json.loads(zipped.read("json/privacy.requeststep.json"))
        everything = b"".join(zipped.read(name) for name in zipped.namelist())
    assert [row["id"] for row in rows] == [str(mine.pk)]
    assert [step["words"] for step in steps] == [WORDS]
    assert str(theirs.pk).encode() not in everything
    assert b"by anybody" not in everything
