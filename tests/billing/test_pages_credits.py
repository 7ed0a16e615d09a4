"""The page of one's own credits, its file, and the limits one sets oneself: the owner's, and nobody else's."""

from __future__ import annotations

import csv
import io
import re
import uuid

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from billing import checkout, ledger, proof, statement
from billing.models import Adjustment, Customer, Preferences, Subscription
from generation.models import Job
from tests.billing.happenings import bought, every_kind, job
from tests.billing.test_pages_pricing import text

pytestmark = pytest.mark.django_db

HOME = "/billing"


def made(user: User, *, quality: str = "standard", outcome: str = "", failure: str = "") -> Job:
    """A job's row, as the pages of jobs know it."""
    now = timezone.now()
    return Job.objects.create(
        owner=user, quality=quality, outcome=outcome, failure=failure, created_at=now, due_at=now, deadline_at=now
    )


def test_what_the_owner_sees(browser: Client, owner: User, selling: None) -> None:
    every_kind(owner)
    failed = made(owner, outcome="failed", failure="no_subject")
    ledger.hold(user=owner, credits=1, job=failed.pk)
    ledger.release(job=failed.pk)
    answer = browser.get(HOME)
    page = text(answer)
    assert answer.status_code == 200
    for said in (
        "1 credit 25 more are reserved",
        "Every line adds up, checked",
        "Given back, job failed",
        "1 reserved, 1 back",
        "We could not find an object in the photo.",
        "Put right by hand",
        "A job that was lost last week",
        "Taken back, money refunded",
        "Restored, dispute ended in your favour",
        "Bought 20 credits",
        "€5 · invoice",
        "Welcome credits",
        "Reserved for a job",
        "Spent on a model",
    ):
        assert said in page, said
    assert "Invoices at Stripe" not in page
    assert "You owe" not in page


def test_a_stranger_sees_nothing_of_it(others: Client, owner: User, selling: None) -> None:
    every_kind(owner)
    page = text(others.get(HOME))
    assert "Bought" not in page.replace("All Bought Spent Returned", "")
    assert page.count("Welcome credits") == 1
    assert len(others.get(reverse("billing:ledger_csv")).content.decode().splitlines()) == 2


@pytest.mark.parametrize("name", ["billing:home", "billing:ledger_csv", "billing:spending", "billing:portal"])
def test_nobody_signed_out(client: Client, name: str) -> None:
    for answer in (client.get(reverse(name)), client.post(reverse(name))):
        assert answer.status_code in (302, 405)
        if answer.status_code == 302:
            assert answer["Location"].startswith(reverse("account_login"))


def test_no_credits_at_all(browser: Client, settings) -> None:
    settings.GRANT_CREDITS = 0
    page = text(browser.get(HOME))
    assert "No credits came or went yet" in page
    assert "0 credits Nothing on hold." in page
    assert "Buy credits" not in page  # nothing is for sale


def test_a_debt_is_said_and_what_pays_it(browser: Client, owner: User, selling: None) -> None:
    bought(owner)
    job(owner, 30, "capture")
    ledger.reverse(key="back", original="payment:cs_1", credits=20, reason="dispute")
    page = text(browser.get(HOME))
    assert "−20 credits" in page
    assert "You owe 20 credits." in page
    assert "The credits that come in next pay this first" in page


def test_few_credits_left(browser: Client, owner: User) -> None:
    chosen = Preferences.objects.create(user=owner, notice_below=10)
    assert "Few credits are left. You asked to be told at 10 credits or fewer." in text(browser.get(HOME))
    chosen.notice_below = 9
    chosen.save()
    assert "Few credits" not in text(browser.get(HOME))


@pytest.mark.parametrize(
    ("status", "ends", "said"),
    [
        ("active", False, "Next credits"),
        ("active", True, "Ends"),
        ("past_due", False, "Stripe tries again; nothing is taken away meanwhile."),
        ("unpaid", False, "so no new credits come"),
        ("incomplete", False, "Its first payment is not finished"),
        ("paused", False, "No credits come until it goes on."),
        ("something_new", False, "Next credits"),
    ],
)
def test_the_plan(browser: Client, owner: User, selling: None, status: str, ends: bool, said: str) -> None:
    now = timezone.now()
    Subscription.objects.create(
        user=owner, stripe_id="sub_1", plan="plan-200", credits=200, amount=3200, currency="eur", status=status,
        period_ends_at=now, ends_at=now if ends else None,
    )  # fmt: skip
    page = text(browser.get(HOME))
    assert "200 credits a month" in page
    assert said in page


def test_a_plan_that_is_over_is_not_shown(browser: Client, owner: User) -> None:
    Subscription.objects.create(
        user=owner, stripe_id="sub_1", plan="plan-200", credits=200, amount=3200, currency="eur", status="canceled"
    )
    assert "a month" not in text(browser.get(HOME)).partition("Spending")[0]


def test_filters_and_pages(browser: Client, owner: User, monkeypatch) -> None:
    monkeypatch.setattr(statement, "PAGE_SIZE", 2)
    every_kind(owner)
    first = browser.get(HOME, {"only": "spent"}).context["page"]
    assert [line.what for line in first.lines] == ["reserved", "spent"]
    page = browser.get(HOME)
    assert f"{HOME}?before={page.context['page'].before}" in page.content.decode()
    for nonsense in ({"only": "x"}, {"before": "x"}, {"before": "9" * 300}, {"only": "\x00", "before": "\x00"}):
        assert browser.get(HOME, nonsense).status_code == 200
    assert "No such line" in text(browser.get(HOME, {"only": "bought", "before": "1"}))


