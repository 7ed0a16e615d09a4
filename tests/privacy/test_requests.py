"""Each right, asked by somebody who is signed in and by somebody who is not, on its way to an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from privacy import tasks
from privacy.requests import answers, clock, handling, mailing, numbers
from privacy.requests.errors import LinkOver, NoMoreTime, NotOpen, OwnRequest, TooMany
from privacy.requests.models import LETTERS, RequestStep, SubjectRequest, by_token, new_reference
from privacy.requests.rights import IN_WORDS, Law, Right, ways

pytestmark = pytest.mark.django_db

FORM = "/privacy/requests"
WORDS = "My name is spelt wrong in what you keep."
LINK = re.compile(r"https?://\S+/privacy/requests/\S+")


@pytest.fixture(autouse=True)
def _no_counters(settings) -> Iterator[None]:
    settings.SITE_URL = "https://models.example"
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def signed(owner: User) -> Client:
    browser = Client()
    browser.force_login(owner)
    return browser


def said(right: str = "access", **more: Any) -> dict[str, Any]:
    text = WORDS if right in IN_WORDS else ""
    return {"right": right, "law": "gdpr", "text": text, "form_key": str(uuid4()), **more}


def letters() -> list[Any]:
    """What is due goes out; all letters so far."""
    mailing.sweep()
    return mail.outbox


def link(letter: Any) -> str:
    found = LINK.search(str(letter.body))
    assert found, letter.body
    return found[0].removeprefix("https://models.example")


def asked_by_mail(client: Client, address: str, right: str = "access", **more: Any) -> SubjectRequest:
    """A request of somebody who is not signed in and has pressed the button behind the link."""
    client.post(FORM, said(right, address=address, **more))
    page = link(letters()[-1])
    assert client.post(page + "/confirm").status_code == 302
    found = by_token(page.rpartition("/")[2])
    assert found is not None
    return found


def steps(found: SubjectRequest) -> list[tuple[str, str]]:
    return list(found.steps.values_list("what", "by"))


def test_references_are_easy_to_read_aloud() -> None:
    drawn = {new_reference() for _ in range(300)}
    assert len(drawn) == 300
    assert all(re.fullmatch(rf"DR-[{LETTERS}]{{4}}-[{LETTERS}]{{4}}", one) for one in drawn)
    assert not set("01OIL") & set(LETTERS)


@pytest.mark.parametrize("right", Right.values)
@pytest.mark.parametrize("law", Law.values)
def test_signed_in(signed: Client, owner: User, right: str, law: str) -> None:
    answer = signed.post(FORM, said(right, law=law), follow=True)
    found = SubjectRequest.objects.get()
    assert answer.redirect_chain[-1][0] == found.url
    assert (found.person, found.address, found.by_mail) == (owner, "", False)
    assert found.due_on == clock.due(law, timezone.localdate())
    letter = letters()[-1]
    assert letter.to == [owner.email]
    assert found.reference in str(letter.body)
    assert link(letter) == found.url
    page = answer.content.decode()
    if right == Right.OPT_OUT:
        assert (found.state, found.at_once) == ("answered", True)
        assert str(answers.NOTHING_SOLD) in str(letter.body)
        assert "We sell nothing about you" in page
    else:
        assert (found.state, found.at_once) == ("open", False)
        assert "You will have an answer by" in page
        assert found.due_on.strftime("%B %Y") in page
        assert steps(found) == [("received", "person"), ("acknowledged", "site")]
    assert ("The law asks for it by" in page) is (law == Law.CCPA)
    assert ("cppa.ca.gov" in page) is (law == Law.CCPA)


@pytest.mark.parametrize("right", Right.values)
def test_not_signed_in_and_nothing_held(client: Client, right: str) -> None:
    found = asked_by_mail(client, "Nobody@Example.org", right)
    assert (found.state, found.at_once, found.person, found.address) == ("answered", True, None, "nobody@example.org")
    letter = letters()[-1]
    wanted = answers.NOTHING_SOLD if right == Right.OPT_OUT else answers.NOTHING_HELD
    assert str(wanted) in str(letter.body)
    assert [one[0] for one in steps(found)] == ["received", "confirmed", "acknowledged", "answered"]
    page = client.get(link(letter))
    assert page.status_code == 200
    assert found.reference in page.content.decode()


@pytest.mark.parametrize("right", [one for one in Right.values if one != Right.OPT_OUT])
def test_not_signed_in_and_an_account_is_there(client: Client, owner: User, right: str) -> None:
    found = asked_by_mail(client, owner.email.upper(), right)
    assert (found.state, found.person, found.by_mail) == ("open", owner, True)
    letter = letters()[-1]
    assert letter.subject == f"We have your request {found.reference}"
    page = client.get(found.url).content.decode()
    assert ("There is an account under this address." in page) is bool(ways(right))
    for way in ways(right):
        assert f'href="{reverse("account_login")}?next={way.url}"' in page
    mine = Client()
    mine.force_login(owner)
    assert found.reference in mine.get("/account/data").content.decode()


def test_the_clock_runs_from_the_form_not_from_the_link(client: Client, owner: User) -> None:
    client.post(FORM, said(address=owner.email))
    sent_at = timezone.now() - timedelta(days=2)
    SubjectRequest.objects.update(received_at=sent_at)
    client.post(link(letters()[-1]) + "/confirm")
    found = SubjectRequest.objects.get()
    assert found.due_on == clock.due("gdpr", timezone.localdate(sent_at))
    assert found.confirmed_at is not None


def test_an_address_that_an_account_is_changing_to_is_not_nothing(client: Client, owner: User) -> None:
    from allauth.account.models import EmailAddress

    EmailAddress.objects.create(user=owner, email="new@example.org")
    found = asked_by_mail(client, "new@example.org")
    assert (found.state, found.person) == ("open", None)


# Who is told what


def test_nobody_learns_who_is_known_here(owner: User) -> None:
    """The same answer, byte for byte, and the same work."""
    seen = []
    for address in (owner.email, "nobody@example.org"):
        browser = Client()
        browser.get(FORM)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            answer = browser.post(FORM, said(address=address))
            page = browser.get(answer["Location"])
        headers = {name: value for name, value in answer.headers.items() if name != "Expires"}  # the time, by seconds
        seen.append((answer.status_code, headers, answer.content, page.content, len(asked)))
    assert seen[0] == seen[1]
    assert seen[0][:1] == (302,)
    first, second = letters()
    assert (first.to, second.to) == ([owner.email], ["nobody@example.org"])
    assert LINK.sub("", str(first.body)) == LINK.sub("", str(second.body))


def test_looking_at_the_link_confirms_nothing(client: Client, owner: User) -> None:
    client.post(FORM, said(address=owner.email))
    page = link(letters()[-1])
    for _ in range(2):
        answer = client.get(page)
        assert "Is this request yours?" in answer.content.decode()
        assert "no-store" in answer["Cache-Control"]
    assert client.head(page).status_code == 200
    assert SubjectRequest.objects.get().state == "unconfirmed"
    assert client.get(page + "/confirm").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(page + "/confirm").status_code == 403


def test_a_link_works_once(client: Client, owner: User) -> None:
    found = asked_by_mail(client, owner.email)
    before = steps(found)
    assert client.post(found.url + "/confirm", follow=True).status_code == 200
    assert steps(found) == before
    letters()
    assert len(mail.outbox) == 2


def test_a_link_that_is_too_old(client: Client, owner: User) -> None:
    client.post(FORM, said(address=owner.email))
    page = link(letters()[-1])
    SubjectRequest.objects.update(received_at=timezone.now() - timedelta(days=3, minutes=1))
    for answer in (client.get(page), client.post(page + "/confirm")):
        assert answer.status_code == 410
        assert "A link holds for 3 days" in answer.content.decode()
    with pytest.raises(LinkOver):  # whoever had looked in time, and pressed the button too late
        handling.confirm(SubjectRequest.objects.get())
    assert SubjectRequest.objects.get().state == "unconfirmed"
    tasks.forget()
    assert not SubjectRequest.objects.exists()
    assert client.get(page).status_code == 404


@pytest.mark.parametrize("token", ["x", "0" * 32, f"{'0' * 32}.abc", "%00", "é", "a" * 3000])
def test_no_such_link(client: Client, token: str) -> None:
    for method, more in ((client.get, ""), (client.post, "/confirm"), (client.post, "/withdraw")):
        answer = method(f"{FORM}/{token}{more}")
        assert answer.status_code == 404
        assert "No such request" in answer.content.decode()


def test_a_signature_is_for_one_request_alone(client: Client, owner: User) -> None:
    one, other = asked_by_mail(client, owner.email), asked_by_mail(client, owner.email)
    forged = f"{other.pk.hex}.{one.token.partition('.')[2]}"
    assert client.get(f"{FORM}/{forged}").status_code == 404


def test_what_was_asked_signed_in_is_shown_to_that_account_alone(
    client: Client, signed: Client, owner: User, stranger: User
) -> None:
    found = handling.ask(person=owner, right="access", law="gdpr", text="", form_key=uuid4())
    other = Client()
    other.force_login(stranger)
    assert signed.get(found.url).status_code == 200
    assert other.get(found.url).status_code == 404
    assert other.post(found.url + "/withdraw").status_code == 404
    for answer in (client.get(found.url), client.post(found.url + "/withdraw"), client.post(found.url + "/confirm")):
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("account_login"))
    assert found.reference not in other.get("/account/data").content.decode()
    found.refresh_from_db()
    assert found.state == "open"


def test_what_was_asked_by_mail_is_shown_to_whoever_has_the_link(client: Client, owner: User, stranger: User) -> None:
    found = asked_by_mail(client, owner.email)
    other = Client()
    other.force_login(stranger)
    for browser in (client, other):
        assert browser.get(found.url).status_code == 200
    assert client.post(found.url + "/withdraw", follow=True).status_code == 200
    found.refresh_from_db()
    assert found.state == "withdrawn"


# The form


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"right": ""}, "Choose what you ask for."),
        ({"right": "everything"}, "Select a valid choice."),
        ({"law": "martial"}, "Select a valid choice."),
        ({"address": ""}, "Without an address nobody can answer you."),
        ({"address": "nobody"}, "This is no e-mail address."),
        ({"address": "a@b.example\nBcc: c@d.example"}, "This is no e-mail address."),
        ({"address": "a" * 250 + "@b.example"}, "at most 254 characters"),
        ({"text": "x" * 4001}, "at most 4000 characters"),
        ({"text": "\x00"}, "Null characters are not allowed."),
        ({"right": "correction", "text": " "}, "Say in a sentence what is meant"),
    ],
)
def test_a_wrong_form_loses_nothing(client: Client, wrong: dict[str, str], words: str) -> None:
    sent = said("deletion", text="all of it", address="a@example.org") | wrong
    answer = client.post(FORM, sent)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert words in page
    if "text" not in wrong:
        assert "all of it" in page
    if "address" not in wrong:
        assert 'value="a@example.org"' in page
    assert not SubjectRequest.objects.exists()
    assert len(answer.content) < 100_000


def test_no_form_at_all(client: Client, signed: Client) -> None:
    assert client.post(FORM).status_code == 422
    assert signed.post(FORM, {"form_key": "x"}).status_code == 422
    assert client.put(FORM).status_code == 405


def test_a_right_can_be_chosen_beforehand(client: Client) -> None:
    assert re.search(r'id="id_right_deletion" checked', client.get(FORM + "?right=deletion").content.decode())
    assert not re.search(r'name="right"[^>]* checked', client.get(FORM + "?right=nonsense").content.decode())


def test_a_form_that_is_sent_twice_is_one_request(client: Client, signed: Client, stranger: User) -> None:
    form = said()
    for _ in range(2):
        signed.post(FORM, form)
    mine = SubjectRequest.objects.get()
    other = Client()
    other.force_login(stranger)
    other.post(FORM, form)
    assert SubjectRequest.objects.count() == 2
    assert SubjectRequest.objects.get(person=stranger).pk != mine.pk
    sent = said(address="a@example.org")
    for _ in range(2):
        client.post(FORM, sent)
    assert SubjectRequest.objects.filter(address="a@example.org").count() == 1


# Too often


def test_a_mailbox_is_not_filled_in_somebody_elses_name(client: Client, owner: User) -> None:
    answers_seen = set()
    for _ in range(5):
        answers_seen.add(client.post(FORM, said(address=owner.email))["Location"])
    assert answers_seen == {reverse("privacy:requests_sent")}
    assert len(letters()) == handling.MOST_LINKS == SubjectRequest.objects.count()
    assert client.post(FORM, said(address=owner.email)).status_code == 429
    cache.clear()  # an hour later, the links are still unused
    client.post(FORM, said(address=owner.email.upper()))
    assert len(letters()) == handling.MOST_LINKS
    client.post(FORM, said(address="other@example.org"))
    assert len(letters()) == handling.MOST_LINKS + 1


def test_one_network_address_cannot_ask_for_everybody(client: Client) -> None:
    codes = [client.post(FORM, said(address=f"somebody{n}@example.org")).status_code for n in range(21)]
    assert codes == [302] * 20 + [429]


def test_so_many_open_ones_and_no_more(client: Client, signed: Client, owner: User) -> None:
    for _ in range(handling.MOST_OPEN):
        handling.ask(person=owner, right="access", law="gdpr", text="", form_key=uuid4())
    answer = signed.post(FORM, said("deletion", text="mine"))
    assert answer.status_code == 422
    assert "10 of your requests are open" in answer.content.decode()
    assert "mine" in answer.content.decode()
    with pytest.raises(TooMany):
        handling.ask(person=owner, right="access", law="gdpr", text="", form_key=uuid4())
    SubjectRequest.objects.update(address="a@example.org", by_mail=True)
    client.post(FORM, said(address="a@example.org"))
    assert SubjectRequest.objects.count() == handling.MOST_OPEN


def test_not_all_day(signed: Client) -> None:
    codes = [signed.post(FORM, said("opt_out")).status_code for _ in range(11)]
    assert codes == [302] * 10 + [429]


# Answered, refused, extended, withdrawn


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_superuser("operator@example.com")


@pytest.fixture
def asked(owner: User) -> SubjectRequest:
    return handling.ask(person=owner, right="correction", law="gdpr", text=WORDS, form_key=uuid4())


def test_answered(signed: Client, asked: SubjectRequest, operator: User, owner: User) -> None:
    handling.answer(asked, words="It is put right now.", by=operator)
    letter = letters()[-1]
    assert (letter.to, letter.subject) == ([owner.email], f"Your request {asked.reference} is answered")
    assert "It is put right now." in str(letter.body)
    assert "edpb.europa.eu" in str(letter.body)
    page = signed.get(asked.url).content.decode()
    assert "Your request is answered" in page
    assert "It is put right now." in page
    assert "By whoever runs this site." in page
    for again in (
        lambda: handling.answer(asked, words="again", by=operator),
        lambda: handling.refuse(asked, reason="duty", words="no", by=operator),
        lambda: handling.withdraw(asked),
        lambda: handling.extend(asked, words="later", by=operator),
    ):
        with pytest.raises(NotOpen):
            again()
    assert len(letters()) == 2


def test_refused(signed: Client, asked: SubjectRequest, operator: User) -> None:
    handling.refuse(asked, reason="duty", words="Invoices are kept for ten years.", by=operator)
    letter = letters()[-1]
    for words in ("A law obliges us to keep", "Invoices are kept for ten years.", "you may go to court", FORM):
        assert words in str(letter.body)
    page = signed.get(asked.url).content.decode()
    assert "Your request was refused" in page
    assert "A law obliges us to keep" in page
    asked.refresh_from_db()
    assert (asked.state, asked.reason) == ("refused", "duty")


def test_extended_once_and_only_in_time(signed: Client, asked: SubjectRequest, operator: User) -> None:
    handling.extend(asked, words="We need to look into a backup.", by=operator)
    letter = letters()[-1]
    assert "takes longer" in letter.subject
    assert "We need to look into a backup." in str(letter.body)
    asked.refresh_from_db()
    assert asked.due_on == clock.extended("gdpr", asked.received_on)
    page = signed.get(asked.url).content.decode()
    assert "Why it takes longer" in page
    assert asked.state == "open"
    with pytest.raises(NoMoreTime):
        handling.extend(asked, words="Still longer.", by=operator)
    late = handling.ask(person=asked.person, right="access", law="ccpa", text="", form_key=uuid4())  # type: ignore[arg-type]  # it has one
    SubjectRequest.objects.filter(pk=late.pk).update(due_on=timezone.localdate() - timedelta(days=1))
    late.refresh_from_db()
    with pytest.raises(NoMoreTime):
        handling.extend(late, words="Too late.", by=operator)


def test_withdrawn(signed: Client, asked: SubjectRequest) -> None:
    page = signed.post(asked.url + "/withdraw", follow=True).content.decode()
    assert "Withdrawn. You can ask again" in page
    assert "nothing to withdraw" in signed.post(asked.url + "/withdraw", follow=True).content.decode()
    assert steps(asked)[-1] == ("withdrawn", "person")
    assert len(letters()) == 1


def test_nobody_answers_themselves(operator: User) -> None:
    mine = handling.ask(person=operator, right="access", law="gdpr", text="", form_key=uuid4())
    for try_it in (
        lambda: handling.answer(mine, words="yes", by=operator),
        lambda: handling.refuse(mine, reason="duty", words="no", by=operator),
        lambda: handling.extend(mine, words="later", by=operator),
    ):
        with pytest.raises(OwnRequest):
            try_it()


def test_late(signed: Client, asked: SubjectRequest) -> None:
    SubjectRequest.objects.update(due_on=timezone.localdate())
    assert "We are late." not in signed.get(asked.url).content.decode()
    SubjectRequest.objects.update(due_on=timezone.localdate() - timedelta(days=1))
    page = signed.get(asked.url).content.decode()
    assert "We are late." in page
    assert "left." not in page


# At once, and the numbers


def test_a_copy_counts_as_access(signed: Client, owner: User) -> None:
    assert signed.post("/account/data/copy").status_code == 200
    found = SubjectRequest.objects.get()
    assert (found.right, found.state, found.at_once, found.person) == ("access", "answered", True, owner)
    page = signed.get("/account/data").content.decode()
    assert found.reference in page
    assert "done at once" in page
    assert "You saved a copy" in signed.get(found.url).content.decode()
    assert letters() == []


def test_limiting_who_receives_photos_counts_as_restriction(signed: Client, owner: User) -> None:
    for _ in range(2):
        assert signed.post("/account/photos", {"self_hosted": "on", "anywhere": "yes"}).status_code == 302
    found = SubjectRequest.objects.get()  # once: the second time nothing was changed
    assert (found.right, found.state, found.at_once, found.person) == ("restriction", "answered", True, owner)
    signed.post("/account/photos", {"anywhere": "yes"})  # lifting a limit is none
    assert SubjectRequest.objects.count() == 1


def test_each_right_leads_first_to_the_thing_itself(signed: Client, client: Client) -> None:
    page = signed.get(FORM).content.decode()
    for address in ("/account/data", "/account/email/", "/account/photos", "/account/mail"):
        assert f'href="{address}"' in page
    anonymous = client.get(FORM).content.decode()
    assert "At once:" not in anonymous
    assert f"{reverse('account_login')}?next=/privacy/requests" in anonymous


def test_numbers(owner: User, operator: User) -> None:
    """Of a month: two accesses (one at once), a refusal after four days, one still open and extended."""
    now = timezone.now()
    handling.fulfilled_at_once(owner, Right.ACCESS, answers.COPY_SAVED)
    made = [
        handling.ask(person=owner, right=right, law="ccpa", text=WORDS, form_key=uuid4())
        for right in ("access", "deletion", "objection")
    ]
    handling.answer(made[0], words="Here it is.", by=operator)
    handling.refuse(made[1], reason="duty", words="We must keep it.", by=operator)
    handling.extend(made[2], words="It takes longer.", by=operator)
    SubjectRequest.objects.filter(pk=made[1].pk).update(closed_at=now + timedelta(days=4), received_at=now)
    SubjectRequest.objects.filter(pk=made[0].pk).update(closed_at=now + timedelta(days=2), received_at=now)
    lines = {(line.right, line.law): line for line in numbers.monthly(timezone.localdate(now + timedelta(days=4)))}
    start, _end = numbers.month_of(timezone.localdate(now + timedelta(days=4)))
    if now >= start:  # else the month ended in between
        assert lines["access", "other"].at_once == 1
        assert lines["access", "other"].median_days is None
        assert (lines["access", "ccpa"].answered, lines["access", "ccpa"].median_days) == (1, 2.0)
        assert lines["objection", "ccpa"].extended == 1
    assert (lines["deletion", "ccpa"].refused, lines["deletion", "ccpa"].longest_days) == (1, 4.0)
    assert lines["objection", "ccpa"].open == 1

    SubjectRequest.objects.filter(pk=made[2].pk).update(due_on=timezone.localdate() - timedelta(days=1))
    times = numbers.response_times(now)
    assert (times.at_once_count, times.median_days, times.longest_days, times.overdue_count) == (1, 3.0, 4.0, 1)
    assert times.overdue.count() == 1
    assert times.closed.count() == 3


def test_a_broker_or_mail_server_that_is_away_loses_nothing(
    signed: Client,
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Any,
) -> None:
    from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected

    def away(*args: object, **kwargs: object) -> None:
        raise OSError("no broker")

    monkeypatch.setattr(tasks.mail_request, "delay", away)
    with django_capture_on_commit_callbacks(execute=True) as handed_over:
        assert signed.post(FORM, said()).status_code == 302
    assert len(handed_over) == 1
    assert "no broker took a letter" in caplog.text
    step = RequestStep.objects.get(what="acknowledged")
    assert step.mail_due_at is not None
    for error in (SMTPServerDisconnected("x"), OSError("x")):
        monkeypatch.setattr(
            EmailMultiAlternatives, "send", lambda *args, error=error, **more: (_ for _ in ()).throw(error)
        )
        RequestStep.objects.filter(pk=step.pk).update(mail_due_at=timezone.now())
        assert mailing.sweep() == 0
        step.refresh_from_db()
        assert step.mail_due_at > timezone.now()
        assert step.mailed_at is None
    assert "is still to go out" in signed.get(step.request.url).content.decode()
    assert mailing.sweep() == 0  # not before its time
    monkeypatch.undo()
    RequestStep.objects.filter(pk=step.pk).update(mail_due_at=timezone.now())
    assert tasks.tend_requests() is None
    step.refresh_from_db()
    assert step.mailed_at is not None
    assert step.mail_tries == 3
    assert len(mail.outbox) == 1
    assert mailing.sweep() == 0

    monkeypatch.setattr(
        EmailMultiAlternatives, "send", lambda *args, **more: (_ for _ in ()).throw(SMTPRecipientsRefused({}))
    )
    signed.post(FORM, said())
    assert mailing.sweep() == 0
    assert not RequestStep.objects.filter(mail_due_at__isnull=False).exists()
    assert owner.email not in caplog.text


def test_a_worker_that_dies_while_sending_is_made_up_for(signed: Client) -> None:
    signed.post(FORM, said())
    step = RequestStep.objects.get(what="acknowledged")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mailing, "written", lambda step, to: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            mailing.send(step.pk)
    assert not mailing.send(step.pk)  # another has it, as far as anybody knows
    RequestStep.objects.filter(pk=step.pk).update(mail_due_at=timezone.now() - timedelta(seconds=1))
    assert mailing.send(step.pk)
    assert len(mail.outbox) == 1
