"""The API's endpoints about jobs: send, look, wait, fetch, cancel, destroy."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Path, Query, Router, Status

from accounts import problems, throttle
from accounts.bearer import guarded
from accounts.models import AccessKey
from accounts.problems import Problem
from generation import api_problems, api_schema, changes, direct, ending, events, history, offering, pipeline, sending
from generation.api_shapes import JobList, JobOut, ProviderList, State, job_out, provider_out, state_of
from generation.api_wants import wrong
from generation.models import Job
from generation.streams import Stream
from privacy import proofs, receipts, vault
from privacy.models import Receipt

router = Router(tags=["Jobs"])

LONGEST_WAIT: Final = 60
"""Seconds that a request about a job may wait."""

Id = Annotated[UUID, Path(description="The job's id.")]
Wait = Annotated[
    int,
    Query(
        ge=0,
        le=LONGEST_WAIT,
        description="Answer when the job is ready or over, or after this many seconds, whichever is first.",
    ),
]


def key_of(request: HttpRequest) -> AccessKey:
    """The key that the request showed."""
    key: AccessKey = request.auth  # type: ignore[attr-defined]  # ninja's name for what a guard found
    return key


@router.post(
    "/jobs",
    response={201: JobOut, 200: JobOut},
    summary="Send a photo",
    operation_id="send_job",
    **guarded(
        "generate",
        *api_problems.SENDING,
        api_problems.KEY_REUSED,
        limits=("sending",),
        **api_schema.sending(idempotent=True),
    ),
)
async def send_job(request: HttpRequest) -> Any:
    """Answers 201 as soon as the photo is taken in; with `Prefer: wait=N` when the model is ready, or after N seconds
    at most. A repeat with the same `Idempotency-Key` answers 200 with the first job.
    """
    key = key_of(request)
    shown, new = await sync_to_async(_taken_in)(request, key)
    wait = sending.seconds_to_wait(request.headers.get("Prefer", ""), most=LONGEST_WAIT)
    if wait:
        try:
            shown = await _waited(key, UUID(shown["id"]), wait)
        except Problem:  # too many wait already; the job is taken in all the same
            wait = 0
    request.answer_headers = {"Location": shown["url"]} | (  # type: ignore[attr-defined]  # read by api_edge
        {"Preference-Applied": f"wait={wait}"} if wait else {}
    )
    return Status(201 if new else 200, shown)


@router.get(
    "/jobs",
    response=JobList,
    summary="List jobs",
    operation_id="list_jobs",
    **guarded("read", problems.INVALID),
)
def list_jobs(
    request: HttpRequest,
    state: Annotated[State | None, Query(description="Only jobs in this state.")] = None,
    cursor: Annotated[str, Query(max_length=80, description="`next` of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=100, description="Jobs on a page.")] = 25,
) -> dict[str, Any]:
    """The account's jobs, newest first, whoever sent them. New jobs do not shift the pages."""
    if cursor and not history.is_key(cursor):
        raise wrong({"cursor": ["Take it from “next” of the page before."]})
    page = history.page(owner=key_of(request).owner, state=state or "", before=cursor, most=limit)
    return {"jobs": [job_out(job) for job in page.jobs], "next": page.before or None}


@router.get(
    "/jobs/{job_id}",
    response=JobOut,
    summary="Look at a job",
    operation_id="get_job",
    **guarded("read", problems.NOT_FOUND, problems.INVALID),
)
async def get_job(request: HttpRequest, job_id: Id, wait: Wait = 0) -> Any:
    """How far it is. With `wait`, the answer comes when the model is ready or the job is over."""
    return await _waited(key_of(request), job_id, wait)


@router.get(
    "/jobs/{job_id}/events",
    summary="Follow a job",
    operation_id="follow_job",
    **guarded("read", problems.NOT_FOUND, problems.INVALID, **api_schema.events()),
)
async def follow_job(request: HttpRequest, job_id: Id) -> HttpResponseBase:
    """Server-sent events: the job as it is, then each change, until it is over or ten minutes have passed."""
    key = key_of(request)
    await sync_to_async(_owned)(key, job_id)
    entry = await _entered(key)

    async def stream() -> Any:
        try:
            async for event in events.stream(job_id, job_out):
                yield event.encode()
        finally:
            await _left(key, entry)

    response = Stream(stream(), content_type="text/event-stream")
    response["X-Accel-Buffering"] = "no"
    return response


