"""The job's way from a sealed photo to a receipt: one durable state machine, one step at a time.

``advance`` claims a job, runs the stage it is in, saves what was learned and says when to look again. Every stage
can run twice: whatever a dead worker left behind is either found again (a provider's call, a ledger entry) or
destroyed as a stray. ``sweep`` wakes what was dropped. Nothing else moves a job.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from kombu.exceptions import OperationalError

from billing import ledger
from generation import changes, delivery, dispatching, engine, images, leases, meshes, sums, watched
from generation.models import Event, Job
from generation.notifications import outbox
from generation.steps import JobFailed, Step, backoff, fail
from privacy import vault

logger = logging.getLogger(__name__)

Stage = Job.Stage
Outcome = Job.Outcome

CUT_PERCENT = dispatching.BUILT_PERCENT[0]
"""The share of the job's progress that the cut-out takes."""
MAX_TRIES = 5
"""Claims of one stage that got nowhere (a worker died, an unexpected error) before the job fails."""
STORE_DOWN_SECONDS = 5.0
"""How long to leave a store alone that did not answer; until the job's deadline that is no failure."""
SWEEP_BATCH = 1000
SWEEP_BUDGET_SECONDS = 4.0
"""What a sweep may take to wake all that is due, batch by batch: less than lies between two."""
STEPS_AT_ONCE = 8
"""Steps that a message takes a job on by, where none of them waits."""
GOING_ON = ("calls", "default")
"""Who held a call until it brought the mesh goes on with it: to hand it over would cost a message and a claim."""
LAST_STAGES = (Stage.DELIVER, Stage.PURGE)
"""Nothing is generated in these any more: their messages go where they wait behind no generation."""
SOON, LATER = 0, 9
"""Priorities of messages; with Redis and Valkey, 0 comes first."""


def prepare(job: Job) -> Step:
    """Cut the object out. The background, and the photos it was in, are destroyed before anything is sent."""
    Event.record(job, "begun")
    before = job.photos()
    cut_outs, warnings = {}, []
    for number, (view, blob_id) in enumerate(before.items()):
        photo = b"".join(leases.renewing(job, vault.read(blob_id)))
        done = number * CUT_PERCENT // len(before)
        share = CUT_PERCENT / len(before)
        try:
            cut_out = engine.cut_out(
                photo,
                keep_all=job.chosen().keep_all,
                progress=partial(_cutting, job, done, share),
            )
        except engine.NoSubject as refused:
            raise JobFailed(refused.code) from None
        picture = engine.encode_cut_out(cut_out)
        cut_outs[view] = vault.seal([picture], kind="source", group=job.pk, limit=images.OUTPUT_LIMIT)
        warnings += [code for code in cut_out.warnings if code not in warnings]
    job.sources = {view: str(sealed.pk) for view, sealed in cut_outs.items()}
    job.warnings = warnings
    job.percent = CUT_PERCENT
    leases.keep(job)
    for blob_id in before.values():
        vault.destroy(blob_id)
    return Step(Stage.DISPATCH)  # where a provider is chosen in the same claim, unless there is none yet


def _cutting(job: Job, done: int, share: float, percent: int) -> None:
    """Tell how far the cut-outs are: ``done`` of the job's percent before this one, which has ``share`` of them."""
    leases.renew(job, percent=done + int(percent * share / 100))


def inspect(job: Job) -> Step:
    """Accept the mesh only when it is one, and keep a copy that says nothing but its shape and surface."""
    assert job.raw_mesh_id is not None
    try:
        found = meshes.inspect(leases.renewing(job, vault.read(job.raw_mesh_id)))
    except meshes.MeshRefused:
        return dispatching.another(job, "bad_mesh")
    leases.renew(job, percent=92)
    keep = timedelta(minutes=job.keep_minutes)
    asset = vault.seal([found.glb], kind="asset", group=job.pk, keep=keep + delivery.MARGIN, limit=meshes.MAX_BYTES)
    job.asset_id = asset.pk
    job.asset_bytes = len(found.glb)
    job.triangles = found.triangles
    job.size_x, job.size_y, job.size_z = found.size
    job.watertight = found.watertight
    job.percent = 95
    return Step(Stage.SETTLE)


