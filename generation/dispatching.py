"""Sending a job to a provider and getting its mesh: submit, poll, fetch.

The attempt's row is the memory of the paid call. It says ``submitting`` before the call leaves and holds the
remote id before anything else happens, so a worker that dies resumes the same call or knows that it cannot know.
Before there is a remote id, a failure moves on to the next offer. After, the call is followed to its end or its
deadline, then erased, and the job goes elsewhere for the same held credits.
"""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from functools import partial

import httpx
from django.conf import settings
from django.urls import reverse

from generation import exchange, health, leases, meshes, registry, watched
from generation.choosing import choose
from generation.models import Attempt, Event, Job
from generation.provider import (
    Brief,
    Card,
    Declined,
    Delivered,
    Failed,
    Finished,
    Hooked,
    Misconfigured,
    Pending,
    Provider,
    Remote,
    Unavailable,
    Unclear,
)
from generation.steps import Step
from privacy import vault

Stage = Job.Stage
State = Attempt.State

PROVIDER_DEADLINE = timedelta(minutes=20)
"""How long a provider may take, from the moment it gets the photo; and how long a job waits for one to be free."""
MENDING_SECONDS = 5.0
"""How soon a call is asked after again whose key is refused, or whose provider was taken off the list."""
MAX_FETCHES = 4
"""How often a mesh is fetched that arrives incomplete."""
OPEN = (State.CHOSEN, State.SUBMITTING, State.RUNNING)
BUILT_PERCENT = (20, 88)
"""The share of the job's progress that the provider's own work takes."""


def dispatch(job: Job) -> Step:
    """Choose a provider in one step, hand the photo over in the next, on the queue that provider runs on."""
    attempts = list(job.attempts.order_by("number"))
    attempt = next((each for each in reversed(attempts) if each.state in OPEN), None)
    if attempt is None:
        return choose(job, attempts)
    if attempt.state == State.RUNNING:
        return Step(Stage.WATCH)
    if job.raw_mesh_id is not None:
        return _delivered(job, attempt)
    try:
        provider = registry.get(attempt.provider)
    except registry.NotListed:  # it was taken off the list, or its key was
        state = State.FAILED if attempt.state == State.CHOSEN else State.UNKNOWN
        return _close(job, attempt, state, "provider_unavailable")
    if attempt.state == State.SUBMITTING and not provider.card.resubmit_safe:
        # A process died inside the call. Asking again could pay twice; nobody can say whether this one was paid.
        return _close(job, attempt, State.UNKNOWN, "provider_unknown")
    return _submit(job, attempt, provider)


def _submit(job: Job, attempt: Attempt, provider: Provider) -> Step:
    pictures = {view: b"".join(vault.read(blob_id)) for view, blob_id in job.photos().items()}
    # Waiting in line was not the provider's time; and being sent away does not lengthen the wait.
    waited, job.deadline_at = job.deadline_at, leases.now(job) + PROVIDER_DEADLINE
    leases.keep(job)  # whoever lost the job while reading must not pay for a call
    attempt.state = State.SUBMITTING
    attempt.save(update_fields=["state"])
    brief = Brief(
        images=pictures,
        options=job.chosen(),
        quality=job.quality,
        key=str(attempt.key),
        hook=_hook(provider),
        progress=lambda percent: leases.renew(job, percent=_built(percent)),
    )
    try:
        held = leases.held(job) if provider.card.queue == "calls" else nullcontext()
        with held, watched.call(attempt, "submit"):
            answer = provider.submit(brief)
            if isinstance(answer, Delivered):
                leases.insisting(lambda: leases.renew(job))  # before the mesh, which comes but once, needs the database
                chunks = leases.renewing(job, meshes.whole(answer.chunks))
                mesh = vault.seal(chunks, kind="raw_mesh", group=job.pk, limit=meshes.MAX_BYTES)
                job.raw_mesh_id = mesh.pk
                leases.keep(job)  # before the attempt says so: from here on a dead worker's mesh is found again
                health.worked(attempt.provider)
                return _delivered(job, attempt)
    except Unavailable as unavailable:
        _unavailable(attempt.provider, unavailable)
        job.deadline_at = waited
        return _close(job, attempt, State.FAILED, "provider_busy" if unavailable.throttled else "provider_unavailable")
    except Misconfigured:
        health.misconfigured(provider.card.name)
        return _close(job, attempt, State.FAILED, "provider_misconfigured")
    except Declined as declined:
        return _close(job, attempt, State.FAILED, declined.code)
    except (vault.TooLarge, exchange.TooMuch, meshes.Incomplete):
        return _close(job, attempt, State.FAILED, "bad_mesh")
    except (exchange.Refused, exchange.NotThere):
        return _close(job, attempt, State.FAILED, "provider_failed")
    except (Unclear, httpx.HTTPError):
        health.failed(provider.card.name)
        if provider.card.resubmit_safe:
            return _close(job, attempt, State.FAILED, "provider_unavailable")
        return _close(job, attempt, State.UNKNOWN, "provider_unclear")
    attempt.remote_id, attempt.remote = answer.id, answer.extra
    attempt.state = State.RUNNING
    leases.insisting(lambda: attempt.save(update_fields=["remote_id", "remote", "state"]))
    health.worked(provider.card.name)
    Event.record(job, "sent", attempt)
    job.queue = "default"
    return Step(Stage.WATCH, wait=_first_look(provider.card, job.quality))


