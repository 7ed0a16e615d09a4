"""``manage.py providers``: what an operator sees of the providers, and a probe that cleans up behind itself."""

from __future__ import annotations

import io

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command

from generation import health
from sandbox.providers.simulator import Answer
from tests.providers.stands import stands

pytestmark = pytest.mark.django_db
MESHY = next(stand for stand in stands() if stand.name == "meshy")
STABILITY = next(stand for stand in stands() if stand.name == "stability-sf3d")


def told(*arguments: str) -> str:
    out = io.StringIO()
    call_command("providers", *arguments, stdout=out)
    return out.getvalue()


def test_lists_cards_health_and_what_is_missing(start, job_for, run, settings) -> None:
    start(MESHY)
    settings.PROVIDERS = ["meshy", "embedded", "tripo"]
    run(job_for("meshy"))
    cache.clear()  # figures are some seconds old
    page = told()
    assert (
        "meshy: Meshy, not stated\n  in; 1 attempts in the last hour, 0 failed, 0 sent away, 0 under way, took" in page
    )
    assert "credits 6/10/12; slots 10; hosts " in page
    assert "api.meshy.ai" in page
    assert "tripo: Tripo\n  listed, but not set up: set TRIPO_API_KEY" in page
    assert "not in use: " in page
    assert "test-key" not in page
    for _ in range(health.IN_A_ROW):
        health.failed("meshy")
    assert "out (failing), tried again in" in told()


def test_wrong_key_is_the_operators_to_see(start, job_for, run, settings) -> None:
    start(MESHY)
    settings.PROVIDER_ENVIRONMENT = {**settings.PROVIDER_ENVIRONMENT, "MESHY_API_KEY": "wrong"}
    run(job_for("meshy"), steps=3, ends=False)
    assert "NOT CONFIGURED CORRECTLY" in told()
    with pytest.raises(CommandError, match="Not configured correctly"):
        told("--probe", "meshy")


def test_probe_runs_one_call_and_erases_it(start, monkeypatch) -> None:
    running = start(MESHY)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    page = told("--probe", "meshy")
    (call,) = running.calls.values()
    assert f"taken, as {call.id}" in page
    assert "a mesh of 320 triangles" in page
    assert "erased: erased" in page
    assert call.erased


def test_probe_of_one_that_answers_at_once(start) -> None:
    running = start(STABILITY)
    assert "a mesh of 320 triangles" in told("--probe", "stability-sf3d")
    assert len(running.calls) == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [(Answer(503), "does not answer"), (Answer(400, b"no"), "declined"), (Answer(500), "It failed: Unclear")],
)
def test_probe_says_what_is_wrong(start, fault, said) -> None:
    running = start(MESHY)
    running.fail("create", fault)
    with pytest.raises(CommandError, match=said):
        told("--probe", "meshy")


def test_probe_of_a_call_that_fails_erases_it_too(start, monkeypatch) -> None:
    running = start(MESHY)
    running.behaviour.fails = True
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(CommandError, match="gave up"):
        told("--probe", "meshy")
    assert all(call.erased for call in running.calls.values())
    with pytest.raises(CommandError, match="not listed"):
        told("--probe", "nobody")