def test_adding_up_is_said_only_when_it_is_so(browser: Client, owner: User, monkeypatch) -> None:
    monkeypatch.setattr(proof, "holds", lambda user: False)
    page = text(browser.get(HOME))
    assert "adds up, checked" not in page
    assert "These lines do not come to your balance." in page
    assert f"tell whoever runs this site that account {owner.pk} does not add up" in page


def test_a_page_takes_the_same_queries_however_long(
    browser: Client, owner: User, django_assert_max_num_queries
) -> None:
    for number in range(9):
        bought(owner, stripe_id=f"cs_{number}")
        found = made(owner, outcome="done")
        ledger.hold(user=owner, credits=1, job=found.pk)
        ledger.capture(job=found.pk)
    with django_assert_max_num_queries(24):  # one less when nothing was brought forward, which chance decides
        assert len(browser.get(HOME).context["page"].lines) == 19


def test_the_file(browser: Client, owner: User) -> None:
    every_kind(owner)
    told = ledger.grant(user=owner, credits=1, key="adjustment:3", reason="adjustment")
    Adjustment.objects.create(transaction=told, actor=owner, reason='=HYPERLINK("http://x.example","é, 1")')
    answer = browser.get(reverse("billing:ledger_csv"))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="credits.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [row["what"] for row in rows[:3]] == ["welcome", "bought", "spent"]
    assert (rows[1]["amount"], rows[1]["currency"], rows[1]["reference"]) == ("5.00", "EUR", "cs_1")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", rows[1]["time"])
    assert uuid.UUID(rows[2]["job"])
    assert rows[-1]["reason"] == '\'=HYPERLINK("http://x.example","é, 1")'
    balance = ledger.balance(owner)
    assert int(rows[-1]["balance"]) == sum(int(row["credits"]) for row in rows) == balance.available - balance.owed


def test_limits_of_ones_own(browser: Client, owner: User, others: Client, stranger: User) -> None:
    address = reverse("billing:spending")
    answer = browser.post(address, {"monthly_limit": "50", "notice_below": "5"}, follow=True)
    assert "Saved. It holds from the next job on." in text(answer)
    kept = Preferences.objects.get()
    assert (kept.user, kept.monthly_limit, kept.notice_below) == (owner, 50, 5)
    job(owner, 2)
    assert "2 of 50 credits used this month" in text(browser.get(HOME))

    kept.noticed_at = timezone.now()
    kept.save()
    browser.post(address, {"monthly_limit": "", "notice_below": "5"})
    kept.refresh_from_db()
    assert (kept.monthly_limit, kept.notice_below) == (None, 5)
    assert kept.noticed_at
    browser.post(address, {"monthly_limit": "0", "notice_below": "6"})
    kept.refresh_from_db()
    assert kept.monthly_limit == 0
    assert not kept.noticed_at
    others.post(address, {})
    assert Preferences.objects.get(user=stranger).monthly_limit is None
    kept.refresh_from_db()
    assert kept.monthly_limit == 0


@pytest.mark.parametrize("value", ["-1", "1.5", "many", "9" * 30, "\x00", "1e3", "٣٣٣٣٣٣٣٣٣٣٣٣"])
@pytest.mark.parametrize("field", ["monthly_limit", "notice_below"])
def test_limits_that_are_none(browser: Client, field: str, value: str) -> None:
    answer = browser.post(reverse("billing:spending"), {field: value})
    assert answer.status_code == 422
    assert "A whole number of credits, 0 or more; empty for none." in text(answer)
    assert f'aria-describedby="{field}-help {field}-error"' in answer.content.decode()
    assert not Preferences.objects.exists()


def test_invoices_at_stripe(browser: Client, owner: User, selling: None, monkeypatch) -> None:
    Customer.objects.create(user=owner, stripe_id="cus_1")
    assert "Invoices at Stripe" in text(browser.get(HOME))
    monkeypatch.setattr(checkout, "portal", lambda **about: f"https://billing.stripe.com/p/{about['user'].pk}")
    answer = browser.post(reverse("billing:portal"))
    assert (answer.status_code, answer["Location"]) == (303, f"https://billing.stripe.com/p/{owner.pk}")


def test_stripe_does_not_answer(browser: Client, owner: User, selling: None, monkeypatch) -> None:
    def away(*args: object, **about: object) -> str:
        raise checkout.Unavailable

    payment = bought(owner)
    monkeypatch.setattr(checkout, "portal", away)
    monkeypatch.setattr(checkout, "document", away)
    for answer in (
        browser.post(reverse("billing:portal")),
        browser.get(reverse("billing:document", args=[payment.pk])),
    ):
        assert answer.status_code == 503
        assert "Stripe does not answer just now." in text(answer)
        assert "Ledger" in text(answer)


def test_documents_are_the_payers(
    client: Client, browser: Client, others: Client, owner: User, selling: None, monkeypatch
) -> None:
    payment = bought(owner)
    address = reverse("billing:document", args=[payment.pk])
    monkeypatch.setattr(checkout, "document", lambda payment: f"https://pay.stripe.com/{payment.stripe_id}")
    answer = browser.get(address)
    assert (answer.status_code, answer["Location"]) == (303, "https://pay.stripe.com/cs_1")
    assert others.get(address).status_code == 404
    assert client.get(address)["Location"].startswith(reverse("account_login"))
    assert browser.get(f"/billing/payments/{10**30}/document").status_code == 404
    monkeypatch.setattr(checkout, "document", lambda payment: "")
    assert browser.get(address).status_code == 404


def test_the_account_page_and_the_purse_lead_here(browser: Client) -> None:
    page = browser.get(reverse("accounts:home")).content.decode()
    assert f'class="purse" href="{HOME}"' in page
    assert page.count(f'href="{HOME}"') == 2