def settle(job: Job) -> Step:
    """Take the credits for an accepted asset, or give them back; the photo goes first, either way."""
    for blob in vault.blobs(job.pk).exclude(state="destroyed"):
        if blob.pk != job.asset_id or job.outcome:
            vault.destroy(blob)
    job.sources, job.raw_mesh_id, job.waiting = {}, None, ""
    if job.outcome:
        if job.charged:
            ledger.refund(job=job.pk)
        else:
            ledger.release(job=job.pk)
        job.charged = False
        job.asset_id = None
        return Step(Stage.PURGE)
    ledger.capture(job=job.pk)
    job.charged = True
    job.percent = 100
    job.ready_at = leases.now(job)
    job.asset_expires_at = job.ready_at + timedelta(minutes=job.keep_minutes)
    # It was sealed just now: there is nothing to look at yet.
    return Step(Stage.DELIVER, wait=delivery.next_look(job))


STAGES: dict[str, Callable[[Job], Step]] = {
    Stage.PREPARE: prepare,
    Stage.DISPATCH: dispatching.dispatch,
    Stage.WATCH: dispatching.watch,
    Stage.COLLECT: dispatching.collect,
    Stage.INSPECT: inspect,
    Stage.SETTLE: settle,
    Stage.DELIVER: delivery.deliver,
    Stage.PURGE: delivery.purge,
}

# Stages that must end well however long it takes: money and destruction.
OBLIGED = (Stage.SETTLE, Stage.PURGE)

# What is ready and paid for is not given up because a store is away for a moment; its own time ends the wait.
PATIENT = (*OBLIGED, Stage.DELIVER)

LOST = {vault.KeyLost: "key_lost", vault.Gone: "source_gone", vault.Tampered: "tampered"}


def advance(job_id: UUID, *, most: int = 1) -> None:
    """Run a step of a job, if it is due and nobody else has it, and up to ``most`` that follow it without a wait.

    Each step is saved before the next begins: several in one claim spare messages and claims, and change nothing else.
    """
    job = leases.claim(job_id)
    if job is None:
        return
    try:
        queue = job.queue
        for taken in range(1, most + 1):
            with watched.step(job):
                step = _step(job)
            here = job.queue == queue or (queue, job.queue) == GOING_ON
            follows = step.wait == 0 and step.further and here and step.next != Stage.OVER
            if taken == most or not follows:
                _move(job, step)
                return
            _go_on(job, step)
    except leases.LostLease:
        logger.warning("lease lost", extra={"job": str(job_id)})
        _destroy_own(job)


def _step(job: Job) -> Step:
    """What the present stage says comes next; every way it can go wrong becomes a step as well."""
    stage = job.stage
    if job.cancel_requested_at and not (job.outcome or job.acknowledged_at) and stage not in OBLIGED:
        return delivery.cancel(job)
    if job.stage_tries > MAX_TRIES and stage not in OBLIGED:
        if job.attempts.filter(state__in=dispatching.OPEN).exists():
            return dispatching.another(job, "provider_failed")  # whosever fault: the next one may do better
        return fail(job, "internal")
    try:
        if job.stage_tries > 1:
            _destroy_strays(job)
        return STAGES[stage](job)
    except leases.LostLease:
        raise
    except JobFailed as failure:
        return fail(job, failure.code)
    except (vault.KeyLost, vault.Gone, vault.Tampered) as lost:
        if stage in OBLIGED:
            return Step(None, wait=STORE_DOWN_SECONDS)  # it went while we looked; the next look does without it
        return fail(job, LOST[type(lost)])
    except vault.Unavailable:
        if leases.now(job) < job.deadline_at or stage in PATIENT:
            return Step(None, wait=STORE_DOWN_SECONDS)
        return fail(job, "store_down")
    except Exception as error:
        logger.error("step failed", extra={"job": str(job.pk), "stage": stage}, exc_info=error)
        return Step(None, wait=backoff(job.stage_tries, longest=60.0), further=False)


def _destroy_strays(job: Job) -> None:
    """Destroy blobs that a dead worker sealed and never wrote down."""
    known = job.blob_ids()
    for blob in vault.blobs(job.pk).exclude(state="destroyed"):
        if blob.pk not in known:
            vault.destroy(blob)


def _destroy_own(job: Job) -> None:
    """Destroy what this worker sealed when the job was no longer its own: nobody else would before it expires."""
    for blob_id in job.blob_ids() - Job.objects.get(pk=job.pk).blob_ids():
        with suppress(vault.Gone):
            vault.destroy(blob_id)


