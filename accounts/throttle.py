"""How often programs may call: every limit of the API stands here, is shown on its page, and in its answers' headers.

A ``Rate`` is a bucket of ``calls`` that refills evenly in ``seconds``: so many at once, and that many more in each such
time. A request takes one from each bucket that it falls under, or from none; one script in the cache does that in one
step, so processes do not need to agree. An ``AtOnce`` limits what is under way at the same time.

When the cache is away, everything is let through: the limits protect everybody's speed, not anybody's data (a secret
has 256 random bits), and the API must not depend on more than it needs.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

import redis
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rate:
    """``calls`` in ``seconds`` for each key, account or address (``per``)."""

    name: str
    per: str
    calls: int
    seconds: int
    what: Promise


@dataclass(frozen=True)
class AtOnce:
    """``most`` at the same time for each key or address; one whose end nobody told ends after ``seconds``."""

    name: str
    per: str
    most: int
    seconds: int
    what: Promise


RATES: Final = {
    rate.name: rate
    for rate in (
        Rate("address", "address", 1200, 60, _("all requests from one network address")),
        Rate("key", "key", 600, 60, _("all requests with one key")),
        Rate("account", "account", 1200, 60, _("all requests with the keys of one account")),
        Rate("sending", "account", 60, 60, _("photos sent: POST /jobs and POST /generate")),
        Rate("copies", "account", 5, 3600, _("copies of what is held about you: GET /privacy/export")),
        Rate("webhook_sends", "account", 30, 60, _("tests of webhooks, and notifications sent again")),
        Rate("refused", "address", 60, 60, _("requests whose key we do not know, and reports of leaked keys")),
    )
}

AT_ONCE: Final = {
    limit.name: limit
    for limit in (
        AtOnce("uploads_key", "key", 4, 300, _("photos that are being received, with one key")),
        AtOnce("uploads_address", "address", 8, 300, _("photos that are being received, from one network address")),
        AtOnce("waiting_key", "key", 20, 660, _("requests that wait: ?wait=, Prefer: wait, /events and /generate")),
    )
}

TAKE: Final = """
local time = redis.call('TIME')
local now, wait, left, rates = time[1] + time[2] / 1000000, 0, {}, #ARGV / 2
for i = 1, rates do
  local name = KEYS[i]
  local calls, seconds = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local kept = redis.call('HMGET', name, 'left', 'at')
  local has = tonumber(kept[1] or calls)
  has = math.min(calls, has + math.max(0, now - tonumber(kept[2] or now)) * calls / seconds)
  left[i] = has
  if has < 1 then wait = math.max(wait, (1 - has) * seconds / calls) end
end
local answer = {tostring(wait)}
for i = 1, rates do
  if wait == 0 then
    left[i] = left[i] - 1
    redis.call('HSET', KEYS[i], 'left', tostring(left[i]), 'at', tostring(now))
    redis.call('EXPIRE', KEYS[i], ARGV[2 * i])
  end
  answer[i + 1] = tostring(left[i])
end
if wait == 0 and KEYS[rates + 1] then redis.call('INCR', KEYS[rates + 1]) end
return answer
"""

ENTER: Final = """
local now = tonumber(redis.call('TIME')[1])
for i, name in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', name, '-inf', now)
  if redis.call('ZCARD', name) >= tonumber(ARGV[2 * i]) then return i end
end
for i, name in ipairs(KEYS) do
  redis.call('ZADD', name, now + ARGV[2 * i + 1], ARGV[1])
  redis.call('EXPIRE', name, ARGV[2 * i + 1])
