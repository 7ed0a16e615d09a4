"""Operators answer requests: those who may, with what the person reads, and a log that says nothing about content."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from io import StringIO
from smtplib import SMTPServerDisconnected
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from modelmyimage.operators import site
from privacy import erasure
from privacy.requests import answers, checks, clock, handling, mailing, reminding
from privacy.requests.models import SubjectRequest
from privacy.requests.rights import Right
from tests.accounts.test_account_pages import INLINE

pytestmark = pytest.mark.django_db

QUEUE = "/operators/privacy/subjectrequest/"
WORDS = "We have put it right in both places."


def browser_of(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def operator(*may: str) -> User:
    """An operator with these permissions."""
    user = User.objects.create_user(f"operator-{uuid4().hex[:8]}@example.com", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=[f"{one}_subjectrequest" for one in may]))
    return user


@pytest.fixture
def desk() -> Client:
    """The browser of an operator who may answer."""
    return browser_of(operator("view", "change"))


@pytest.fixture
def asked(owner: User) -> SubjectRequest:
    return handling.ask(person=owner, right="correction", law="gdpr", text="<b>My name</b> is wrong.", form_key=uuid4())


def page_of(found: SubjectRequest) -> str:
    return reverse("admin:privacy_subjectrequest_change", args=[found.pk])


def test_for_operators_with_the_permission_alone(client: Client, owner: User, asked: SubjectRequest) -> None:
    addresses = [QUEUE, page_of(asked), reverse("admin:privacy_request_numbers")]
    said = {"do": "answer", "answer-words": WORDS}
    none, reader, writer = browser_of(operator()), browser_of(operator("view")), browser_of(operator("view", "change"))
    for address in addresses:
        assert client.get(address, follow=True).redirect_chain[-1][0].startswith(reverse("account_login"))
        assert browser_of(owner).get(address, follow=True).status_code == 403
        assert none.get(address).status_code == 403
        for browser in (reader, writer):
            answer = browser.get(address)
            assert answer.status_code == 200
            assert INLINE.findall(re.sub(r"<script[^>]*></script>", "", answer.content.decode())) == []
    for browser in (client, browser_of(owner), none, reader):
        assert browser.post(page_of(asked), said, follow=True).status_code in (200, 403)
        asked.refresh_from_db()
        assert asked.state == "open"
    assert "Answer it" not in reader.get(page_of(asked)).content.decode()
    assert "Data requests" not in none.get("/operators/").content.decode()
    assert "Data requests" in reader.get("/operators/").content.decode()


@pytest.mark.parametrize("way", ["add/", "delete/"])
def test_nobody_adds_or_deletes(asked: SubjectRequest, way: str) -> None:
    boss = browser_of(User.objects.create_superuser("boss@example.com"))
    address = QUEUE + ("add/" if way == "add/" else f"{asked.pk}/delete/")
    assert boss.get(address).status_code == 403
    assert boss.post(address, {"post": "yes", "state": "answered"}).status_code == 403
    boss.post(QUEUE, {"action": "delete_selected", "_selected_action": str(asked.pk)})
    assert boss.post(page_of(asked), {"state": "answered", "_save": "Save"}).status_code == 422
    asked.refresh_from_db()
    assert asked.state == "open"


def test_the_queue_begins_with_what_is_due_first(desk: Client, owner: User) -> None:
    today = timezone.localdate()
    made = [handling.ask(person=owner, right="access", law="gdpr", text="", form_key=uuid4()) for _ in range(4)]
    for found, days in zip(made, (20, -3, 1, 5), strict=True):
        SubjectRequest.objects.filter(pk=found.pk).update(due_on=today + timedelta(days=days))
    handling.withdraw(made[3])
    handling.leave(address="a@example.org", right="access", law="gdpr", text="", form_key=uuid4())
    page = desk.get(QUEUE)
    assert [found.pk for found in page.context["cl"].result_list] == [made[n].pk for n in (1, 2, 0, 3)]
    text = page.content.decode()
    assert "OVERDUE by 3 days" in text
    assert "1 day left" in text
    one = desk.get(QUEUE, {"q": made[0].reference.lower()})
    assert [found.pk for found in one.context["cl"].result_list] == [made[0].pk]
    assert not desk.get(QUEUE, {"q": made[0].reference[:7]}).context["cl"].result_list
    assert desk.get(QUEUE, {"state__exact": "open"}).status_code == 200


def test_answering(desk: Client, asked: SubjectRequest, owner: User) -> None:
    page = desk.get(page_of(asked)).content.decode()
    assert "&lt;b&gt;My name&lt;/b&gt; is wrong." in page
    assert owner.email not in page.replace("operator-", "")
    begun = desk.get(page_of(asked), {"template": "done"}).content.decode()
    assert "We have corrected what you named" in begun
    gaps = desk.post(page_of(asked), {"do": "answer", "answer-words": answers.template("correction", "done")})
    assert gaps.status_code == 422
    assert "Fill in what is in [brackets]" in gaps.content.decode()
    done = desk.post(page_of(asked), {"do": "answer", "answer-words": WORDS}, follow=True)
    assert "Answered. The person gets a letter." in done.content.decode()
    mailing.sweep()
    assert WORDS in str(mail.outbox[-1].body)
    entry = LogEntry.objects.get()
    assert (entry.object_repr, entry.change_message) == (f"request {asked.reference}", "Answered.")
    again = desk.post(page_of(asked), {"do": "refuse", "refuse-words": WORDS, "refuse-reason": "duty"})
    assert again.status_code == 422
    assert "Somebody has closed it meanwhile." in again.content.decode()
    assert again.content.decode().count(WORDS) == 2  # the answer that was given, and what was typed now
    asked.refresh_from_db()
    assert asked.state == "answered"
    assert asked.steps.filter(by="operator").count() == 1


def test_having_an_account_erased(desk: Client, owner: User) -> None:
    """Who asks confirmed the address and cannot sign in; the operator starts what they would have started."""
    found = handling.ask(person=owner, right="deletion", law="gdpr", text="", form_key=uuid4())
    assert "Erase the account in 7 days" in desk.get(page_of(found)).content.decode()
    unsure = desk.post(page_of(found), {"do": "erase"})
    assert unsure.status_code == 422
    assert "Say that you have checked it." in unsure.content.decode()
    assert erasure.of(owner) is None
    done = desk.post(page_of(found), {"do": "erase", "erase-checked": "on"}, follow=True).content.decode()
    assert "The account will be erased." in done
    assert "Have it erased" not in done
    row = erasure.of(owner)
    assert row is not None
    assert mail.outbox[-1].to == [owner.email]
    row.runs_at = row.due_at = timezone.now()
    row.save()
    erasure.advance(row.pk)
    found.refresh_from_db()
    assert (found.state, found.person) == ("answered", None)
    assert not User.objects.filter(email=owner.email).exists()
    assert desk.post(page_of(found), {"do": "erase", "erase-checked": "on"}).status_code == 422


def test_the_only_superuser_is_not_erased_by_the_queue_either(desk: Client) -> None:
    boss = User.objects.create_superuser("boss@example.com")
    found = handling.ask(person=boss, right="deletion", law="gdpr", text="", form_key=uuid4())
    answer = desk.post(page_of(found), {"do": "erase", "erase-checked": "on"})
    assert answer.status_code == 422
    assert "the only account that may do everything" in answer.content.decode()
    assert erasure.of(boss) is None


def test_two_operators_at_once(desk: Client, asked: SubjectRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is second is told, and keeps their words."""
    wins = operator("view", "change")
    real = handling.answer

    def slower(found: SubjectRequest, **more: object) -> None:
        real(SubjectRequest.objects.get(pk=found.pk), words="The first answer.", by=wins)
        real(found, **more)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(handling, "answer", slower)
    late = desk.post(page_of(asked), {"do": "answer", "answer-words": WORDS})
    assert late.status_code == 422
    assert "Somebody has closed it meanwhile." in late.content.decode()
    assert WORDS in late.content.decode()


