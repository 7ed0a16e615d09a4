"""What the API answers about jobs when it cannot do what was asked (accounts/problems.py has the general ones)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from accounts import problems
from accounts.problems import Kind, Problem
from generation.intake import NotAccepted

MEDIA_TYPE = Kind(
    "media_type",
    415,
    _("Not a form and not a picture"),
    _("Send multipart/form-data with the photo in the field “image”, or the photo alone as image/jpeg or the like."),
)
BROKEN_OFF = Kind(
    "broken_off", 400, _("The photo did not arrive whole"), _("What had arrived is destroyed. Send it again.")
)
PHOTO_REFUSED = Kind(
    "photo_refused",
    422,
    _("The photo cannot be used"),
    _("“detail” says why, and “failure” says it for programs. Send another one. Nothing was charged."),
)
NOT_OFFERED = Kind(
    "not_offered",
    422,
    _("Nobody offers this"),
    _("“detail” says which wish stands in the way, and “failure” says it for programs. Give it up, or change it."),
)
CREDITS = Kind(
    "insufficient_credits", 402, _("Too few credits"), _("Buy some, or choose a lower quality. Nothing was charged.")
)
SPENDING_LIMIT = Kind(
    "spending_limit",
    402,
    _("A limit of your own is reached"),
    _("Raise the account’s limit on the Credits page, or wait for next month. Nothing was charged."),
)
KEY_LIMIT = Kind(
    "key_limit",
    402,
    _("The key’s own limit is reached"),
    _("Raise it on the key’s page, or wait for next month. Nothing was charged."),
)
TOO_MANY_JOBS = Kind(
    "too_many_jobs", 429, _("Too many jobs run already"), _("Wait until one of them ends. Nothing was charged.")
)
NOBODY = Kind(
    "nobody",
    503,
    _("No provider takes this now"),
    _("Try again in a few minutes. Nothing was kept or charged."),
)
STORE_AWAY = Kind(
    "store_away", 503, _("Our storage does not answer"), _("Try again in a minute. Nothing was kept or charged.")
)
KEY_REUSED = Kind(
    "idempotency_clash",
    409,
    _("This Idempotency-Key was used for something else"),
    _("Use a new key for each new photo or choice, and the same one only to repeat a request."),
)
NOT_READY = Kind("not_ready", 409, _("Not ready yet"), _("Wait for it: GET the job with ?wait=30, or read its events."))
GONE = Kind(
    "gone",
    410,
    _("It is gone"),
    _("The model was destroyed, as promised, or there never was one. “state” of the job says which."),
)
TOO_MANY_WEBHOOKS = Kind(
    "too_many_webhooks", 409, _("The account has all the webhooks it may have"), _("Delete one that you do not use.")
)
WEBHOOK_OFF = Kind("webhook_off", 409, _("The webhook is off"), _("Switch it on first: PATCH it with “enabled”: true."))
ALREADY_OVER = Kind(
    "already_over", 409, _("The job is over, or its model is on its way"), _("There is nothing left to cancel.")
)
JOB_FAILED = Kind(
    "job_failed",
    422,
    _("The job failed"),
    _("“detail” says why, and “failure” says it for programs. Nothing was charged."),
)
TOO_SLOW = Kind(
    "too_slow",
    504,
    _("It took too long"),
    _("The job is cancelled and costs nothing. For slow providers, use POST /jobs and wait there."),
)

SENDING: Final = (
    MEDIA_TYPE, BROKEN_OFF, problems.INVALID, problems.TOO_LARGE, PHOTO_REFUSED, NOT_OFFERED, CREDITS, SPENDING_LIMIT,
    KEY_LIMIT, TOO_MANY_JOBS, NOBODY, STORE_AWAY,
)  # fmt: skip
"""What may come of sending a photo."""

_OF_INTAKE: Final = {
    "insufficient_credits": CREDITS,
    "spending_limit": SPENDING_LIMIT,
    "key_limit": KEY_LIMIT,
    "too_many_jobs": TOO_MANY_JOBS,
    "no_provider": NOBODY,
    "unavailable": STORE_AWAY,
    "not_kept": BROKEN_OFF,
    "nothing_offered": NOT_OFFERED,
    "restricted": NOT_OFFERED,
    "option_not_offered": NOT_OFFERED,
    "views_not_offered": NOT_OFFERED,
    "format_not_offered": NOT_OFFERED,
    "too_expensive": NOT_OFFERED,
}

WAIT: Final[dict[int, float]] = {HTTPStatus.TOO_MANY_REQUESTS: 10.0, HTTPStatus.SERVICE_UNAVAILABLE: 60.0}


def of_refusal(refused: NotAccepted) -> Problem:
    """The problem for what the intake does not take."""
    kind = _OF_INTAKE.get(refused.code, PHOTO_REFUSED)
    members: dict[str, Any] = {"failure": refused.code} if kind in (PHOTO_REFUSED, NOT_OFFERED) else {}
    return Problem(kind, refused.message, wait=WAIT.get(kind.status), **members)
