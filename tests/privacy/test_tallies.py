"""Destroyed blobs are counted the same by the hour as one by one, and once, and strays go with their hour."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from privacy import tallies
from privacy.models import Blob, BlobHour, Receipt
from privacy.retention import longest

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(minute=20)
HOUR = timedelta(hours=1)


def destroyed(ago: timedelta, *, receipt: bool = True) -> Blob:
    at, group = NOW - ago, uuid4()
    if receipt:
        Receipt.objects.create(group=group, issued_at=at, key_id="k", document={})
    return Blob.objects.create(
        group=group, kind="asset", state="destroyed", object_name=str(uuid4()), master_key_id="m", created_at=at,
        expires_at=at, destroyed_at=at,
    )  # fmt: skip


def test_counted_the_same_before_and_after() -> None:
    ages = [timedelta(minutes=minutes) for minutes in (1, 25, 61, 85, 150, 290, 300, 1430, 1439, 1441, 5000)]
    for age in ages:
        destroyed(age)
    spans = [None, timedelta(minutes=30), 2 * HOUR, 5 * HOUR, timedelta(days=1), timedelta(days=30)]

    def counts() -> list[int]:
        return [tallies.destroyed(NOW - span if span else None) for span in spans]

    wanted = [sum(span is None or age <= span for age in ages) for span in spans]
    assert counts() == wanted
    assert tallies.run(NOW) > 3
    assert counts() == wanted
    rows = BlobHour.objects.count()
    tallies.run(NOW)
    assert BlobHour.objects.count() == rows
    destroyed(timedelta(0))
    wanted = [count + 1 for count in wanted]
    assert counts() == wanted
    tallies.run(NOW + 3 * HOUR)
    assert counts() == wanted


def test_an_hour_that_is_not_over_for_long_is_left_open() -> None:
    """Whatever is destroyed in it would be in no count."""
    destroyed(3 * HOUR)
    tallies.run(NOW)
    assert BlobHour.objects.latest("hour").hour + HOUR <= NOW - HOUR
    assert tallies.destroyed() == 1


def test_a_long_past_is_counted_in_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "HOURS_AT_ONCE", 5)
    destroyed(14 * HOUR)
    destroyed(4 * HOUR)
    for _ in range(4):
        assert tallies.destroyed() == 2
        tallies.run(NOW)
    assert BlobHour.objects.count() >= 2
    assert tallies.destroyed() == 2
    assert tallies.destroyed(NOW - 10 * HOUR) == 1


def test_strays_go_with_their_hour_and_stay_counted() -> None:
    long_ago = longest("stray")
    old, listed = destroyed(long_ago + 3 * HOUR, receipt=False), destroyed(long_ago + 3 * HOUR)
    young, almost = destroyed(HOUR * 5, receipt=False), destroyed(long_ago - timedelta(minutes=1), receipt=False)
    for _ in range(3):  # the way there takes more than one round
        tallies.run(NOW)
    assert tallies.forget_strays(NOW) == 1
    assert set(Blob.objects.values_list("pk", flat=True)) == {listed.pk, young.pk, almost.pk}
    assert old.pk not in {listed.pk, young.pk}
    assert tallies.destroyed() == 4
    assert tallies.forget_strays(NOW + timedelta(minutes=5)) == 1  # of an hour that was begun
    done = BlobHour.objects.filter(strays_gone=True).count()
    assert done >= 1
    assert tallies.forget_strays(NOW + timedelta(minutes=5)) == 0
    assert BlobHour.objects.filter(strays_gone=True).count() == done
