"""What Prometheus is told, and who may ask."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from billing import books, verification
from generation import health, tasks
from generation.models import Job
from modelmyimage import metrics, state_metrics
from observe import meters, tracing
from privacy.models import Blob
from tests.environment import ROOT, bare
from tests.observe.conftest import TOKEN, ask

Figures = Callable[[], str]


def values(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Each sample by its name and the values of its labels, which are in the order of their names."""
    return {
        (sample.name.removeprefix("modelmyimage_"), tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """What is traced, once it is over."""
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracing.switch_on(provider)
    yield kept
    tracing.switch_off()


@pytest.mark.django_db(transaction=True)
def test_nobody_gets_figures_without_the_token(settings) -> None:
    settings.METRICS_TOKEN = ""
    assert ask("/metrics", authorization="Bearer ").status == 404
    settings.METRICS_TOKEN = TOKEN
    for shown in ({}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {TOKEN}"}):
        refused = ask("/metrics", **shown)
        assert (refused.status, refused.body) == (401, b"")
        assert refused.headers["www-authenticate"] == "Bearer"


@pytest.mark.django_db(transaction=True)
def test_a_job_is_seen_from_the_request_to_its_receipt(send, drive, service, counting: Figures, spans) -> None:
    job = send()
    while job.stage != Job.Stage.DELIVER:
        Job.objects.filter(pk=job.pk).update(due_at=job.created_at)
        tasks.advance(str(job.pk))
        job.refresh_from_db()
    told = values(counting())
    assert told["jobs", ("scripted", "deliver")] == 1
    assert told["blobs", ("asset",)] == 1
    assert told["blob_oldest_seconds", ()] > 0
    Job.objects.filter(pk=job.pk).update(acknowledged_at=timezone.now())
    drive(job)
    ask("/pricing")

    told = values(counting())
    for stage in ("prepare", "dispatch", "watch", "collect", "inspect", "settle", "deliver", "purge"):
        assert told["stage_seconds_count", (stage,)] == 1, stage
        assert told["step_seconds_count", (stage,)] >= 1, stage
    assert told["jobs_ended_total", ("", "done", "scripted")] == 1
    assert told["job_ready_seconds_count", ("scripted",)] == 1
    assert told["destruction_seconds_count", ()] == 1
    assert told["attempt_seconds_count", ("scripted", "finished")] == 1
    for call in ("submit", "poll", "fetch", "erase"):
        assert told["provider_call_seconds_count", (call, "scripted", "answered")] >= 1, call
    assert told["blobs_destroyed_total", ("upload",)] == 1
    assert told["blobs_destroyed_total", ("asset",)] == 1
    assert told["http_request_seconds_count", ("billing:pricing", "2xx")] == 1
    assert ("jobs", ("scripted", "deliver")) not in told
    assert {value for (name, _), value in told.items() if name == "part_failed"} == {0}
    assert {value for (name, _), value in told.items() if name == "part_up"} == {1}

    found = spans.get_finished_spans()
    names = {span.name for span in found}
    assert {"stage prepare", "stage purge", "provider submit", "provider fetch", "GET billing:pricing"} <= names
    submitted = next(span for span in found if span.name == "provider submit")
    assert parent(found, submitted).name == "stage dispatch"
    assert (submitted.attributes or {})["modelmyimage.provider"] == "scripted"
    assert {name for span in found for name in span.attributes or {}} <= {
        f"modelmyimage.{name}" for name in ("job", "stage", "outcome", "failure", "provider", "request", "status")
    }
    everything = counting() + "".join(span.to_json() for span in found)
    assert job.owner.email not in everything
    assert "/pricing" not in everything
    assert service.url not in everything
    assert str(job.pk) not in counting()


def parent(spans: tuple[ReadableSpan, ...], span: ReadableSpan) -> ReadableSpan:
    return next(one for one in spans if span.parent and one.context.span_id == span.parent.span_id)


@pytest.mark.django_db(transaction=True)
def test_what_is_late_or_wrong_is_told(send, service, counting: Figures, monkeypatch) -> None:
    now = timezone.now()
    job = send()
    Job.objects.filter(pk=job.pk).update(due_at=now - timedelta(minutes=7))
    Blob.objects.filter(group=job.pk).update(expires_at=now - timedelta(hours=1))
    health.misconfigured("scripted")
    monkeypatch.setattr(verification, "differences", lambda: ["entry 1: odd", "entry 2: odd"])
    books.verify_now()
    told = values(counting())
    assert told["queue_waiting", ("engine",)] == 1
    assert 400 < told["queue_oldest_seconds", ("engine",)] < 600
    assert told["queue_waiting", ("default",)] == 0
    assert told["blobs_overdue", ()] == 1
    assert told["provider_out", ("scripted", "misconfigured")] == 1
    assert told["provider_out", ("scripted", "failing")] == 0
    assert told["ledger_mismatches", ()] == 2
    assert told["ledger_verified_seconds", ()] < 60
    health.worked("scripted")
    monkeypatch.setattr(Blob.objects, "open", broken)
    told = values(counting())
    assert (told["part_failed", ("blobs",)], told["part_failed", ("jobs",)]) == (1, 0)
    assert ("queue_waiting", ("engine",)) in told


def broken() -> None:
    raise RuntimeError


@pytest.mark.skipif(connection.vendor != "postgresql", reason="plans as Postgres makes them")
@pytest.mark.django_db(transaction=True)
def test_an_index_answers_every_question_about_tables_that_grow(service) -> None:
    with CaptureQueriesContext(connection) as asked:
        for part in (state_metrics.jobs, state_metrics.blobs, state_metrics.hooks, state_metrics.logged):
            list(part())
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")  # the tables are too small for an index to pay
        try:
            for query in asked.captured_queries:
                cursor.execute("EXPLAIN " + query["sql"])
                plan = "\n".join(line for (line,) in cursor.fetchall())
                assert not re.search("Seq Scan on (generation_|privacy_|billing_)", plan), plan
        finally:
            cursor.execute("RESET enable_seqscan")
    assert len(asked) >= 9


def test_labels_take_names_from_code_only(counting: Figures) -> None:
    meters.CALLS.time(1, provider="photo of a@b.example", call="poll", result="/in/token")
    family = meters.registry().collect()
    labels = {value for one in family for sample in one.samples for value in sample.labels.values()}
    assert labels >= {"other", "poll"}
    assert not any("@" in label or "/" in label for label in labels)


def test_the_port_of_its_own_asks_for_the_token_and_says_nothing_else(settings, counting: Figures) -> None:
    settings.METRICS_HOST, settings.METRICS_PORT = "127.0.0.1", 0
    url = f"http://127.0.0.1:{metrics.listen(state=False)}"
    for path, status in (("/metrics", 401), ("/", 404)):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url + path)  # noqa: S310  # ours
        assert refused.value.code == status
    asks = urllib.request.Request(f"{url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})  # noqa: S310
    with urllib.request.urlopen(asks) as answer:  # noqa: S310
        assert b"modelmyimage_jobs_ended_total" in answer.read()


PROGRAM = """
import importlib, os, sys
from observe import meters
from modelmyimage import metrics
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
assert settings.LOCAL
import modelmyimage.error_tracking, modelmyimage.telemetry
assert not {"prometheus_client", "opentelemetry", "sentry_sdk"} & set(sys.modules)
meters.switch_on()
metrics._share_with_children()
folder = os.environ["PROMETHEUS_MULTIPROC_DIR"]
meters.DESTROYED.count(kind="asset")
for _ in range(2):
    if not os.fork():
        meters.DESTROYED.count(by=10, kind="asset")
        os._exit(0)
    os.wait()
print(folder)
print(metrics.text(state=False).decode())

os.environ["METRICS_TOKEN"] = "nineteen-characters"
try:
    importlib.reload(sys.modules["modelmyimage.settings"])
except ImproperlyConfigured:
    print("# a token that short is refused")
"""


def test_what_children_count_is_told_by_their_parent(tmp_path: Path) -> None:
    from scripts import check

    environment = {**bare(), **check.local(str(tmp_path)), "DJANGO_SETTINGS_MODULE": "modelmyimage.settings"}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    folder, _, text = done.stdout.partition("\n")
    assert values(text)["blobs_destroyed_total", ("asset",)] == 21
    assert not Path(folder).exists()
    assert "a token that short is refused" in text
