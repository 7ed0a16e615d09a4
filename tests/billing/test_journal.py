"""Each night's page is of what was found sound, and says so for good: whatever is changed by hand later shows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from billing import books, journal, tasks, verification
from billing.models import JournalPage, LedgerAccount, Transaction
from tests.billing.append_only import unprotected
from tests.billing.happenings import bought, job
from tests.billing.test_ledger_races import at_once

pytestmark = pytest.mark.django_db


def aged(hours: int = 2) -> None:
    """So much time has gone by since everything was written."""
    with transaction.atomic(), unprotected():
        Transaction.objects.update(created_at=F("created_at") - timedelta(hours=hours))


def lived(owner: User) -> None:
    """A purchase, and jobs that ended in each way or not yet."""
    bought(owner)
    for end in ("capture", "release", "refund", ""):
        job(owner, 2, end)


@pytest.fixture
def nights(owner: User) -> list[JournalPage]:
    """Two of them, each with something new."""
    lived(owner)
    aged()
    tasks.close_day()
    bought(owner, 50, "cs_second")
    with unprotected():
        Transaction.objects.filter(pk__gt=journal.upto()).update(created_at=timezone.now() - timedelta(hours=2))
    tasks.close_day()
    return list(JournalPage.objects.order_by("upto"))


def test_pages_follow_one_another_and_are_of_everything_once(nights: list[JournalPage]) -> None:
    first, second = nights
    assert (first.after, second.after, second.upto) == (0, first.upto, Transaction.objects.latest("pk").pk)
    told = [page.document["page"] for page in nights]
    assert sum(body["transactions"] for body in told) == Transaction.objects.count()
    assert sum(body["credits"] for body in told) == sum(Transaction.objects.values_list("credits", flat=True))
    assert verification.differences() == []


def test_what_may_still_be_under_way_is_on_no_page(owner: User) -> None:
    bought(owner)
    tasks.close_day()
    assert not JournalPage.objects.exists()
    aged()
    job(owner, 1)
    tasks.close_day()
    assert journal.upto() < Transaction.objects.latest("pk").pk
    assert verification.differences() == []


def test_a_change_by_hand_shows_even_where_it_adds_up(nights: list[JournalPage]) -> None:
    with unprotected():
        Transaction.objects.filter(pk=nights[0].upto).update(reason="another")
    books.close_day()
    found = verification.differences()
    assert found == [f"page {nights[0].pk} of the journal: transactions 1 to {nights[0].upto} are not what was signed"]
    assert books.last_verified().differences == 0  # type: ignore[union-attr]  # a night does not read old pages
    tasks.verify_whole()
    assert books.last_verified().differences == 1  # type: ignore[union-attr]
    tasks.close_day()
    assert books.last_verified().differences == 1  # type: ignore[union-attr]  # until everything is read again


@pytest.mark.parametrize("how", ["changed", "taken out", "not ours", "empty"])
def test_so_does_a_change_of_the_pages_themselves(nights: list[JournalPage], how: str) -> None:
    first, last = nights
    if how == "changed":
        last.document["page"]["credits"] += 1
        last.save()
    elif how == "taken out":
        first.delete()
    elif how == "not ours":
        last.document["signature"]["key_id"] = "another"
        last.save()
    else:
        JournalPage.objects.filter(pk=last.pk).update(document={})
    assert len(verification.differences()) == 1
    books.close_day()
    assert books.last_verified().differences == (how != "taken out")  # type: ignore[union-attr]


def test_what_is_not_sound_gets_no_page_and_stays_in_sight(owner: User, nights: list[JournalPage]) -> None:
    job(owner, 1, "capture")
    aged()
    with unprotected():
        LedgerAccount.objects.filter(user=owner, kind="held").update(balance=F("balance") + 1)
    for _ in range(2):
        tasks.close_day()
        assert books.last_verified().differences == 1  # type: ignore[union-attr]
    for _ in range(3):
        tasks.verify()
    assert books.last_verified().differences >= 1  # type: ignore[union-attr]  # though nothing is new
    assert journal.upto() == nights[-1].upto
    with unprotected():
        LedgerAccount.objects.filter(user=owner, kind="held").update(balance=F("balance") - 1)
    tasks.close_day()
    assert books.last_verified().differences == 0  # type: ignore[union-attr]
    assert journal.upto() == Transaction.objects.latest("pk").pk


def test_a_site_whose_cache_is_new_begins_at_the_last_page(nights: list[JournalPage], owner: User) -> None:
    with unprotected():
        LedgerAccount.objects.filter(user=owner, kind="held").update(balance=F("balance") + 1)
    cache.delete(books.KEY)
    assert books.look().differences == 0
    job(owner, 1)
    assert books.look().differences == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("most", [3, journal.MOST])
def test_many_at_once_write_each_page_once(owner: User, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Also while more is written."""
    monkeypatch.setattr(journal, "MOST", most)
    lived(owner)
    bought(owner, 50, "cs_more")
    aged()
    written, count = Transaction.objects.latest("pk").pk, Transaction.objects.count()
    at_once([lambda: journal.close(timezone.now())] * 3 + [lambda: job(owner, 1, "capture")])
    assert journal.upto() == written
    assert list(journal.broken()) == []
    assert sum(page.document["page"]["transactions"] for page in JournalPage.objects.all()) == count