def _go_on(job: Job, step: Step) -> None:
    """Save the step and keep the job for the next one. Raises ``LostLease``."""
    before, job.stage = job.stage, step.next or job.stage
    job.stage_tries = 1  # the next step's first
    with transaction.atomic():
        leases.go_on(job)
        _write_down(job, step)
    if job.stage != before:
        watched.left(job, before)


def _move(job: Job, step: Step) -> None:
    """Save the step and send for the next one. Raises ``LostLease``."""
    before, job.stage = job.stage, step.next or job.stage
    if step.further:
        job.stage_tries = 0
    with transaction.atomic():
        wait = leases.give_back(job, wait=step.wait)
        _write_down(job, step)
        if step.next == Stage.OVER:
            sums.count(job)
    if job.stage != before:
        watched.left(job, before)
    if job.stage != Stage.OVER and wait <= leases.COUNTDOWN_SECONDS:
        enqueue(job, wait=wait)


def _write_down(job: Job, step: Step) -> None:
    """What goes with a step, in the transaction in which it is saved."""
    for write in step.also:
        write()
    lines = [step.line] if step.line else []
    if step.next:
        lines.append(Event.line(job, step.next))
    if lines:
        Event.write(lines)
    if step.next:
        outbox.record(job, step.next)
    changes.tell(job.pk, progress=not job.outcome and job.stage != Stage.DELIVER)


def enqueue(job: Job, *, wait: float = 0.0) -> None:
    """Send a message for the job once the present transaction is committed; a broker that is down costs time only.

    That one is under way, ``nudged_at`` says already: it is saved with whatever calls for the message. Should the
    process die between the two, the sweep sends another after ``RENUDGE_SECONDS``.
    """
    transaction.on_commit(lambda: _publish(job, queue=_queue(job), wait=wait), robust=True)


def _queue(job: Job, *, otherwise: str = "") -> str:
    """Where a message about the job belongs now."""
    return "privacy" if job.stage in LAST_STAGES else otherwise or job.queue


def _publish(job: Job, *, queue: str, wait: float = 0.0) -> bool:
    """Hand a message to the broker; false when it is down."""
    from generation import tasks

    try:
        tasks.advance.apply_async(
            [str(job.pk)],
            queue=queue,
            countdown=wait or None,
            # A job that was begun goes before those still waiting for their first step.
            priority=LATER if job.stage == Stage.PREPARE else SOON,
            retry=False,
        )
    except OperationalError:
        logger.warning("broker down; the sweep will wake the job", extra={"job": str(job.pk)})
        return False
    return True


def wake(job: Job) -> None:
    """Look at the job now: its owner asked for something."""
    Job.objects.filter(pk=job.pk).exclude(stage=Stage.OVER).update(**due_now())
    call_for(job)


def due_now() -> dict[str, Any]:
    """What to save in the row of a job that is to be looked at now, before ``call_for``."""
    return {"due_at": Now(), "nudged_at": Now()}


def call_for(job: Job) -> None:
    """Send for a job that is due now, once that is committed. Never behind the engine's queue."""
    changes.tell(job.pk)
    transaction.on_commit(lambda: _publish(job, queue=_queue(job, otherwise="default")), robust=True)


async def awake(job: Job) -> None:
    """``wake`` for asynchronous views."""
    await sync_to_async(wake)(job)


def sweep() -> int:
    """Send for every due job that no message is under way for, the longest due first; returns how many."""
    until, woken = time.monotonic() + SWEEP_BUDGET_SECONDS, 0
    while True:
        found = _wake_some()
        woken += found
        if found < SWEEP_BATCH or time.monotonic() > until:
            return woken


def _wake_some() -> int:
    """Send for a batch; returns how many, fewer than a batch when none is left or the broker is down."""
    stale = leases.in_seconds(-settings.RENUDGE_SECONDS)
    due = (
        Job.objects.due()
        .filter(Q(nudged_at__isnull=True) | Q(nudged_at__lt=F("due_at")) | Q(nudged_at__lt=stale))
        .order_by("due_at")
    )
    found = list(due.only("pk", "queue", "stage")[:SWEEP_BATCH])
    Job.objects.filter(pk__in=[job.pk for job in found]).update(nudged_at=Now())
    for sent, job in enumerate(found):
        if not _publish(job, queue=_queue(job)):
            return sent  # the next sweep is soon enough
    return len(found)
