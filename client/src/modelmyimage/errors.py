"""What can go wrong, as classes: ``except Error`` catches everything, each subclass one thing to do about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelmyimage.shapes import Job
    from modelmyimage.steps import Answer


class Error(Exception):
    """Anything that this package raises on purpose; its text is a sentence for people."""


class NotConnected(Error):
    """The site could not be reached, or the connection broke and stayed broken."""


class NotSetUp(Error):
    """No site or no key is known, or the key would travel in the clear."""


class Unreadable(Error):
    """The answer is not what this version knows."""


class NotAPhoto(Error):
    """The file is no picture that can be sent. Nothing was sent."""


ENDS = {
    "done": "The model was fetched before, and destroyed.",
    "cancelled": "The job was cancelled.",
    "expired": "Nobody fetched the model in time, so it was destroyed.",
}


class TimedOut(Error):
    """The job takes longer than you wanted to wait. It goes on; ``job`` is how it was seen last."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"Job {job.id} is not ready yet; it goes on. Wait for it again, or cancel it.")
        self.job = job


class JobEnded(Error):
    """The job ended without a model; ``job`` says how."""

    def __init__(self, job: Job) -> None:
        said = ENDS.get(job.state, f"There is no model: the job’s state is {job.state}.")
        super().__init__(job.failure.message if job.failure else said)
        self.job = job


class ApiError(Error):
    """The site answered with a problem: ``code`` never changes, ``todo`` what to do, support asks ``request_id``."""

    def __init__(
        self,
        *,
        status: int,
        code: str,
        title: str,
        detail: str = "",
        todo: str = "",
        request_id: str = "",
        retry_after: float | None = None,
        errors: Mapping[str, list[str]] | None = None,
        document: Mapping[str, Any] | None = None,
    ) -> None:
        parts = [detail or title, todo, f"(request {request_id})" if request_id else ""]
        super().__init__(" ".join(_sentence(part) for part in parts if part))
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.todo = todo
        self.request_id = request_id
        self.retry_after = retry_after
        self.errors = dict(errors or {})
        self.document = dict(document or {})


class KeyRefused(ApiError):
    """401: there is no key, it is mistyped, or it does not work any more."""


class NoCredits(ApiError):
    """402: too few credits, or a limit of the account or the key is reached."""


class NotAllowed(ApiError):
    """403: the key lacks a scope, or may not be used from here."""


class NotFound(ApiError):
    """404: it does not exist, or not for this account."""


class Conflict(ApiError):
    """409: not ready, over already, or an idempotency key that was used for something else."""


class Gone(ApiError):
    """410: the model was destroyed, as promised."""


class Refused(ApiError):
    """400, 413, 415 or 422: the request or the photo has to change; ``errors`` lists fields."""


class TooMany(ApiError):
    """429: a limit is reached, and waiting as the site asked was not enough or too long."""


class SiteFault(ApiError):
    """500 and above: the site's fault, and trying again did not help."""


BY_STATUS: dict[int, type[ApiError]] = {
    400: Refused,
    401: KeyRefused,
    402: NoCredits,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    410: Gone,
    413: Refused,
    415: Refused,
    422: Refused,
    429: TooMany,
}


def of_answer(answer: Answer) -> ApiError:
    """The error that an answer stands for, a problem document or whatever stands between us and the site sent."""
    try:
        document = json.loads(answer.body)
    except ValueError:
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("code"), str):
        document = {"code": f"http_{answer.status}", "title": _unknown(answer)}
    kind = BY_STATUS.get(answer.status, SiteFault if answer.status >= 500 else ApiError)
    errors = document.get("errors")
    return kind(
        status=answer.status,
        code=document["code"],
        title=str(document.get("title", "")),
        detail=str(document.get("detail", "")),
        todo=str(document.get("todo", "")),
        request_id=str(document.get("request_id", "")) or answer.headers.get("request-id", ""),
        retry_after=_seconds(answer.headers.get("retry-after", "")),
        errors=errors if isinstance(errors, dict) else None,
        document=document,
    )


def _sentence(text: str) -> str:
    return text if text[-1] in ".!?)" else f"{text}."


def _unknown(answer: Answer) -> str:
    if 300 <= answer.status < 400:
        return f"The site sends us to {answer.headers.get('location', 'another address')}; use that address instead."
    return f"The site answered with status {answer.status} and without a reason."


def _seconds(text: str) -> float | None:
    try:
        return max(0.0, float(text))
    except ValueError:
        return None
