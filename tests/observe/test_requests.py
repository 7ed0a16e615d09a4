"""A request has one id: in its answer, in its log lines, in the log lines of the tasks that it sends."""

from __future__ import annotations

import json
import logging
import time
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from celery import shared_task
from celery.contrib.testing.worker import start_worker
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from modelmyimage.celery import app as celery
from modelmyimage.logs import JsonLines
from modelmyimage.watching import Watching
from observe import facts, tracing
from tests.observe.conftest import ask

QUEUE = f"test-{uuid4().hex}"


lines: list[dict[str, Any]] = []


@pytest.fixture(autouse=True)
def _from_nothing() -> None:
    lines.clear()


def log(event: str) -> None:
    """Note what production would write of a line."""
    lines.append(json.loads(JsonLines().format(logging.makeLogRecord({"msg": event, "levelname": "INFO"}))))


async def noting(scope: Any, receive: Any, send: Any) -> None:
    """An application that logs in its task and in a thread, and gives no id itself."""
    log("here")
    await sync_to_async(log)("within")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": facts.about()["request"].encode()})


def test_answer_and_lines_bear_the_same_id() -> None:
    answer = ask("/", app=Watching(noting))
    own = answer.headers["request-id"]
    assert facts.IDENTIFIER.fullmatch(own)
    assert answer.body.decode() == own
    assert [(line["event"], line["request"]) for line in lines] == [("here", own), ("within", own)]
    assert facts.about() == {}
    assert ask("/", app=Watching(noting)).headers["request-id"] != own


def test_an_id_is_taken_from_the_named_header_of_our_proxy_alone(settings) -> None:
    given = uuid4().hex
    assert ask("/", app=Watching(noting), x_request_id=given).headers["request-id"] != given
    settings.REQUEST_ID_HEADER = "x-request-id"
    assert ask("/", app=Watching(noting), x_request_id=given).headers["request-id"] == given
    for odd in (f"{given}0", "Kanarie7", f"{given}\n", ""):
        found = ask("/", app=Watching(noting), x_request_id=odd).headers["request-id"]
        assert facts.IDENTIFIER.fullmatch(found)
        assert found != odd


@pytest.mark.django_db(transaction=True)
def test_a_problem_names_the_id_of_its_answer() -> None:
    answer = ask("/api/v1/nowhere")
    assert answer.status == 404
    assert json.loads(answer.body)["request_id"] == answer.headers["request-id"]


@shared_task(name="tests.noted")  # type: ignore[untyped-decorator]  # Celery ships no types
def noted(again: bool) -> None:
    """Logs, and sends itself once more."""
    log("in the task")
    if again:
        noted.apply_async([False], queue=QUEUE)
    else:
        raise ValueError("Kanarie7")


def test_tasks_go_on_with_the_id_and_the_trace_of_the_request_that_sent_them(monkeypatch) -> None:
    monkeypatch.setattr("modelmyimage.logs.hush_crashes", lambda: None)  # the worker is in this process
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracing.switch_on(provider)

    async def sending(scope: Any, receive: Any, send: Any) -> None:
        await sync_to_async(noted.apply_async)([True], queue=QUEUE)
        await send({"type": "http.response.start", "status": 202, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    try:
        own = ask("/", app=Watching(sending)).headers["request-id"]
        with start_worker(celery, pool="solo", queues=[QUEUE], perform_ping_check=False, shutdown_timeout=30) as worker:
            wait_for_two(worker)
    finally:
        tracing.switch_off()
    assert [line["request"] for line in lines] == [own, own]
    assert len({line["task"] for line in lines}) == 2
    request, first, second = sorted(kept.get_finished_spans(), key=lambda span: span.start_time or 0)
    assert request.name == "GET unmatched"
    assert (first.name, second.name) == ("task tests.noted", "task tests.noted")
    assert request.context
    assert first.context
    assert [getattr(one.parent, "span_id", 0) for one in (first, second)] == [
        request.context.span_id,
        first.context.span_id,
    ]
    assert dict(second.attributes or {})["error.type"] == "ValueError"
    assert "Kanarie7" not in "".join(span.to_json() for span in (request, first, second))
    assert facts.about() == {}


def wait_for_two(worker: Any) -> None:
    deadline = time.monotonic() + 30
    while sum(worker.state.total_count.values()) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.1)  # the second one's end
