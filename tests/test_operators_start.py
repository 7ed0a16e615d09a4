"""The operators' first page says what needs somebody: each thing when it is amiss, and none when all is well."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from billing import books, ledger
from billing.models import Payment, StripeEvent
from generation import health
from modelmyimage import attention
from privacy import erasure
from privacy.models import Blob, Erasure
from privacy.requests import handling
from privacy.requests.models import SubjectRequest
from tests.accounts.test_account_pages import INLINE
from trust import figures

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _audited() -> None:
    """Nothing is known of before, and the clock's last audit found nothing."""
    cache.clear()
    audited(0)


@pytest.fixture
def desk() -> Client:
    """An operator's browser."""
    browser = Client()
    browser.force_login(User.objects.create_user("operator@example.com", is_staff=True))
    return browser


def audited(differences: int) -> None:
    """What an audit just now would leave: what it finds is a test of its own."""
    cache.set(figures.AUDIT_KEY, figures.Audited(timezone.now(), differences))


def needed() -> dict[str, int]:
    """What needs somebody: how much of it, by what is said."""
    return {need.meaning: need.count for need in attention.everything() if need.count}


def test_all_is_well(desk: Client) -> None:
    assert needed() == {}
    page = desk.get("/operators/").content.decode()
    assert "Nothing needs you now." in page
    assert INLINE.findall(page) == []


def test_each_thing_that_is_amiss(desk: Client, owner: User, stranger: User) -> None:
    long_ago = timezone.now() - timedelta(days=40)
    for days, person in ((-1, owner), (3, owner), (20, stranger)):
        asked = handling.ask(person=person, right="access", law="gdpr", text="", form_key=uuid4())
        due = timezone.localdate() + timedelta(days=days)
        SubjectRequest.objects.filter(pk=asked.pk).update(due_on=due)
    Blob.objects.create(
        kind="asset",
        group=uuid4(),
        object_name="none",
        state=Blob.State.SEALED,
        created_at=long_ago,
        expires_at=long_ago,
    )
    audited(1)
    ledger.balance(owner)
    row = erasure.request(stranger)
    Erasure.objects.filter(pk=row.pk).update(tries=erasure.WORRYING)
    Payment.objects.create(
        user=owner, stripe_id="cs_1", payment_intent="pi_1", credits=0, amount=500, disputed=500, currency="eur",
        paid_at=timezone.now(),
    )  # fmt: skip
    Payment.objects.create(
        user=owner, stripe_id="cs_2", payment_intent="pi_2", credits=0, amount=500, disputed=500, currency="eur",
        paid_at=timezone.now() - timedelta(days=200),
    )  # fmt: skip
    StripeEvent.objects.create(id="evt_1", type="invoice.paid", kind="invoice", object_id="in_1", received_at=long_ago)
    for _ in range(health.IN_A_ROW):
        health.failed("embedded")
    assert needed() == {
        "request about data is overdue": 1,
        "stored file is past its time": 1,
        "difference between rows, keys and objects": 1,
        "erasure of an account does not get on": 1,
        "request about data is due in a week": 1,
        "provider is out": 1,
        "payment of the last 180 days is disputed": 1,
        "word of Stripe’s waits for long": 1,
    }
    page = desk.get("/operators/").content.decode()
    assert "Nothing needs you now." not in page
    assert INLINE.findall(page) == []
    ways = re.findall(r'<a class="button" href="([^"]+)">See', page)
    assert len(ways) == 4
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss@example.com"))
    rows = [boss.get(way.replace("&amp;", "&")).context["cl"].result_count for way in ways]
    assert rows == [3, 3, 2, 1]


def test_books_that_do_not_add_up(owner: User) -> None:
    ledger.balance(owner)
    assert needed() == {}
    with connection.cursor() as cursor:
        on = " ON billing_ledgeraccount" if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER ledger_account_balance{on}")
    assert needed() == {}  # the books are looked at now and then
    cache.delete(books.KEY)
    assert needed() == {"line of the books does not add up": 1}


def test_an_audit_that_does_not_come() -> None:
    cache.delete(figures.AUDIT_KEY)
    assert needed() == {"audit of what is stored did not come": 1}
