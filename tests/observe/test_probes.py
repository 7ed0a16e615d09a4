"""Probes say whether the process and its parts answer, quickly and cheaply, and no more than that."""

from __future__ import annotations

import asyncio
import json
import threading
import time

import pytest

from modelmyimage.probes import FRESH_SECONDS, Parts, Probes
from privacy import keystore
from privacy.errors import Unavailable
from tests.observe.conftest import ask, asked


@pytest.mark.django_db(transaction=True)
def test_a_site_whose_parts_answer_is_ready(settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = []
    assert (ask("/livez", host="10.0.0.7").status, ask("/livez", method="POST").status) == (200, 405)
    answer = ask("/readyz", host="10.0.0.7")
    ok = dict.fromkeys(("database", "broker", "key_store", "object_store"), "ok")
    assert (answer.status, json.loads(answer.body)) == (200, {"ready": True, "parts": ok})
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.django_db(transaction=True)
def test_parts_that_are_away_are_named_and_nothing_about_them(settings, monkeypatch) -> None:
    settings.KEYSTORE_URL = "unix:///nowhere/keystore.sock"
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    settings.STORE_URL = "s3://bucket-kanarie7/x"
    settings.S3_ENDPOINT_URL = "http://127.0.0.1:1"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    answer = ask("/readyz", app=Probes(None))  # type: ignore[arg-type]  # nothing is passed on
    assert answer.status == 503
    said = json.loads(answer.body)
    assert said == {
        "ready": False,
        "parts": {"database": "ok", "broker": "down", "key_store": "down", "object_store": "down"},
    }
    assert ask("/livez", app=Probes(None)).status == 200  # type: ignore[arg-type]


def test_a_crowd_of_probes_asks_once_and_a_part_that_hangs_holds_one_thread() -> None:
    calls: list[str] = []
    release = threading.Event()

    def hangs() -> None:
        calls.append("hangs")
        release.wait(30)

    parts = Parts({"well": lambda: calls.append("well"), "hangs": hangs}, seconds=0.2)

    async def crowd() -> list[dict[str, bool]]:
        return list(await asyncio.gather(*(parts.states() for _ in range(50))))

    async def all_of_it() -> None:
        began = time.monotonic()
        assert await crowd() == [{"well": True, "hangs": False}] * 50
        assert time.monotonic() - began < 2
        assert sorted(calls) == ["hangs", "well"]
        parts.at -= FRESH_SECONDS  # a second later
        assert (await parts.states())["hangs"] is False
        assert sorted(calls) == ["hangs", "well", "well"]
        release.set()
        await asyncio.sleep(0.05)
        parts.at -= FRESH_SECONDS
        assert (await parts.states())["hangs"] is True

    asyncio.run(all_of_it())


def test_other_addresses_pass() -> None:
    async def beyond(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 299, "headers": []})

    assert asyncio.run(asked("/livez/", app=Probes(beyond))).status == 299


def test_a_key_store_that_is_away_says_so(settings) -> None:
    settings.KEYSTORE_URL = "unix:///nowhere/keystore.sock"
    with pytest.raises(Unavailable):
        keystore.ping()