end
return 0
"""


@dataclass(frozen=True)
class Standing:
    """How one bucket stands after a request."""

    rate: Rate
    left: float

    @property
    def policy(self) -> str:
        """An item of the header ``RateLimit-Policy``."""
        return f'"{self.rate.name}";q={self.rate.calls};w={self.rate.seconds}'

    @property
    def header(self) -> str:
        """An item of the header ``RateLimit``: calls left, and seconds until the bucket is full again."""
        missing = self.rate.calls - self.left
        full = missing * self.rate.seconds / self.rate.calls
        return f'"{self.rate.name}";r={max(0, int(self.left))};t={int(full) + (full > int(full))}'


class Exceeded(Exception):
    """A limit is reached; ``wait`` are the seconds after which another try makes sense."""

    def __init__(self, wait: float, standing: Sequence[Standing] = ()) -> None:
        super().__init__(f"{wait:.0f} s")
        self.wait = wait
        self.standing = standing


def take(wanted: Mapping[str, str], *, count: str = "") -> list[Standing]:
    """Take a call from the bucket of each named rate, for whom the value says. Raises ``Exceeded``.

    ``count``: the key whose call it is, counted in the same step until the number is ``taken`` to the key's row.
    """
    rates = [RATES[name] for name in wanted]
    numbers = [number for rate in rates for number in (rate.calls, rate.seconds)]
    places = [_place(name, whose) for name, whose in wanted.items()]
    try:
        wait, *left = _scripts()["take"]([*places, _calls(count)] if count else places, numbers)
    except redis.RedisError as error:
        _away(error)
        return []
    standing = [Standing(rate, float(each)) for rate, each in zip(rates, left, strict=True)]
    if float(wait) > 0:
        raise Exceeded(float(wait), standing)
    return standing


def enter(wanted: Mapping[str, str]) -> str:
    """Begin what each named limit allows a number of at once; what to give ``leave``. Raises ``Exceeded``."""
    limits = [AT_ONCE[name] for name in wanted]
    entry = uuid4().hex
    numbers = [number for limit in limits for number in (limit.most, limit.seconds)]
    try:
        full = int(_scripts()["enter"]([_place(name, whose) for name, whose in wanted.items()], [entry, *numbers]))
    except redis.RedisError as error:
        _away(error)
        return ""
    if full:
        raise Exceeded(1.0)
    return entry


def leave(wanted: Mapping[str, str], entry: str) -> None:
    """End what was entered."""
    if not entry:
        return
    try:
        with _client().pipeline(transaction=False) as pipe:
            for name, whose in wanted.items():
                pipe.zrem(_place(name, whose), entry)
            pipe.execute()
    except redis.RedisError as error:
        _away(error)


@contextmanager
def inside(wanted: Mapping[str, str]) -> Iterator[None]:
    """``enter`` and ``leave``."""
    entry = enter(wanted)
    try:
        yield
    finally:
        leave(wanted, entry)


def counted(key_id: str) -> int:
    """Calls of a key since its row was written."""
    try:
        return int(_client().get(_calls(key_id)) or 0)
    except redis.RedisError as error:
        _away(error)
        return 0


def taken(key_id: str, calls: int) -> None:
    """These calls are in the key's row now."""
    try:
        _client().decrby(_calls(key_id), calls)
    except redis.RedisError as error:
        _away(error)


def _place(name: str, whose: str) -> str:
    # An address is not written down as it is, nor can anybody choose where we write.
    return f"api:limit:{name}:{sha256(whose.encode()).hexdigest()[:32]}"


def _calls(key_id: str) -> str:
    return f"api:calls:{key_id}"


def _client() -> redis.Redis:
    return _connected(settings.CACHES["default"]["LOCATION"])


@cache
def _connected(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0)


def _scripts() -> dict[str, Any]:
    return _registered(settings.CACHES["default"]["LOCATION"])


@cache
def _registered(url: str) -> dict[str, Any]:
    client = _connected(url)
    return {"take": client.register_script(TAKE), "enter": client.register_script(ENTER)}


def _away(error: redis.RedisError) -> None:
    logger.warning("the cache is away; no limit is kept", extra={"failure": type(error).__name__.lower()})