@router.post(
    "/jobs/{job_id}/cancel",
    response=JobOut,
    summary="Cancel a job",
    operation_id="cancel_job",
    **guarded("generate", problems.NOT_FOUND, problems.INVALID, api_problems.ALREADY_OVER),
)
def cancel_job(request: HttpRequest, job_id: Id) -> dict[str, Any]:
    """Before the model is ready, this costs nothing. After, the model is destroyed, and was paid for."""
    job = _owned(key_of(request), job_id)
    if not ending.cancel(job):
        raise Problem(api_problems.ALREADY_OVER)
    return job_out(job)


@router.get(
    "/jobs/{job_id}/asset",
    summary="Fetch the model",
    operation_id="fetch_asset",
    **guarded(
        "generate",
        problems.NOT_FOUND,
        problems.INVALID,
        api_problems.NOT_READY,
        api_problems.GONE,
        api_problems.STORE_AWAY,
        **api_schema.model(),
    ),
)
async def fetch_asset(
    request: HttpRequest,
    job_id: Id,
    format: Annotated[Literal["glb"], Query(description="The file's format; GLB is the one there is.")] = "glb",
) -> HttpResponseBase:
    """The GLB, as it streams out of our vault. A transfer that breaks changes nothing: fetch it again. Once you have
    it, destroy ours by DELETE.
    """
    job, reading = await sync_to_async(_asset)(key_of(request), job_id)
    return _model(job, vault.aread(reading))


@router.delete(
    "/jobs/{job_id}/asset",
    response=JobOut,
    summary="Destroy the model now",
    operation_id="destroy_asset",
    **guarded("generate", problems.NOT_FOUND, problems.INVALID, api_problems.NOT_READY),
)
def destroy_asset(request: HttpRequest, job_id: Id) -> dict[str, Any]:
    """You have it, or do not want it: ours is destroyed, and the receipt is made. Doing it twice is harmless."""
    key = key_of(request)
    job = ending.acknowledged(key.owner_id, job_id) or _owned(key, job_id)
    if not job.outcome and not job.acknowledged_at:
        raise Problem(api_problems.NOT_READY)
    return job_out(job)


@router.get(
    "/jobs/{job_id}/receipt",
    response=dict[str, Any],
    summary="Get the receipt",
    operation_id="get_receipt",
    **guarded("read", problems.NOT_FOUND, problems.INVALID, api_problems.NOT_READY),
)
def get_receipt(request: HttpRequest, job_id: Id) -> HttpResponse:
    """What was destroyed, as we observed it, signed, with its place in the public log."""
    kept = Receipt.objects.filter(group=_owned(key_of(request), job_id).pk).first()
    if kept is None:
        raise Problem(api_problems.NOT_READY)
    return HttpResponse(receipts.encode(proofs.file_of(kept)), content_type="application/json")


@router.post(
    "/generate",
    summary="A photo in, a model out",
    operation_id="generate",
    **guarded(
        "generate",
        *api_problems.SENDING,
        api_problems.JOB_FAILED,
        api_problems.TOO_SLOW,
        limits=("sending",),
        **api_schema.sending(idempotent=False),
        **api_schema.model(),
    ),
)
async def generate(request: HttpRequest) -> HttpResponseBase:
    """One request: the answer is the GLB, and as it ends, everything is destroyed. It costs something only if the whole
    model was sent: if the connection breaks, the job fails or five minutes are not enough, nothing is charged.
    """
    key = key_of(request)
    entry = await _entered(key)
    try:
        opened = await direct.begin(partial(sending.take_in, request, key, direct=True))
        opened.watch()
        try:
            opened.job = await opened.ready()
            reading = await sync_to_async(_opened)(opened.job)
        except BaseException:
            await opened.close()
            raise
    finally:
        await _left(key, entry)
    return _model(opened.job, opened.send(vault.aread(reading)))


@router.get(
    "/providers",
    response=ProviderList,
    summary="List providers",
    operation_id="list_providers",
    tags=["Account"],
    **guarded("read"),
)
def list_providers(request: HttpRequest) -> dict[str, Any]:
    """Who could receive your photos now, where they are, what they keep and what they cost."""
    return {"providers": [provider_out(shown) for shown in offering.offers(key_of(request).owner)]}


def _owned(key: AccessKey, job_id: UUID) -> Job:
    """The job, if it is the account's; to everybody else it does not exist. Raises ``Problem``."""
    job = next(iter(Job.objects.filter(pk=job_id, owner_id=key.owner_id)), None)
    if job is None:
        raise Problem(problems.NOT_FOUND)
    return job


