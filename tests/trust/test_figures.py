"""The public figures are what the tables say, show what is wrong, and tell nobody whose anything is."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import User
from generation.models import Job
from privacy import receipts, vault
from privacy.models import Blob
from trust import figures, tasks

pytestmark = pytest.mark.django_db
KEPT = [f"{figures.KEPT}:{code}" for code, _name in settings.LANGUAGES]


@pytest.fixture(autouse=True)
def fresh() -> Any:
    """No figures of another test."""
    cache.delete_many([*KEPT, figures.AUDIT_KEY])
    yield
    cache.delete_many([*KEPT, figures.AUDIT_KEY])


def blob(*, age: float, kind: str = "source", left: float = 1000, gone: float | None = None, group: Any = None) -> Blob:
    """A row about a file made ``age`` seconds ago, to go in ``left``, or gone ``gone`` seconds ago."""
    now = timezone.now()
    return Blob.objects.create(
        group=group or uuid4(), kind=kind, object_name=uuid4().hex, master_key_id="k",
        state="sealed" if gone is None else "destroyed", created_at=now - timedelta(seconds=age),
        expires_at=now + timedelta(seconds=left),
        destroyed_at=None if gone is None else now - timedelta(seconds=gone),
    )  # fmt: skip


def delivered(owner: User, *, took: float, ago: float = 100) -> None:
    """A job whose owner had the model ``ago`` seconds ago, and whose model was destroyed ``took`` seconds later."""
    now = timezone.now()
    job = Job.objects.create(
        owner=owner, stage="over", outcome="done", created_at=now, due_at=now, deadline_at=now,
        acknowledged_at=now - timedelta(seconds=ago),
    )  # fmt: skip
    gone = blob(age=ago + 60, kind="asset", gone=ago - took, group=job.pk)
    # Between two looks at the clock lie some hundredths.
    gone.destroyed_at = now - timedelta(seconds=ago - took)
    gone.save()


def by_meaning(found: figures.Trust, word: str) -> figures.Figure:
    return next(figure for figure in found.figures if word in figure.meaning)


def test_nothing_yet(client: Client) -> None:
    page = client.get("/trust")
    assert page.status_code == 200
    text = page.content.decode()
    for said in (
        "there is none",
        "none in 24 h",
        "No receipt yet",
        "none is remembered since",
        "Nothing was made here",
    ):
        assert said in text
    first = client.get("/").content.decode()
    assert "Nothing was made here yet" in first
    for shown in (text, first):
        assert "<b>—" not in shown
        assert "of 0 files" not in shown


def test_of_little_no_more_is_said_than_it_tells(owner: User, client: Client) -> None:
    """No figure where there was nothing to count, no time that reads as none, and how few there were."""
    blob(age=90_000, gone=40 * 86400)
    found = figures.count()
    assert [figure.value for figure in found.first] == ["0", "0", "0", "0"]
    assert [figure.meaning.partition(":")[0] for figure in found.waiting][:2] == [
        "oldest file alive",
        "delivered to destroyed",
    ]
    assert "Nothing was made here yet" not in client.get("/").content.decode()
    delivered(owner, took=0.02)
    times = by_meaning(figures.count(), "delivered")
    assert (times.value, times.unit, times.empty) == ("<\u202f0.1", "s", False)
    assert "from the 1 model" in times.meaning
    for took in (0.3, 0.04):
        delivered(owner, took=took)
    assert "median from 3 models of 24 h; the slowest 0.3 s" in by_meaning(figures.count(), "delivered").meaning
    for _ in range(100):
        delivered(owner, took=0.04)
    assert "99 % within <\u202f0.1 s" in by_meaning(figures.count(), "delivered").meaning


def test_each_language_has_its_own_words(client: Client) -> None:
    """Though the figures are kept for all."""
    blob(age=1)
    for language, said in (("en", "files alive, sealed"), ("de", "Datei vorhanden"), ("en", "file alive, sealed")):
        text = client.get("/trust", headers={"accept-language": language}).content.decode()
        assert (said in text) == (said != "files alive, sealed"), (language, said)


def test_the_figures_are_what_the_tables_say(owner: User) -> None:
    blob(age=41)
    blob(age=5)
    blob(age=90_000, gone=2 * 86400)
    for took in (0.5, 0.6, 0.7, 7.0):
        delivered(owner, took=took)
    delivered(owner, took=1, ago=3 * 86400)
    found = figures.count()
    assert by_meaning(found, "files alive").value == "2"
    oldest = by_meaning(found, "oldest")
    assert (oldest.value, oldest.unit, oldest.bad) == ("41", "s", False)
    assert "17 min" in oldest.meaning
    times = by_meaning(found, "median")
    assert (times.value, times.unit) in {("0.7", "s"), ("0.6", "s")}
    assert "the slowest 7.0 s" in times.meaning
    assert by_meaning(found, "24 hours").value == "4"
    assert by_meaning(found, "30 days").value == "6"
    assert by_meaning(found, "overdue").value == "0"
    assert [(bar.most, bar.count) for bar in found.bars if bar.count] == [(1, 3), (10, 1)]
    assert found.top == 4
    assert max(bar.percent for bar in found.bars) == 75


def test_what_is_wrong_is_said(client: Client) -> None:
    blob(age=4000, left=-500)
    found = figures.count()
    assert by_meaning(found, "overdue").bad
    assert by_meaning(found, "oldest").bad
    text = client.get("/trust").content.decode()
    assert text.count("not as it should be:") == 2
    tasks.audit()  # the row has no object and no key
    cache.delete_many(KEPT)
    assert re.search(r"[1-9]\d* differences?\.", client.get("/trust").content.decode())


def test_an_audit_without_differences(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.STORE_URL = f"file://{tmp_path}"
    redis.from_url(settings.KEYSTORE_URL).flushall()  # what other tests have left
    tasks.audit()
    assert "0 differences" in client.get("/trust").content.decode()


def test_the_roll_tells_nobody_whose(client: Client, owner: User) -> None:
    group = uuid4()
    sealed = vault.seal([b"model"], kind="asset", group=group, limit=100)
    vault.destroy(sealed.pk)
    receipt = receipts.issue(group=group, outcome="done", elsewhere=[])
    text = client.get("/trust").content.decode()
    digest = receipts.digest(receipt.document)
    assert f"R-{digest[:8]}" in text
    for secret in (str(group), str(receipt.pk), str(sealed.pk), owner.email, sealed.object_name):
        assert secret not in text


def test_figures_are_counted_once_for_everybody(client: Client, django_assert_num_queries: Any) -> None:
    client.get("/trust")
    blob(age=1)
    assert "0</b>" in client.get("/trust").content.decode().replace("\n", "")
    with django_assert_num_queries(0):
        client.get("/trust")


def test_without_a_cache(client: Client, settings: Any) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "unix:///nowhere/cache.sock",
        }
    }
    assert client.get("/trust").status_code == 200


def test_every_query_is_shown(client: Client) -> None:
    text = client.get("/trust").content.decode()
    assert text.count("SELECT") >= 6
    assert "privacy_blob" in text


@pytest.mark.parametrize(("most", "top"), [(0, 2), (1, 2), (3, 4), (9, 10), (11, 20), (41, 60), (400, 400), (401, 600)])
def test_the_axis_ends_at_a_round_number(most: int, top: int) -> None:
    assert figures._round_up(most) == top


@pytest.mark.parametrize(("seconds", "said"), [(0.2, "0 s"), (41, "41 s"), (720, "12 min"), (93_600, "26 h")])
def test_spans(seconds: float, said: str) -> None:
    assert " ".join(figures._span(seconds)) == said


def test_a_page_of_the_moment(client: Client) -> None:
    answer = client.get("/trust")
    assert set(answer["Cache-Control"].split(", ")) == {"max-age=30", "private"}
    assert client.post("/trust").status_code == 405
    assert datetime.fromisoformat(re.findall(r'datetime="([^"]+)"', answer.content.decode())[0])
    assert len(answer.content) < 100_000
