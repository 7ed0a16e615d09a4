"""What the API answers when it cannot do what was asked: problem documents (RFC 9457) with a code that never changes.

A ``Kind`` is a code with its status and words; ``raise Problem(KIND)`` anywhere below a view of the API, and
``response`` makes the answer. Each app has its own kinds; ``documented`` puts those of an operation into the schema,
and nothing that is not documented is answered.
"""

from __future__ import annotations

import json
import logging
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
DOCS = "/api#"
"""A problem's type is the address at which our page explains it."""


@dataclass(frozen=True)
class Kind:
    """A code, its status, what happened (``title``), and what to do about it (``todo``)."""

    code: str
    status: int
    title: Promise
    todo: Promise


class Problem(Exception):
    """Raised instead of an answer.

    ``detail`` says more of this case, ``errors`` are fields and what is wrong with them, ``members`` is anything else.
    """

    def __init__(
        self,
        kind: Kind,
        detail: str = "",
        *,
        errors: Mapping[str, list[str]] | None = None,
        wait: float | None = None,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(kind.code)
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.wait = wait
        self.headers = dict(headers or {})
        self.members = members


NO_KEY = Kind(
    "no_key", 401, _("No access key"), _("Send the header “Authorization: Bearer mmi_…”. Cookies are not looked at.")
)
KEY_MALFORMED = Kind(
    "key_malformed",
    401,
    _("That is no access key"),
    _("It is mistyped or cut off: a key is mmi_ and 49 letters and digits. Nobody has to be told."),
)
KEY_INVALID = Kind(
    "key_invalid",
    401,
    _("This key does not work"),
    _("It is unknown, switched off, past its time, or replaced. Look at /account/keys, or make a new one there."),
)
KEY_ELSEWHERE = Kind(
    "key_elsewhere",
    403,
    _("Not from this address"),
    _("The key may be used from certain networks only. Its page, below /account/keys, says which."),
)
SCOPE = Kind(
    "scope_missing",
    403,
    _("The key may not do this"),
    _("“scope” in this document is what it lacks. Give it that on its page, or use another key."),
)
NOT_FOUND = Kind(
    "not_found",
    404,
    _("There is no such thing here"),
    _("Look at the address. What is somebody else’s is not there for you, either."),
)
METHOD = Kind("method_not_allowed", 405, _("Not in this way"), _("The header Allow lists the methods there are."))
MALFORMED = Kind(
    "malformed", 400, _("The request cannot be read"), _("“detail” says what is wrong with how it is written.")
)
INVALID = Kind("invalid", 422, _("A field needs a change"), _("“errors” lists each field and what is wrong with it."))
TOO_LARGE = Kind("too_large", 413, _("Too large"), _("Send a smaller file; “detail” says how large it may be."))
TOO_MANY = Kind(
    "too_many_requests",
    429,
    _("Too many requests"),
    _("Wait as many seconds as the header Retry-After says. The limits are on the page of the API."),
)
INTERNAL = Kind(
    "internal",
    500,
    _("Our fault"),
    _("Try again. If it stays, tell us the request id; we have no other trace of what you sent."),
)
PLAIN_HTTP = Kind(
    "plain_http",
    403,
    _("Only by https"),
    _("Ask the same by https. If a key was sent, give it a new secret: whoever carried the request could read it."),
)
DATABASE_AWAY = Kind(
    "database_away",
    503,
    _("Our database does not answer"),
    _("Try again in a minute; with an Idempotency-Key nothing happens twice."),
)
# Answered by what stands before the site, in these words (deploy/compose/Caddyfile).
RESTARTING = Kind(
    "restarting",
    503,
    _("The site is being restarted"),
    _("Ask again in a few seconds; what was sent meanwhile did not arrive."),
)

EVERYWHERE = (MALFORMED, PLAIN_HTTP, TOO_MANY, INTERNAL, DATABASE_AWAY, RESTARTING)
"""Kinds that any operation may answer."""
WITH_KEY = (NO_KEY, KEY_MALFORMED, KEY_INVALID, KEY_ELSEWHERE, SCOPE)


def response(problem: Problem, *, request_id: str) -> HttpResponse:
    """The answer."""
    kind = problem.kind
    document: dict[str, Any] = {
        "type": f"{DOCS}{kind.code}",
        "title": str(kind.title),
        "status": kind.status,
        "code": kind.code,
        "detail": problem.detail or str(kind.title) + ".",
        "todo": str(kind.todo),
        "request_id": request_id,
        **problem.members,
    }
    if problem.errors is not None:
        document["errors"] = dict(problem.errors)
    answer = HttpResponse(json.dumps(document, default=str), status=kind.status, content_type=MEDIA_TYPE)
    for name, value in problem.headers.items():
        answer[name] = value
    if kind.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        # By its code, which says more than the status that Django would log.
        logger.warning("the API refused a call", extra={"failure": kind.code})
        answer._has_been_logged = True  # type: ignore[attr-defined]  # Django's own mark, and private
    if kind.status == HTTPStatus.UNAUTHORIZED:
        answer["WWW-Authenticate"] = 'Bearer realm="modelmyimage"'
    if problem.wait is not None:
        answer["Retry-After"] = str(max(1, math.ceil(problem.wait)))
    answer["Cache-Control"] = "no-store"
    return answer


SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong, as in RFC 9457.",
    "required": ["type", "title", "status", "code", "detail", "todo", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "Where this code is explained."},
        "title": {"type": "string", "description": "What happened, in general."},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "For programs; it never changes."},
        "detail": {"type": "string", "description": "What happened, in this case."},
        "todo": {"type": "string", "description": "What to do about it."},
        "request_id": {"type": "string", "description": "As in the header Request-Id."},
        "errors": {
            "type": "object",
            "description": "What is wrong, by field.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        "scope": {"type": "string", "description": "What the key lacks."},
        "failure": {"type": "string", "description": "Why a job failed, for programs."},
        "job": {"type": "string", "format": "uuid", "description": "Which job it is about."},
    },
}
"""The document, as the schema of the API describes it."""


def documented(*kinds: Kind) -> dict[int, Any]:
    """The responses of an operation that may answer these kinds."""
    by_status: dict[int, list[Kind]] = defaultdict(list)
    for kind in kinds:
        by_status[kind.status].append(kind)
    return {status: _documented(status, by_status[status]) for status in sorted(by_status)}


def _documented(status: int, kinds: list[Kind]) -> dict[str, Any]:
    codes = [kind.code for kind in kinds]
    headers: dict[str, Any] = {"Request-Id": {"$ref": "#/components/headers/Request-Id"}}
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        headers["Retry-After"] = {"$ref": "#/components/headers/Retry-After"}
    return {
        "description": " ".join(f"`{kind.code}`: {kind.title}." for kind in kinds),
        "headers": headers,
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    "allOf": [
                        {"$ref": "#/components/schemas/Problem"},
                        {"properties": {"code": {"enum": codes}, "status": {"const": status}}},
                    ]
                }
            }
        },
    }