def test_extending_and_refusing(desk: Client, asked: SubjectRequest) -> None:
    later = clock.extended("gdpr", asked.received_on)
    assert f"until {later:%Y-%m-%d}" in desk.get(page_of(asked)).content.decode()
    for wrong in ({"do": "extend"}, {"do": "extend", "extend-words": "short"}, {"do": "nonsense"}, {}):
        assert desk.post(page_of(asked), wrong).status_code == 422
    done = desk.post(page_of(asked), {"do": "extend", "extend-words": "A backup has to be looked into."}, follow=True)
    assert "Extended." in done.content.decode()
    assert "Extend its time" not in done.content.decode()
    second = desk.post(page_of(asked), {"do": "extend", "extend-words": "Once more, please."})
    assert second.status_code == 422
    assert "no reason" not in desk.post(page_of(asked), {"do": "refuse", "refuse-words": WORDS}).content.decode()
    for reason in ("", "mood"):
        said = {"do": "refuse", "refuse-words": WORDS, "refuse-reason": reason}
        assert desk.post(page_of(asked), said).status_code == 422
    desk.post(page_of(asked), {"do": "refuse", "refuse-words": WORDS, "refuse-reason": "others"})
    asked.refresh_from_db()
    assert (asked.state, asked.reason, asked.due_on) == ("refused", "others", later)


