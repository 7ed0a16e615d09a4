"""The contract of every provider: whatever its service does, a job ends as it should, paid for once, receipt true.

Each test runs for each stand (``tests/providers/stands.py``), through the pipeline and over HTTP. Cards of one adapter
that behave alike differ by what they offer: the first of them stands for all in what does not depend on that, except
at full length (``make test-long``).
"""

from __future__ import annotations

import io
import logging
from datetime import datetime
from uuid import uuid4

import numpy as np
import pytest
from PIL import Image

from billing import ledger
from billing.models import Transaction
from generation import health, intake, registry
from generation.models import Attempt, Job
from generation.options import JobOptions
from generation.provider import Erased
from privacy import receipts, vault
from privacy.models import Receipt
from sandbox.providers.simulator import Answer, Simulator
from tests.long import LONG
from tests.providers.stands import Stand, stands

pytestmark = pytest.mark.django_db
Stage, Outcome = Job.Stage, Job.Outcome
ALL = stands()
KINDS = ("create", "poll", "fetch", "erase")


EACH = pytest.mark.parametrize("stand", ALL, ids=lambda one: one.name)


def every(stand: object = None) -> pytest.MarkDecorator:
    """Run for every adapter in each of its ways, or for those of which ``stand`` says yes."""
    chosen = [one for one in ALL if stand is None or stand(one)]  # type: ignore[operator]  # a predicate
    first = list({one.ways: one for one in reversed(chosen)}.values())[::-1]
    return pytest.mark.parametrize("stand", chosen if LONG else first, ids=lambda one: one.name)


def one_of_each_kind(stand: object = None) -> pytest.MarkDecorator:
    """Run for one adapter that answers at once and for one that is polled: what is proved is our rule, not theirs."""
    chosen = [one for one in ALL if stand is None or stand(one)]  # type: ignore[operator]  # a predicate
    kinds = list({one.synchronous: one for one in reversed(chosen)}.values())
    return pytest.mark.parametrize("stand", chosen if LONG else kinds, ids=lambda one: one.name)


POLLED = every(lambda one: not one.synchronous)
ONE_POLLED = one_of_each_kind(lambda one: not one.synchronous)
LINKED = every(lambda one: one.links and not one.synchronous)
UNLINKED = every(lambda one: not one.links or one.synchronous)


def over(job: Job, outcome: str, failure: str = "", *, said: tuple[str, ...]) -> None:
    """What holds of every job that is over; ``said``: what its receipt says of each attempt."""
    job.refresh_from_db()
    assert (job.stage, job.outcome, job.failure) == (Stage.OVER, outcome, failure)
    assert set(vault.blobs(job.pk).values_list("state", flat=True)) == {"destroyed"}
    kinds = list(Transaction.objects.filter(job=job.pk).order_by("id").values_list("kind", flat=True))
    assert kinds == ["hold", "capture" if outcome == Outcome.DONE else "release"]
    assert ledger.verify() == []
    document = Receipt.objects.get(group=job.pk).document
    assert receipts.verify(document).ok
    assert tuple(line["result"] for line in document["receipt"]["elsewhere"]) == said
    assert not job.attempts.filter(ended_at=None).exists()
    assert not job.attempts.exclude(slot=None).exists()


def elsewhere(job: Job) -> list[dict[str, str]]:
    """What the job's receipt says of its attempts."""
    lines: list[dict[str, str]] = Receipt.objects.get(group=job.pk).document["receipt"]["elsewhere"]
    return lines


def unmade(stand: Stand) -> str:
    """What a receipt says of a photo that the provider refused."""
    if stand.erased_unmade is not None:
        return stand.erased_unmade.value
    card = registry.card(stand.name)
    if card.self_hosted and card.keeps is None:
        return Erased.SWEPT.value
    keeps = card.keeps
    return (Erased.UNKNOWN if keeps is None else Erased.EXPIRES if keeps else Erased.NOTHING_KEPT).value


