"""From a request of the API to a job: photos and choices in, the same rules as the form's, one job or a problem out."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Final
from uuid import uuid4

from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts import problems, recording
from accounts.models import AccessKey
from accounts.problems import Problem
from generation import api_problems, api_uploads, idempotency, intake, registry
from generation.api_wants import Wants, parse, wrong
from generation.models import Job
from privacy import vault

DIRECT_MINUTES: Final = 10
"""How long the asset of a direct job lives at most, should the process that sends it die."""


def take_in(request: HttpRequest, key: AccessKey, *, direct: bool = False) -> tuple[Job, bool]:
    """The job of this request, and whether it is new. Raises ``Problem``; of the photos nothing is left then."""
    repeat = request.headers.get("Idempotency-Key", "")
    if repeat and not (len(repeat) <= idempotency.LONGEST and repeat.isascii() and repeat.isprintable()):
        raise Problem(problems.MALFORMED, _("An Idempotency-Key is at most 255 printable ASCII characters."))
    uploads, fields = api_uploads.received(request)
    try:
        return _begin(request, key, uploads, fields, repeat="" if direct else repeat, direct=direct)
    except BaseException:
        for upload in uploads.values():
            vault.discard(upload)
        raise


def _begin(
    request: HttpRequest,
    key: AccessKey,
    uploads: dict[str, vault.Known],
    fields: dict[str, str],
    *,
    repeat: str,
    direct: bool,
) -> tuple[Job, bool]:
    wants = _wants(request, fields)
    if wants.provider and wants.provider not in {card.name for card in registry.cards()}:
        raise wrong({"provider": [_("There is no such provider here; GET /providers lists them.")]})
    wishes = wants.wishes()
    if direct:
        wishes = replace(wishes, keep_minutes=DIRECT_MINUTES)
    job_id = uuid4()
    try:
        if repeat:
            idempotency.remember(owner=key.owner, key=repeat, uploads=uploads, wants=wants)
        job = intake.receive(
            owner=key.owner,
            uploads=uploads,
            wishes=wishes,
            request_key=idempotency.request_key(repeat) if repeat else None,
            access_key=key,
            direct=direct,
            job_id=job_id,
        )
    except idempotency.Clash:
        raise Problem(api_problems.KEY_REUSED) from None
    except intake.NotAccepted as refused:
        if repeat:
            idempotency.forget(owner=key.owner, key=repeat)
        raise api_problems.of_refusal(refused) from None
    except vault.VaultError:
        raise Problem(api_problems.STORE_AWAY, wait=60.0) from None
    recording.note_job(request, job.pk)
    return job, job.pk == job_id


def _wants(request: HttpRequest, fields: dict[str, str]) -> Wants:
    """The choices of the form and of the query; the same in both is one too many."""
    query = {name: str(request.GET[name]) for name in request.GET}
    repeated = {name for name in query if name in fields or len(request.GET.getlist(name)) > 1}
    twice = {name: [_("Sent more than once.")] for name in sorted(repeated)}
    if twice:
        raise wrong(twice)
    return parse({**query, **fields})


def seconds_to_wait(header: str, *, most: int) -> int:
    """What ``Prefer: wait=N`` asks for, at most ``most``; 0 where it asks for nothing that we know (RFC 7240)."""
    for preference in header.replace(";", ",").split(","):
        name, _equals, value = preference.strip().partition("=")
        with suppress(ValueError):
            if name.strip().lower() == "wait":
                return max(0, min(most, int(value.strip().strip('"')[:9])))
    return 0
