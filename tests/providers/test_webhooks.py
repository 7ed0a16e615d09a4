"""A webhook is a reason to look: only a verified one, only at the job it is about, and never for what it says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generation import registry
from generation.models import Job
from generation.provider import Forged
from generation.providers.meshy import Meshy
from generation.webhooks import LONGEST
from tests.providers.stands import stands

pytestmark = pytest.mark.django_db(transaction=True)
MESHY = next(stand for stand in stands() if stand.name == "meshy")


class Heard(Meshy):
    """A provider that can be called back; the password stands for a signature."""

    def heard(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> str:
        """See ``Hooked``."""
        if headers.get("signature") != "good":
            raise Forged
        return body.decode()


@pytest.fixture
def running(start, settings):
    simulator = start(MESHY)
    simulator.behaviour.polls = 0
    settings.PROVIDERS = [f"{__name__}:Heard"]
    return simulator


def post(body: bytes | str, name: str = "meshy", signature: str = "good") -> int:
    sent = Client(enforce_csrf_checks=True).post(
        reverse("generation:hook", args=[name]), body, content_type="application/json", headers={"signature": signature}
    )
    assert sent.content == b""
    return int(sent.status_code)


def test_verified_hook_wakes_its_job_and_no_other(running, job_for, run) -> None:
    jobs = [run(job_for("meshy"), until=Job.Stage.WATCH) for _ in range(2)]
    later = timezone.now() + timedelta(hours=1)
    Job.objects.update(due_at=later)
    assert post(jobs[0].attempts.get().remote_id) == 200
    due = [Job.objects.get(pk=job.pk).due_at for job in jobs]
    assert due[0] <= timezone.now() < due[1] == later
    assert run(jobs[0]).outcome == Job.Outcome.DONE


def test_nobody_else_moves_anything(running, job_for, run, settings) -> None:
    job = run(job_for("meshy"), until=Job.Stage.WATCH)
    remote_id = job.attempts.get().remote_id
    later = timezone.now() + timedelta(hours=1)
    Job.objects.update(due_at=later)
    assert post(remote_id, signature="forged") == 400
    assert post("no such call") == 200, "a stranger with a key learns nothing"
    assert post("") == 200
    assert post(remote_id, name="nobody") == 404
    assert post(b"x" * (LONGEST + 1)) == 413
    assert Client().get(reverse("generation:hook", args=["meshy"])).status_code == 405
    settings.PROVIDERS = ["meshy"]
    assert post(remote_id) == 404, "a provider that has no webhooks"
    assert Job.objects.get(pk=job.pk).due_at == later


def test_hook_is_only_asked_for_where_the_operator_wants_it(running, job_for, run, settings, monkeypatch) -> None:
    given: list[str] = []
    submit = Meshy.submit

    def submitted(self, brief):
        given.append(brief.hook)
        return submit(self, brief)

    monkeypatch.setattr(Meshy, "submit", submitted)
    run(job_for("meshy"))
    settings.PROVIDER_HOOKS, settings.SITE_URL = ["meshy"], "https://models.example"
    run(job_for("meshy"))
    assert given == ["", "https://models.example/hooks/meshy"]


def test_polling_alone_suffices(running, job_for, run) -> None:
    assert run(job_for("meshy")).outcome == Job.Outcome.DONE
    assert registry.card("meshy").name == "meshy"