def view_of(photo: bytes) -> str:
    """Which of the cut-outs of ``job_for`` this is, by its colour."""
    with Image.open(io.BytesIO(photo)) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    red, green, blue = (int(level) for level in pixels[pixels.shape[0] // 2, pixels.shape[1] // 2])
    if max(red, green, blue) == red and green < 120:
        return "front"
    return "left" if green > red + 60 else "back" if blue > red + 60 else "right"


@every()
def test_happy_path(stand, start, job_for, run, owner) -> None:
    running = start(stand)
    job = run(job_for(stand.name))
    over(job, Outcome.DONE, said=(stand.erased.value,))
    (call,) = running.calls.values()
    (photo,) = call.photos
    with Image.open(io.BytesIO(photo)) as picture:
        assert picture.format in {"PNG", "JPEG", "WEBP"}
        assert not picture.getexif()
        assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    known = [owner.email, str(job.pk), job.pk.hex, str(job.request_key)]
    for request in running.requests:
        told = f"{request.path} {request.query} {request.headers}".encode() + request.body
        assert not any(word.encode() in told for word in known)


@EACH
def test_each_quality_and_option_of_the_card(stand, start, job_for, run) -> None:
    """All that the card offers is taken, and nothing that was wished for is ignored: the service hears of it."""
    running = start(stand)
    card = registry.card(stand.name)
    over(run(job_for(stand.name, quality=list(card.credits)[-1])), Outcome.DONE, said=(stand.erased.value,))
    (plain,) = running.calls.values()
    for options in (JobOptions(texture=False), JobOptions(target_triangles=5000)):
        if options.asked_of_provider() <= card.options:
            before = set(running.calls)
            job = run(job_for(stand.name, quality=list(card.credits)[-1], options=options))
            over(job, Outcome.DONE, said=(stand.erased.value,))
            (asked,) = set(running.calls) - before
            assert running.calls[asked].asked != plain.asked, options
        else:
            with pytest.raises(intake.NotAccepted, match="option_not_offered"):
                intake.price(intake.Wishes(next(iter(card.credits)), 60, stand.name, options))


@EACH
def test_all_the_views_that_the_card_takes(stand, start, job_for, run) -> None:
    running = start(stand)
    views = tuple(view for view in ("front", "left", "back", "right") if view in registry.card(stand.name).views)
    job = run(job_for(stand.name, views=views))
    over(job, Outcome.DONE, said=(stand.erased.value,))
    (call,) = running.calls.values()
    seen = [view_of(photo) for photo in filter(None, call.photos)]
    assert sorted(seen) == sorted(views)
    assert seen[0] == "front"


@every()
def test_refused_at_submit_without_a_word_of_it_in_the_logs(stand, start, job_for, run, caplog) -> None:
    running = start(stand)
    running.fail("create", running.refusal, times=None)
    with caplog.at_level(logging.DEBUG):
        job = run(job_for(stand.name))
    over(job, Outcome.FAILED, "provider_declined", said=(unmade(stand),))
    assert not running.calls
    sent = next(request.body for request in running.requests if len(request.body) > 500)
    assert sent[300:360].decode(errors="replace") not in caplog.text


@POLLED
def test_slow_queue(stand, start, job_for, run) -> None:
    running = start(stand)
    running.behaviour.polls = 15 if LONG else 8
    job = run(job_for(stand.name))
    over(job, Outcome.DONE, said=(stand.erased.value,))
    assert len(running.calls) == 1
    waits = job.attempts.get().polls
    assert waits >= running.behaviour.polls - 5


@every(lambda one: one.tells_failure)
def test_failure_after_minutes(stand, start, job_for, run) -> None:
    running = start(stand)
    running.behaviour.fails = True
    running.behaviour.polls = 8
    job = run(job_for(stand.name))
    said = unmade(stand) if stand.synchronous else stand.erased.value
    failure = stand.failure or ("provider_declined" if stand.synchronous else "provider_failed")
    over(job, Outcome.FAILED, failure, said=(said,))
    assert len(running.calls) == 1


@every(lambda one: not one.tells_failure)
def test_failure_that_nobody_is_told_of(stand, start, job_for, run) -> None:
    running = start(stand)
    running.behaviour.polls = 10**6
    job = run(job_for(stand.name), steps=3000)
    over(job, Outcome.FAILED, "provider_too_slow", said=(stand.erased.value,))


@LINKED
def test_mesh_cut_off_once_is_fetched_again(stand, start, job_for, run) -> None:
    running = start(stand)
    short = running.behaviour.mesh[:1000]
    running.fail("fetch", Answer(200, short, declared=len(running.behaviour.mesh)))
    running.fail("fetch", Answer(200, short))
    over(run(job_for(stand.name)), Outcome.DONE, said=(stand.erased.value,))
    assert len(running.calls) == 1


@every()
def test_mesh_cut_off_each_time(stand, start, job_for, run) -> None:
    running = start(stand)
    running.behaviour.mesh = running.behaviour.mesh[:1000]
    said = unmade(stand) if stand.synchronous and stand.erased_unmade else stand.erased.value
    over(run(job_for(stand.name)), Outcome.FAILED, "bad_mesh", said=(said,))
    assert len(running.calls) == 1


@LINKED
def test_mesh_of_300_mb(stand, start, job_for, run) -> None:
    running = start(stand)
    running.fail("fetch", Answer(200, stream=300_000_000), times=None)
    over(run(job_for(stand.name)), Outcome.FAILED, "bad_mesh", said=(stand.erased.value,))


@UNLINKED
def test_answer_of_300_mb(stand, start, job_for, run) -> None:
    """Where the mesh comes inside an answer, it is the answer that is too long."""
    running = start(stand)
    running.fail("create" if stand.synchronous else "poll", Answer(200, stream=300_000_000), times=None)
    job = run(job_for(stand.name), steps=3000)
    assert job.outcome == Outcome.FAILED
    over(job, Outcome.FAILED, job.failure, said=tuple(line["result"] for line in elsewhere(job)))


@UNLINKED
def test_redirect_of_a_call_to_a_host_that_is_not_on_the_card(stand, start, job_for, run) -> None:
    running = start(stand)
    with Simulator() as foreign:
        for kind in ("create", "poll"):
            running.fail(kind, Answer(307, headers={"Location": f"{foreign.url}/elsewhere"}), times=None)
        job = run(job_for(stand.name), steps=3000)
        over(job, Outcome.FAILED, job.failure, said=tuple(line["result"] for line in elsewhere(job)))
        assert foreign.requests == []


@LINKED
def test_redirect_to_a_host_that_is_not_on_the_card(stand, start, job_for, run) -> None:
    running = start(stand)
    with Simulator() as foreign:
        running.behaviour.redirect = f"{foreign.url}/mesh.glb"
        over(run(job_for(stand.name)), Outcome.FAILED, "provider_failed", said=(stand.erased.value,))
        assert foreign.requests == []


@LINKED
def test_expired_link(stand, start, job_for, run) -> None:
    running = start(stand)
    running.behaviour.links_expire = 2
    over(run(job_for(stand.name)), Outcome.DONE, said=(stand.erased.value,))
    assert len(running.calls) == 1


@POLLED
def test_malformed_answer_to_a_poll(stand, start, job_for, run) -> None:
    running = start(stand)
    running.fail("poll", running.broken(), times=3)
    over(run(job_for(stand.name)), Outcome.DONE, said=(stand.erased.value,))
    assert len(running.calls) == 1


@every()
def test_malformed_answer_to_a_submit(stand, start, job_for, run) -> None:
    """Nobody knows whether there is a call: it is not made again, and the receipt says so."""
    running = start(stand)
    running.fail("create", running.broken(), times=None)
    job = run(job_for(stand.name))
    card = registry.card(stand.name)
    if card.resubmit_safe or stand.synchronous:
        assert job.outcome == Outcome.FAILED
    else:
        over(job, Outcome.FAILED, "provider_unclear", said=("unknown",))
        assert job.attempts.get().state == Attempt.State.UNKNOWN


@every()
def test_too_many_requests(stand, start, job_for, run, clock) -> None:
    """Each adapter hands on for how long the service wants to be left alone."""
    sent_away(stand, start(stand), job_for, run, clock, "37")


@one_of_each_kind()
def test_too_many_requests_for_nobody_knows_how_long(stand, start, job_for, run, clock) -> None:
    sent_away(stand, start(stand), job_for, run, clock, None)


def sent_away(stand, running, job_for, run, clock, after: str | None) -> None:
    """Twice at the call, and twice while asked about it; it is waited for, and nothing is sent twice."""
    running.fail("create", Answer(429, headers={"Retry-After": after} if after else {}), times=2)
    job = run(job_for(stand.name))
    assert job.outcome == Outcome.DONE
    assert len(running.calls) == 1
    assert clock.ahead >= (2 * 37 if after else 4)
    assert registry.card(stand.name) in registry.cards()
    if not stand.synchronous:
        running.fail("poll", Answer(429, headers={"Retry-After": after} if after else {}), times=2)
        assert run(job_for(stand.name)).outcome == Outcome.DONE
        assert len(running.calls) == 2


@one_of_each_kind()
def test_sent_away_for_ever_costs_nothing_and_ends(stand, start, job_for, run, clock) -> None:
    running = start(stand)
    running.fail("create", Answer(429), times=None)
    job = run(job_for(stand.name), steps=2000)
    assert (job.outcome, job.charged) == (Outcome.FAILED, False)
    assert job.failure in {"provider_busy", "no_provider"}
    assert 1000 < clock.ahead < 2000
    assert job.attempts.count() < 40
    assert not running.calls


@every()
def test_storm_of_500_at_submit(stand, start, job_for, run) -> None:
    running = start(stand)
    running.fail("create", Answer(500, b"oops"), times=None)
    job = run(job_for(stand.name))
    if registry.card(stand.name).resubmit_safe:
        assert (job.outcome, job.failure) == (Outcome.FAILED, "provider_unavailable")
    else:
        over(job, Outcome.FAILED, "provider_unclear", said=("unknown",))
        assert sum(r.method == "POST" and len(r.body) > 500 for r in running.requests) >= 1
    assert not running.calls


@every()
def test_service_that_is_away_for_a_moment(stand, start, job_for, run) -> None:
    running = start(stand)
    running.fail("create", Answer(503), times=2)
    over(run(job_for(stand.name)), Outcome.DONE, said=(unmade(stand), unmade(stand), stand.erased.value))
    assert len(running.calls) == 1


@POLLED
def test_storm_of_500_at_poll_and_fetch(stand, start, job_for, run) -> None:
    running = start(stand)
    running.fail("poll", Answer(502, b"oops"), times=12 if LONG else 5)
    running.fail("fetch", Answer(500, b"oops"), times=3)
    over(run(job_for(stand.name)), Outcome.DONE, said=(stand.erased.value,))
    assert len(running.calls) == 1


@ONE_POLLED
def test_clock_that_jumps(stand, start, job_for, run, clock) -> None:
    running = start(stand)
    running.behaviour.polls = 10**6
    job = run(job_for(stand.name), until=Stage.WATCH)
    clock.jump(3600)
    over(run(job), Outcome.FAILED, "provider_too_slow", said=(stand.erased.value,))
    running.behaviour.polls = 2
    job = run(job_for(stand.name), until=Stage.WATCH)
    clock.jump(-7200)
    over(run(job), Outcome.DONE, said=(stand.erased.value,))


@every()
def test_erasing_twice(stand, start, job_for, run) -> None:
    running = start(stand)
    job = run(job_for(stand.name))
    attempt = job.attempts.get()
    call = attempt.call()
    if call is not None:
        provider = registry.get(stand.name)
        assert provider.erase(call).result == provider.erase(call).result == stand.erased
    assert len(running.calls) == 1


@POLLED
@pytest.mark.parametrize("stage", [Stage.WATCH, Stage.COLLECT])
def test_cancel_while_the_service_has_it(stand, start, job_for, run, stage) -> None:
    """It is told to stop what it works on, or to drop what it has made."""
    cancelled_in(stage, stand, start, job_for, run)


@ONE_POLLED
@pytest.mark.parametrize("stage", [Stage.DISPATCH, Stage.INSPECT])
def test_cancel_before_and_after_the_service_has_it(stand, start, job_for, run, stage) -> None:
    cancelled_in(stage, stand, start, job_for, run)


@every(lambda one: one.synchronous)
@pytest.mark.parametrize("stage", [Stage.DISPATCH, Stage.INSPECT])
def test_cancel_before_and_after_a_call_that_answers_at_once(stand, start, job_for, run, stage) -> None:
    cancelled_in(stage, stand, start, job_for, run)


def cancelled_in(stage, stand, start, job_for, run) -> None:
    """The owner cancels when the job has come to this stage."""
    running = start(stand)
    job = run(job_for(stand.name), until=stage)
    Job.objects.filter(pk=job.pk).update(cancel_requested_at=datetime.now().astimezone())
    over(run(job), Outcome.CANCELLED, said=() if stage == Stage.DISPATCH else (stand.erased.value,))
    assert len(running.calls) == (stage != Stage.DISPATCH)


@every(lambda one: one.has_key)
def test_wrong_key_takes_the_provider_out_and_fails_nobody(stand, start, job_for, run, settings, owner) -> None:
    running = start(stand)
    settings.PROVIDER_ENVIRONMENT = {
        name: "wrong" if value == running.key else value for name, value in stand.setup(running).items()
    }
    first = run(job_for(stand.name), steps=6, ends=False)
    assert first.attempts.get().failure == "provider_misconfigured"
    asked = len(running.requests)
    second = run(job_for(stand.name), steps=6, ends=False)
    assert second.outcome == ""
    assert second.waiting == "providers_down"
    assert len(running.requests) == asked
    assert not health.of(registry.card(stand.name)).usable
    with pytest.raises(intake.NotAccepted):
        intake.price(intake.Wishes("standard", 60, stand.name))
    settings.PROVIDER_ENVIRONMENT = dict(stand.setup(running))
    over(run(second), Outcome.DONE, said=(stand.erased.value,))


@one_of_each_kind(lambda one: not registry.ours()[one.name].card.resubmit_safe)
def test_died_in_the_call(stand, start, job_for, run) -> None:
    """A worker killed between the service's answer and our row: recorded as unknown, never sent again."""
    running = start(stand)
    job = run(job_for(stand.name), until=Stage.DISPATCH)
    Attempt.objects.create(
        job=job, number=1, provider=stand.name, key=uuid4(), state=Attempt.State.SUBMITTING, started_at=job.created_at
    )
    over(run(job), Outcome.FAILED, "provider_unknown", said=("unknown",))
    assert not running.calls
