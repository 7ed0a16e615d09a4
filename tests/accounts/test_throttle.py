"""Limits: so many and no more, in any number of processes; none when the cache is away."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.utils.translation import gettext_lazy as _

from accounts import throttle
from accounts.throttle import AtOnce, Exceeded, Rate
from privacy.retention import longest

WORDS = _("for a test")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(throttle.RATES, "key", Rate("key", "key", 5, 1, WORDS))
    monkeypatch.setitem(throttle.RATES, "account", Rate("account", "account", 8, 60, WORDS))
    monkeypatch.setitem(throttle.AT_ONCE, "uploads_key", AtOnce("uploads_key", "key", 2, 1, WORDS))


def attempts(wanted: dict[str, str], number: int) -> list[bool]:
    def one(_: int) -> bool:
        try:
            throttle.take(wanted)
        except Exceeded:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(one, range(number)))


def test_so_many_at_once_and_then_as_they_come_back(small: None) -> None:
    who = {"key": str(uuid4())}
    began = time.monotonic()
    passed = sum(attempts(who, 30))
    assert 5 <= passed <= 6 + int((time.monotonic() - began) * 5)
    attempts(who, 10)
    with pytest.raises(Exceeded) as reached:
        throttle.take(who)
    assert 0 < reached.value.wait <= 0.2
    assert reached.value.standing[0].header.startswith('"key";r=0;t=')
    time.sleep(reached.value.wait + 0.05)
    throttle.take(who)


def test_what_one_bucket_refuses_is_taken_from_none(small: None) -> None:
    account = str(uuid4())
    for _number in range(8):
        throttle.take({"key": str(uuid4()), "account": account})
    key = str(uuid4())
    for _number in range(20):
        with pytest.raises(Exceeded):
            throttle.take({"key": key, "account": account})
    standing = throttle.take({"key": key})
    assert standing[0].header.startswith('"key";r=4;')
    assert standing[0].policy == '"key";q=5;w=1'


def test_one_is_not_limited_by_another(small: None) -> None:
    first, second = {"key": str(uuid4())}, {"key": str(uuid4())}
    attempts(first, 20)
    throttle.take(second)


def test_a_number_at_once(small: None) -> None:
    who = {"uploads_key": str(uuid4())}
    one, two = throttle.enter(who), throttle.enter(who)
    with pytest.raises(Exceeded):
        throttle.enter(who)
    throttle.leave(who, one)
    three = throttle.enter(who)
    with pytest.raises(Exceeded):
        throttle.enter(who)
    throttle.leave(who, two)
    throttle.leave(who, three)
    with throttle.inside(who), throttle.inside(who):
        pass


def test_what_nobody_left_ends_by_itself(small: None) -> None:
    who = {"uploads_key": str(uuid4())}
    throttle.enter(who), throttle.enter(who)
    time.sleep(2.1)  # whole seconds are counted
    throttle.enter(who)


def test_without_the_cache_everything_passes(settings: Any, tmp_path: Any) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": f"unix://{tmp_path}/nobody.sock"}}
    assert throttle.take({"key": "k"}, count="k") == []
    assert throttle.enter({"uploads_key": "k"}) == ""
    throttle.leave({"uploads_key": "k"}, "")
    assert throttle.counted("k") == 0


def test_a_call_is_counted_as_it_is_taken_and_only_then(small: None) -> None:
    key, who = str(uuid4()), {"account": str(uuid4())}
    for _number in range(8):
        throttle.take(who, count=key)
    with pytest.raises(Exceeded):
        throttle.take(who, count=key)
    assert throttle.counted(key) == 8
    throttle.taken(key, 7)
    assert throttle.counted(key) == 1


def test_counters_end_within_their_period() -> None:
    spans = [rate.seconds for rate in throttle.RATES.values()] + [one.seconds for one in throttle.AT_ONCE.values()]
    assert max(spans) <= longest("rate_limit").total_seconds()


def test_no_address_or_number_is_written_down_as_it_is(small: None) -> None:
    throttle.take({"key": "203.0.113.77"})
    names = throttle._client().keys("api:*")
    assert names
    assert not any(b"203.0.113" in name for name in names)