def _first_look(card: Card, quality: str) -> float:
    """Seconds until the first poll: a twelfth of what calls take there, within reason."""
    return min(5.0, max(1.0, card.typical_seconds.get(quality, 0.0) / 12))


def _hook(provider: Provider) -> str:
    """The address that the provider may call when it is done; empty unless the operator wants that."""
    name = provider.card.name
    if name not in settings.PROVIDER_HOOKS or not isinstance(provider, Hooked):
        return ""
    return f"{settings.SITE_URL.rstrip('/')}{reverse('generation:hook', args=[name])}"


def _unavailable(name: str, unavailable: Unavailable) -> None:
    if unavailable.throttled:
        health.throttled(name, unavailable.wait)
    else:
        health.failed(name)


def _delivered(job: Job, attempt: Attempt) -> Step:
    job.queue = "default"
    return _finished(job, attempt)


def _finished(job: Job, attempt: Attempt) -> Step:
    """Say so in the transaction in which its mesh goes on: an attempt that is over is never asked again."""
    return Step(Stage.INSPECT, also=(partial(attempt.end, State.FINISHED),), line=Event.line(job, "finished", attempt))


def _built(percent: int) -> int:
    low, high = BUILT_PERCENT
    return low + (high - low) * max(0, min(100, percent)) // 100


def _close(job: Job, attempt: Attempt, state: State, failure: str) -> Step:
    """End an attempt that brought nothing, and go on with the next offer."""
    attempt.end(state, failure)
    Event.record(job, failure, attempt)
    job.queue = "default"
    return Step(Stage.DISPATCH)


def another(job: Job, failure: str) -> Step:
    """The attempt's result was no use: close it and route the job again."""
    attempt = job.attempts.order_by("-number").first()
    assert attempt is not None
    if failure in health.BLAMED and failure != "provider_failed":
        health.failed(attempt.provider)
    stray, job.raw_mesh_id = job.raw_mesh_id, None
    step = _close(job, attempt, State.UNKNOWN if attempt.state == State.SUBMITTING else State.FAILED, failure)
    job.deadline_at = max(job.deadline_at, leases.now(job) + PROVIDER_DEADLINE / 4)  # the next one gets its chance
    if stray is not None:
        leases.keep(job)
        vault.destroy(stray)
    return step


def _running(job: Job) -> tuple[Attempt, Remote]:
    """The attempt under way, and its call."""
    attempt = job.attempts.filter(remote__isnull=False).order_by("-number").first()
    assert attempt is not None
    call = attempt.call()
    assert call is not None
    return attempt, call


def watch(job: Job) -> Step:
    """Ask the provider how the call is doing. Its deadline is ours, not the provider's."""
    if leases.now(job) >= job.deadline_at:
        return another(job, "provider_too_slow")
    attempt, call = _running(job)
    try:
        with watched.call(attempt, "poll"):
            answer = registry.get(attempt.provider).poll(call)
    except Unavailable as unavailable:
        _unavailable(attempt.provider, unavailable)
        return Step(None, wait=unavailable.wait)
    except (Misconfigured, registry.NotListed):
        # The call is paid for and goes on there: the operator has until the deadline to mend the key.
        health.misconfigured(attempt.provider)
        return Step(None, wait=MENDING_SECONDS)
    except (exchange.Refused, exchange.NotThere, exchange.TooMuch):
        return another(job, "provider_lost")
    match answer:
        case Pending(percent=percent, wait=wait):
            Attempt.objects.filter(pk=attempt.pk).update(polls=attempt.polls + 1)
            job.percent = max(job.percent, _built(percent))
            return Step(None, wait=wait)
        case Finished():
            return Step(Stage.COLLECT)
        case Failed(code=code):
            return another(job, code)


def collect(job: Job) -> Step:
    """Stream the mesh in, sealed as it comes. What arrives incomplete is fetched again: it is paid for."""
    if leases.now(job) >= job.deadline_at:
        return another(job, "provider_too_slow")
    attempt, call = _running(job)
    try:
        with watched.call(attempt, "fetch"):
            chunks = leases.renewing(job, meshes.whole(registry.get(attempt.provider).fetch(call)))
            mesh = vault.seal(chunks, kind="raw_mesh", group=job.pk, limit=meshes.MAX_BYTES)
    except Unavailable as unavailable:
        return Step(None, wait=unavailable.wait)
    except (Misconfigured, registry.NotListed):
        return Step(None, wait=MENDING_SECONDS)
    except meshes.Incomplete:
        if job.stage_tries >= MAX_FETCHES:
            return another(job, "bad_mesh")
        return Step(None, wait=1.0, further=False)
    except (vault.TooLarge, exchange.TooMuch):
        return another(job, "bad_mesh")
    except exchange.Refused:
        return another(job, "provider_failed")
    except exchange.NotThere:
        return another(job, "provider_lost")
    job.raw_mesh_id = mesh.pk
    health.worked(attempt.provider)
    return _finished(job, attempt)
