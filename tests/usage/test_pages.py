"""The pages of use and of calls: one's own figures alone, for any time, as a page and as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

import accounts.usage
from accounts import keys, rollup
from accounts.call_log import PAGE_SIZE
from accounts.models import ApiCall, User
from accounts.usage import Calls
from generation import usage, usage_pages
from generation.usage import Jobs, Row

pytestmark = pytest.mark.django_db

PATHS = ["/account/usage", "/account/usage/calls", "/account/usage/calls.csv"] + [
    f"/account/usage/by-{by}.{form}" for by in ("day", "key", "endpoint", "provider") for form in ("csv", "json")
]


@pytest.fixture
def mine(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


def rows(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_each_address_by_its_owner_another_customer_and_nobody(
    client: Client, owner: User, stranger: User, called: Callable[..., Any], sent: Callable[..., Any]
) -> None:
    key, _secret = keys.make(owner=owner, name="my own shop", scopes=["read"])
    job = sent(owner, timezone.now(), credits=4711, charged=True, access_key=key)
    called(owner, timezone.now(), 40, access_key=key.pk, job=job.pk, endpoint="GET /of-mine")
    telling = ("my own shop", "/of-mine", str(job.pk), "4711", "4,711", str(key.pk))
    for path in PATHS:
        asked = f"{path}?range=24h&key={key.pk}"
        client.logout()
        assert client.get(asked)["Location"].startswith("/account/login/"), path
        client.force_login(stranger)
        theirs = client.get(asked)
        assert theirs.status_code == 200, path
        said = theirs.content.decode().replace(f'value="{key.pk}"', "").replace(f"key={key.pk}", "")  # what was asked
        assert not [one for one in telling if one in said], path
        client.force_login(owner)
        ours = client.get(asked)
        assert ours.status_code == 200
        assert any(one in ours.content.decode() for one in telling), path
        assert len(ours.content) < 100_000 or path.endswith("calls.csv")
        assert client.post(path).status_code == 405


def test_a_year_of_everything_stays_a_small_page(mine: Client, owner: User, called: Callable[..., Any]) -> None:
    for back in range(0, 30, 3):
        for number in range(3):
            called(owner, timezone.now() - timedelta(days=back), endpoint=f"GET /{number}", access_key=uuid4())
    rollup.run(timezone.now())
    today = timezone.now().astimezone(UTC).date()
    page = mine.get(f"/account/usage?range=custom&from={today - timedelta(days=365)}&to={today}")
    assert page.status_code == 200
    assert "By week" in page.content.decode()
    assert 4 <= page.content.decode().count("<rect x=") <= 6  # thirty days in weeks; where there is nothing, no bar
    assert len(page.content) < 100_000
    table = rows(mine.get(f"/account/usage/by-day.csv?range=custom&from={today - timedelta(days=365)}&to={today}"))
    assert len(table) == 366
    assert sum(int(row["calls"]) for row in table) == 30


def test_a_week_is_its_days(owner: User, called: Callable[..., Any], sent: Callable[..., Any]) -> None:
    """From Monday to Sunday, cut where the time begins and ends; of sums and of what is recent alike."""
    now = timezone.now()
    for back in (0, 1, 2, 3, 5, 8, 20, 99, 100):
        called(owner, now - timedelta(days=back), 1 + back, status=404 if back % 2 else 200, ms=back)
        sent(owner, now - timedelta(days=back), outcome="done" if back % 2 else "", credits=back, charged=True)
    rollup.run(now)
    span = accounts.usage.last_days(100)
    weeks: dict[str, list[Row]] = {}
    for day in usage.report(owner, span, "day").rows:
        monday = date.fromisoformat(day.name) - timedelta(days=date.fromisoformat(day.name).weekday())
        weeks.setdefault(monday.isoformat(), []).append(day)
    found = usage.report(owner, span, "week")
    assert len(found.rows) == len(weeks)
    for row, days in zip(found.rows, weeks.values(), strict=True):
        assert row.name == days[0].name
        assert row.label in (days[0].name, f"{days[0].name} – {days[-1].name}")
        calls, jobs = Calls(), Jobs()
        for day in days:
            calls.merge(day.calls or Calls())
            jobs.add(day.jobs or Jobs())
        assert (row.calls, row.jobs) == (calls, jobs)
    assert found.total.calls
    assert found.total.calls.calls >= sum(1 + back for back in (0, 1, 2, 3, 5, 8, 20))
    assert found.total.jobs
    assert found.total.jobs.jobs == 8  # the last is older than the time


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from=yesterday", "Write a date as year-month-day"),
        ("from=2027-02-30", "Write a date as year-month-day"),
        ("to=1999-01-01", "Nothing was counted before 2020-01-01"),
        ("from=2020-01-01", "At most 366 days at once"),
        ("from=9999-12-31", "That day is still to come"),
        ("from=2024-05-02&to=2024-05-01", "This is after the last day"),
        ("from=%3Cscript%3E&to=%00", "Write a date as year-month-day"),
    ],
)
def test_wrong_days_are_said_and_not_lost(mine: Client, query: str, said: str) -> None:
    page = mine.get(f"/account/usage?range=custom&{query}")
    assert page.status_code == 422
    assert said in page.content.decode()
    assert "<script>" not in page.content.decode()
    first = query.partition("from=")[2].partition("&")[0]
    if first.isascii() and "%" not in first:
        assert f'value="{first}"' in page.content.decode()
    answer = mine.get(f"/account/usage/by-day.csv?range=custom&{query}")
    assert (answer.status_code, said in answer.content.decode()) == (422, True)


def test_what_is_no_range_and_no_file(mine: Client) -> None:
    assert "By day" not in mine.get("/account/usage?range=nonsense").content.decode()  # nothing was used yet
    for path in ("by-moon.csv", "by-day.xlsx", "by-day"):
        assert mine.get(f"/account/usage/{path}").status_code == 404
    assert "so nothing to show" in mine.get("/account/usage").content.decode()
    assert "No calls yet, so nothing to show" in mine.get("/account/usage/calls").content.decode()


def test_files_hold_what_the_page_shows(mine: Client, owner: User, called: Callable[..., Any]) -> None:
    key, _secret = keys.make(owner=owner, name='=cmd|"/c calc"!A1', scopes=["read"])
    called(owner, timezone.now(), 3, access_key=key.pk, ms=40)
    called(owner, timezone.now(), 1, access_key=key.pk, ms=900, status=500)
    answer = mine.get("/account/usage/by-key.csv?range=7d")
    assert answer["Content-Disposition"].startswith('attachment; filename="usage-by-key-')
    (row,) = rows(answer)
    assert row["label"].startswith("'=cmd")
    assert (row["key"], row["calls"], row["server_errors"], row["error_rate"]) == (str(key.pk), "4", "1", "0.25")
    assert (row["median_ms"], row["p95_ms"], row["jobs"]) == ("40", "1000", "0")
    document = mine.get("/account/usage/by-hour.json?range=24h").json()
    assert (document["by"], len(document["rows"]), document["total"]["calls"]["calls"]) == ("hour", 24, 4)
    assert rows(mine.get("/account/usage/by-provider.csv")) == []


def test_calls_in_pages_that_stay_put(mine: Client, owner: User, called: Callable[..., Any]) -> None:
    """Page by page, every call once, also of the same moment, while new ones come."""
    now = timezone.now()
    called(owner, now - timedelta(minutes=2), PAGE_SIZE)
    called(owner, now - timedelta(minutes=1), PAGE_SIZE + 10)
    expected = set(ApiCall.objects.values_list("pk", flat=True))
    found: list[Any] = []
    address, answer = "/account/usage/calls", mine.get("/account/usage/calls")
    while True:
        found += [call.pk for _name, call in answer.context["calls"]]
        called(owner, now, 1)
        if not answer.context["before"]:
            break
        answer = mine.get(address, {"before": answer.context["before"]})
    assert len(found) == len(expected)
    assert set(found) == expected
    for nonsense in ("x", "2026-01-01T00:00:00_x", "9999-12-31T23:59:59+00:00_" + str(uuid4()), "\x00", "_" * 5000):
        assert mine.get(address, {"before": nonsense, "key": nonsense}).status_code == 200


def test_calls_by_key_and_errors(
    mine: Client, owner: User, called: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    key, _secret = keys.make(owner=owner, name="-shop", scopes=["read"])
    called(owner, timezone.now(), 2, access_key=key.pk)
    called(owner, timezone.now(), 3, access_key=key.pk, status=404)
    called(owner, timezone.now(), 4, status=500)
    for query, number in (("", 9), (f"?key={key.pk}", 5), (f"?key={key.pk}&only=errors", 3), ("?only=errors", 7)):
        assert len(mine.get(f"/account/usage/calls{query}").context["calls"]) == number
        assert len(rows(mine.get(f"/account/usage/calls.csv{query}"))) == number
    assert rows(mine.get(f"/account/usage/calls.csv?key={key.pk}"))[0]["key_name"] == "'-shop"
    monkeypatch.setattr(usage_pages, "MOST_SAVED", 2)
    assert len(rows(mine.get("/account/usage/calls.csv"))) == 2
    empty = mine.get(f"/account/usage/calls?key={uuid4()}")
    assert "No such call in the last 30 days" in empty.content.decode()
