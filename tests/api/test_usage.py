"""``GET /usage``: the account's own figures, in any time, as JSON and CSV."""

from __future__ import annotations

import csv
import io
from datetime import UTC, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import ApiCall, User
from tests.api.conftest import Asker, code_of

pytestmark = pytest.mark.django_db


def a_call(owner: User, asker: Asker, **fields: Any) -> None:
    usual = {"at": timezone.now(), "endpoint": "GET /jobs", "status": 200, "ms": 7, "bytes_in": 1, "bytes_out": 2}
    ApiCall.objects.create(owner=owner, access_key=asker.key.pk, **(usual | fields))  # type: ignore[union-attr]


def test_by_everything(ours: Asker, theirs: Asker, owner: User, stranger: User) -> None:
    a_call(owner, ours)
    a_call(owner, ours, status=404, endpoint="GET /jobs/{job_id}")
    a_call(stranger, theirs)
    today = timezone.now().astimezone(UTC).date().isoformat()
    found = {by: ours("GET", f"/usage?by={by}").json() for by in ("day", "key", "endpoint", "provider")}
    assert {len(one["rows"]) for one in found.values()} == {30, 1, 2, 0}
    for one in found.values():
        assert one["total"]["calls"] == {
            "calls": 2, "client_errors": 1, "server_errors": 0, "error_rate": 0.5, "bytes_in": 2, "bytes_out": 4,
            "median_ms": 10, "p95_ms": 10,
        }  # fmt: skip
        assert one["total"]["jobs"] == {"jobs": 0, "done": 0, "failed": 0, "credits": 0, "model_bytes": 0}
        assert one["until"][:10] > today
    assert found["day"]["rows"][-1]["name"] == today
    assert found["key"]["rows"][0]["label"] == "test"
    assert found["endpoint"]["rows"][0]["jobs"] is None
    assert theirs("GET", "/usage?by=day").json()["total"]["calls"]["calls"] == 1
    past = ours("GET", "/usage?from=2024-01-01&to=2024-01-31").json()
    assert (past["from"], past["until"]) == ("2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z")
    assert (len(past["rows"]), past["total"]["calls"]["median_ms"]) == (31, None)


def test_as_csv_by_the_query_or_by_accept(ours: Asker, owner: User) -> None:
    a_call(owner, ours)
    for path, accept, media_type in (
        ("/usage", "", "application/json; charset=utf-8"),
        ("/usage", "*/*", "application/json; charset=utf-8"),
        ("/usage", "text/csv", "text/csv; charset=utf-8"),
        ("/usage?format=csv", "application/json", "text/csv; charset=utf-8"),
        ("/usage?format=json", "text/csv", "application/json; charset=utf-8"),
    ):
        answer = ours("GET", path, headers={"Accept": accept} if accept else {})
        assert (answer.status_code, answer["Content-Type"]) == (200, media_type), (path, accept)
        if media_type.startswith("text/csv"):
            table = list(csv.DictReader(io.StringIO(answer.content.decode())))
            assert (len(table), table[-1]["calls"], table[-1]["credits"]) == (30, "1", "0")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-1-1", "from"),
        ("from=0", "from"),
        ("from=2026-01-01T00:00:00", "from"),
        ("to=2019-01-01", "to"),
        ("from=2999-01-01", "from"),
        ("from=2022-01-01&to=2024-01-01", "from"),
        ("by=moon", "by"),
        ("format=xlsx", "format"),
    ],
)
def test_what_cannot_be_shown_is_said_by_field(ours: Asker, query: str, field: str) -> None:
    answer = ours("GET", f"/usage?{query}")
    assert (answer.status_code, code_of(answer), list(answer.json()["errors"])) == (422, "invalid", [field])


def test_days_before_calls_are_counted_are_empty(ours: Asker, owner: User) -> None:
    a_call(owner, ours, at=timezone.now() - timedelta(days=40))
    assert ours("GET", "/usage").json()["total"]["calls"]["calls"] == 0
