"""Sending a job to a provider and getting its mesh: choose, submit, poll, fetch.

The attempt's row is the memory of the paid call. It says ``submitting`` before the call leaves and holds the
remote id before anything else happens, so a worker that dies resumes the same call or knows that it cannot know.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from generation import leases, meshes, registry
from generation.models import Attempt, Job
from generation.provider import (
    Card,
    Declined,
    Delivered,
    Failed,
    Finished,
    Pending,
    Provider,
    Remote,
    Unavailable,
)
from generation.routing import Offer, Wants, rank
from generation.steps import JobFailed, Step
from privacy import vault

Stage = Job.Stage
State = Attempt.State

MAX_ATTEMPTS = 3
"""How often one provider is asked when it is unavailable; it is never asked twice after another failure."""
PROVIDER_DEADLINE = timedelta(minutes=20)
"""How long a provider may take, from the moment it gets the photo."""
OPEN = (State.CHOSEN, State.SUBMITTING, State.RUNNING)
BUILT_PERCENT = (20, 88)
"""The share of the job's progress that the provider's own work takes."""


def dispatch(job: Job) -> Step:
    """Choose a provider in one step, hand the photo over in the next, on the queue that provider runs on."""
    attempt = job.attempts.filter(state__in=OPEN).order_by("-number").first()
    if attempt is None:
        return _choose(job)
    if attempt.state == State.RUNNING:
        return Step(Stage.WATCH)
    if job.raw_mesh_id is not None:
        return _delivered(job, attempt)
    provider = registry.get(attempt.provider)
    if attempt.state == State.SUBMITTING and not provider.card.resubmit_safe:
        # A process died inside the call. Asking again could pay twice; nobody can say whether this one was paid.
        return _close(job, attempt, State.UNKNOWN, "provider_unknown")
    return _submit(job, attempt, provider)


def _choose(job: Job) -> Step:
    cards = rank(
        Wants(
            quality=job.quality,
            max_credits=job.credits,
            provider=job.provider_wish,
            options=job.chosen().asked_of_provider(),
        ),
        [Offer(card) for card in registry.cards()],
    )
    past = list(job.attempts.order_by("number"))
    open_to_us = [card for card in cards if _may_ask(card, past)]
    if not open_to_us:
        raise JobFailed(past[-1].failure if past else "no_provider")
    card = min(open_to_us, key=lambda card: sum(attempt.provider == card.name for attempt in past))
    # A call may exist although its answer was lost: asked with the same key, an honest provider finds it again.
    key = next((attempt.key for attempt in past if attempt.provider == card.name), uuid4())
    Attempt.objects.create(job=job, number=len(past) + 1, provider=card.name, key=key, started_at=timezone.now())
    job.provider = card.name
    job.queue = card.queue
    return Step(None, wait=2.0 ** len(past) if past else 0.0)


def _may_ask(card: Card, past: list[Attempt]) -> bool:
    before = [attempt for attempt in past if attempt.provider == card.name]
    return len(before) < MAX_ATTEMPTS and all(a.failure == "provider_unavailable" for a in before)


def _submit(job: Job, attempt: Attempt, provider: Provider) -> Step:
    assert job.source_id is not None
    picture = b"".join(vault.read(job.source_id))
    job.deadline_at = timezone.now() + PROVIDER_DEADLINE  # waiting in line was not the provider's
    leases.keep(job)  # whoever lost the job while reading must not pay for a call
    attempt.state = State.SUBMITTING
    attempt.save(update_fields=["state"])
    try:
        answer = provider.submit(
            [picture],
            options=job.chosen(),
            quality=job.quality,
            key=str(attempt.key),
            progress=lambda percent: leases.renew(job, percent=_built(percent)),
        )
        if isinstance(answer, Delivered):
            mesh = vault.seal(
                leases.renewing(job, answer.chunks), kind="raw_mesh", group=job.pk, limit=meshes.MAX_BYTES
            )
            job.raw_mesh_id = mesh.pk
            leases.keep(job)  # before the attempt says so: from here on a dead worker's mesh is found again
            return _delivered(job, attempt)
    except Unavailable:
        return _close(job, attempt, State.FAILED, "provider_unavailable")
    except Declined as declined:
        return _close(job, attempt, State.FAILED, declined.code)
    except vault.TooLarge:
        return _close(job, attempt, State.FAILED, "bad_mesh")
    attempt.remote = {"id": answer.id, "extra": answer.extra}
    attempt.state = State.RUNNING
    attempt.save(update_fields=["remote", "state"])
    job.queue = "default"
    return Step(Stage.WATCH, wait=1.0)


def _delivered(job: Job, attempt: Attempt) -> Step:
    attempt.state = State.FINISHED
    attempt.ended_at = timezone.now()
    attempt.save(update_fields=["state", "ended_at"])
    job.queue = "default"
    return Step(Stage.INSPECT)


def _built(percent: int) -> int:
    low, high = BUILT_PERCENT
    return low + (high - low) * max(0, min(100, percent)) // 100


def _close(job: Job, attempt: Attempt, state: State, failure: str) -> Step:
    """End an attempt that brought nothing, and go on with the next offer."""
    attempt.state = state
    attempt.failure = failure
    attempt.ended_at = timezone.now()
    attempt.save(update_fields=["state", "failure", "ended_at"])
    job.queue = "default"
    return Step(Stage.DISPATCH)


def another(job: Job, failure: str) -> Step:
    """The attempt's result was no use: close it and route the job again."""
    attempt = job.attempts.order_by("-number").first()
    assert attempt is not None
    stray, job.raw_mesh_id = job.raw_mesh_id, None
    step = _close(job, attempt, State.UNKNOWN if attempt.state == State.SUBMITTING else State.FAILED, failure)
    if stray is not None:
        leases.keep(job)
        vault.destroy(stray)
    return step


def _running(job: Job) -> tuple[Provider, Remote]:
    attempt = job.attempts.filter(remote__isnull=False).order_by("-number").first()
    assert attempt is not None
    assert attempt.remote is not None
    return registry.get(attempt.provider), Remote(**attempt.remote)


def watch(job: Job) -> Step:
    """Ask the provider how the call is doing. Its deadline is ours, not the provider's."""
    provider, remote = _running(job)
    if timezone.now() >= job.deadline_at:
        return another(job, "provider_too_slow")
    try:
        answer = provider.poll(remote)
    except Unavailable as unavailable:
        return Step(None, wait=unavailable.wait)
    match answer:
        case Pending(percent=percent, wait=wait):
            job.percent = max(job.percent, _built(percent))
            return Step(None, wait=wait)
        case Finished():
            return Step(Stage.COLLECT)
        case Failed(code=code):
            return another(job, code)


def collect(job: Job) -> Step:
    """Stream the mesh in, sealed as it comes."""
    provider, remote = _running(job)
    if timezone.now() >= job.deadline_at:
        return another(job, "provider_too_slow")
    try:
        mesh = vault.seal(
            leases.renewing(job, provider.fetch(remote)),
            kind="raw_mesh",
            group=job.pk,
            limit=meshes.MAX_BYTES,
        )
    except Unavailable as unavailable:
        return Step(None, wait=unavailable.wait)
    except vault.TooLarge:
        return another(job, "bad_mesh")
    job.raw_mesh_id = mesh.pk
    job.attempts.filter(state=State.RUNNING).update(state=State.FINISHED, ended_at=timezone.now())
    return Step(Stage.INSPECT)