def test_nobody_answers_their_own(asked: SubjectRequest, owner: User) -> None:
    owner.is_staff = owner.is_superuser = True
    owner.save()
    answer = browser_of(owner).post(page_of(asked), {"do": "answer", "answer-words": WORDS})
    assert answer.status_code == 422
    assert "ask another operator" in answer.content.decode()


def test_no_such_request(desk: Client, asked: SubjectRequest) -> None:
    handling.leave(address="a@example.org", right="access", law="gdpr", text="", form_key=uuid4())
    for key in (uuid4(), "x", SubjectRequest.objects.get(state="unconfirmed").pk):
        assert desk.get(f"{QUEUE}{key}/change/").status_code == 404


def test_there_is_a_text_to_begin_with_for_each_right() -> None:
    for right in Right:
        assert answers.TEMPLATES[right]
        assert all(str(one.text) for one in answers.TEMPLATES[right])
    assert answers.template("access", "nonsense") == ""
    assert site.is_registered(SubjectRequest)


def test_the_numbers_of_a_month(desk: Client, asked: SubjectRequest, owner: User) -> None:
    handling.answer(asked, words=WORDS, by=operator())
    page = desk.get(reverse("admin:privacy_request_numbers")).content.decode()
    assert '<th scope="row">correction</th>' in page
    for month in ("1999-01", "0001-01", "9999-12", "x", ""):
        assert desk.get(reverse("admin:privacy_request_numbers"), {"month": month}).status_code == 200
    assert (
        "No requests in this month."
        in desk.get(reverse("admin:privacy_request_numbers"), {"month": "2001-02"}).content.decode()
    )
    out = StringIO()
    call_command("request_numbers", csv=True, stdout=out)
    rows = list(csv.DictReader(StringIO(out.getvalue())))
    assert [(row["right"], row["law"], row["received"], row["answered"]) for row in rows] == [
        ("correction", "gdpr", "1", "1")
    ]
    out = StringIO()
    call_command("request_numbers", month="2001-02", stdout=out)
    assert out.getvalue() == "2001-02\nno requests\n"
    assert owner.email not in page
    for wrong in ("2026", "2026-13", "1-01"):
        with pytest.raises(CommandError):
            call_command("request_numbers", month=wrong)


def test_reminders(owner: User, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    today = timezone.localdate()
    made = [handling.ask(person=owner, right="access", law="gdpr", text="", form_key=uuid4()) for _ in range(3)]
    for found, days in zip(made, (-1, 7, 8), strict=True):
        SubjectRequest.objects.filter(pk=found.pk).update(due_on=today + timedelta(days=days))
    settings.PRIVACY_CONTACT = []
    assert reminding.remind() == 0
    settings.PRIVACY_CONTACT = ["privacy@example.org", "second@example.org"]

    def away(*args: object, **kwargs: object) -> None:
        raise SMTPServerDisconnected

    with monkeypatch.context() as patch:
        patch.setattr(EmailMultiAlternatives, "send", away)
        assert reminding.remind() == 0
    assert reminding.remind() == 2
    assert reminding.remind() == 0
    (letter,) = mail.outbox
    assert letter.to == settings.PRIVACY_CONTACT
    assert letter.subject == "1 data request is OVERDUE"
    body = str(letter.body)
    assert made[0].reference in body
    assert made[1].reference in body
    assert made[2].reference not in body
    assert owner.email not in body
    SubjectRequest.objects.update(reminded_on=today - timedelta(days=1))
    handling.withdraw(made[0])
    assert reminding.remind() == 1  # the next day; what is over is no longer told
    assert mail.outbox[-1].subject == "1 data request is due within 7 days"


def test_a_site_on_which_nobody_is_told_is_warned(settings) -> None:
    settings.PRIVACY_CONTACT = []
    assert [one.id for one in checks.somebody_is_reminded(None)] == ["privacy.W020"]
    assert checks.contacts_are_addresses(None) == []
    settings.PRIVACY_CONTACT = ["privacy@example.org", "mailto:privacy@example.org"]
    assert checks.somebody_is_reminded(None) == []
    assert [one.id for one in checks.contacts_are_addresses(None)] == ["privacy.E020"]