def _taken_in(request: HttpRequest, key: AccessKey) -> tuple[dict[str, Any], bool]:
    job, new = sending.take_in(request, key)
    return job_out(job), new


_ASSET: Final = ("outcome", "acknowledged_at", "direct", "stage", "asset_id", "asset_bytes")
"""What of a job its asset is fetched by: to read the whole row takes twice as long."""


def _with_asset(key: AccessKey, job_id: UUID) -> Job:
    job = Job.objects.only(*_ASSET).filter(pk=job_id, owner_id=key.owner_id).first()
    if job is None:
        raise Problem(problems.NOT_FOUND)
    if job.outcome or job.acknowledged_at or (job.direct and job.stage == Job.Stage.DELIVER):
        raise Problem(api_problems.GONE)
    if job.stage != Job.Stage.DELIVER or job.asset_id is None:
        raise Problem(api_problems.NOT_READY)
    return job


def _asset(key: AccessKey, job_id: UUID) -> tuple[Job, vault.Reading]:
    """In one step, since each change of threads costs as much as a statement. Raises ``Problem``."""
    job = _with_asset(key, job_id)
    return job, _opened(job)


def _opened(job: Job) -> vault.Reading:
    """The asset and its first bytes, by which all that can be wrong with it shows. Raises ``Problem``."""
    assert job.asset_id is not None
    try:
        return vault.opened(job.asset_id)
    except vault.Unavailable:
        raise Problem(api_problems.STORE_AWAY, wait=5.0) from None
    except vault.VaultError:
        pipeline.wake(job)  # it finds out what was lost, gives the credits back and says so
        raise Problem(api_problems.GONE) from None
    finally:
        close_old_connections()  # a slow reader needs none


def _model(job: Job, chunks: Any) -> Stream:
    response = Stream(chunks, content_type="model/gltf-binary")
    response["Content-Length"] = str(job.asset_bytes)
    response["Content-Disposition"] = f'attachment; filename="model-{str(job.pk)[:8]}.glb"'
    response["Accept-Ranges"] = "none"
    response["Job-Id"] = str(job.pk)
    return response


async def _waited(key: AccessKey, job_id: UUID, seconds: int) -> dict[str, Any]:
    """The job as it is when it is ready or over, or after the seconds. Raises ``Problem``: also for a wait too many."""
    if not seconds:
        return await sync_to_async(_looked_at)(key, job_id)
    entry, shown, ends = "", dict[str, Any](), time.monotonic() + seconds
    try:
        with changes.of(job_id, progress=False) as change:
            entry, shown = await sync_to_async(_first_look)(key, job_id, ends)
            while not shown:
                await change.wait(max(0.0, ends - time.monotonic()))
                shown = await sync_to_async(_looked_at)(key, job_id, ends, entry)
        return shown
    finally:
        if entry and not shown:
            await _left(key, entry)


def _first_look(key: AccessKey, job_id: UUID, ends: float) -> tuple[str, dict[str, Any]]:
    """Begin to wait, and look: in one step, since each change of threads costs as much as a statement.

    What to give ``leave``, and the job as ``_looked_at`` has it. Raises ``Problem``.
    """
    entry = _enter(key)
    try:
        return entry, _looked_at(key, job_id, ends, entry)
    except BaseException:
        throttle.leave(_waiting(key), entry)
        raise


def _looked_at(key: AccessKey, job_id: UUID, ends: float = 0.0, entry: str = "") -> dict[str, Any]:
    """The job; before ``ends``, by the monotonic clock, empty as long as it is only running. Raises ``Problem``.

    Whoever sees it waits no longer: their ``entry`` ends.
    """
    try:
        job = _owned(key, job_id)
        if state_of(job) == "running" and time.monotonic() < ends:
            return {}
        shown = job_out(job)
    finally:
        close_old_connections()  # a request that only waits must not hold one
    throttle.leave(_waiting(key), entry)
    return shown


def _waiting(key: AccessKey) -> dict[str, str]:
    return {"waiting_key": str(key.pk)}


def _enter(key: AccessKey) -> str:
    try:
        return throttle.enter(_waiting(key))
    except throttle.Exceeded as reached:
        raise Problem(problems.TOO_MANY, wait=reached.wait) from None


async def _entered(key: AccessKey) -> str:
    return await asyncio.to_thread(_enter, key)


async def _left(key: AccessKey, entry: str) -> None:
    await asyncio.shield(asyncio.to_thread(throttle.leave, _waiting(key), entry))
