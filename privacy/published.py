"""What anybody may read of the log, as JSON: heads, proofs, keys. No name, no address, nothing that a person made."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from privacy import heads, log, signing
from privacy.models import LogHead

FORMAT = "modelmyimage-log/1"
PAGE = 100
SHORT, EVER = 60, 31_536_000
"""Seconds for which an answer may be cached: one that changes, and one that never will."""

View = Callable[[HttpRequest], HttpResponse]


class _Problem(Exception):
    """What a view answers instead, as RFC 9457 wants it."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


def public(view: View) -> View:
    """A view that only reads, that pages of others may read too, and whose errors are problem documents."""

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        try:
            if request.method not in ("GET", "HEAD"):
                raise _Problem(HTTPStatus.METHOD_NOT_ALLOWED, _("This can only be read."))
            response = view(request)
        except _Problem as problem:
            response = JsonResponse(
                {
                    "type": "about:blank",
                    "title": problem.status.phrase,
                    "status": problem.status.value,
                    "detail": problem.detail,
                },
                status=problem.status,
                content_type="application/problem+json",
            )
            response["Cache-Control"] = "no-store"
            if problem.status == HTTPStatus.METHOD_NOT_ALLOWED:
                response["Allow"] = "GET, HEAD"
        response["Access-Control-Allow-Origin"] = "*"
        return response

    return answer


def _json(document: dict[str, Any], seconds: int) -> JsonResponse:
    response = JsonResponse(document)
    response["Cache-Control"] = f"public, max-age={seconds}" + (", immutable" if seconds == EVER else "")
    return response


def _number(request: HttpRequest, name: str, default: int | None = None) -> int:
    text = request.GET.get(name, "" if default is None else str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= 15):
        raise _Problem(HTTPStatus.BAD_REQUEST, _("%(name)s must be a whole number.") % {"name": name})
    return int(text)


def latest_document() -> dict[str, Any]:
    """The latest head with all keys to check it by, and where the rest is."""
    head = heads.latest()
    return {
        "format": FORMAT,
        "origin": settings.LOG_ORIGIN,
        "head": head and head.document,
        "keys": signing.public_keys(),
        "heads": reverse("privacy:log_heads"),
        "proof": reverse("privacy:log_proof") + "?leaf={hash}&size={size}",
        "consistency": reverse("privacy:log_consistency") + "?first={size}&second={size}",
    }


@public
def well_known(request: HttpRequest) -> HttpResponse:
    """The latest head and the public keys."""
    return _json(latest_document(), SHORT)


@public
def head(request: HttpRequest) -> HttpResponse:
    """The latest head alone."""
    found = heads.latest()
    if found is None:
        raise _Problem(HTTPStatus.NOT_FOUND, _("No head has been signed yet."))
    return _json(found.document, SHORT)


@public
def head_list(request: HttpRequest) -> HttpResponse:
    """All heads, oldest first, a page after another; a full page never changes."""
    after = _number(request, "after", 0)
    rows = list(LogHead.objects.filter(pk__gt=after).order_by("pk")[: PAGE + 1])
    page, more = rows[:PAGE], len(rows) > PAGE
    following = f"{reverse('privacy:log_heads')}?after={page[-1].pk}" if more else None
    document = {"format": "modelmyimage-log-heads/1", "heads": [row.document for row in page], "next": following}
    return _json(document, EVER if more else SHORT)


@public
def proof(request: HttpRequest) -> HttpResponse:
    """That the leaf with this hash is in the tree of that size."""
    leaf, size = request.GET.get("leaf", ""), _number(request, "size")
    if not heads.HEX.fullmatch(leaf):
        raise _Problem(HTTPStatus.BAD_REQUEST, _("leaf must be a SHA-256 in 64 lower-case hexadecimal digits."))
    try:
        index = log.index_of(bytes.fromhex(leaf))
        path = log.inclusion(index, size)
    except log.NotThere:
        raise _Problem(HTTPStatus.NOT_FOUND, _("The log of that size has no such entry.")) from None
    document = {
        "format": "modelmyimage-log-inclusion/1",
        "leaf": leaf,
        "index": index,
        "size": size,
        "path": [step.hex() for step in path],
    }
    return _json(document, EVER)


@public
def consistency(request: HttpRequest) -> HttpResponse:
    """That the tree of the first size is the beginning of that of the second."""
    first, second = _number(request, "first"), _number(request, "second")
    if first > second:
        raise _Problem(HTTPStatus.BAD_REQUEST, _("first must not be larger than second."))
    try:
        path = log.consistency(first, second)
    except log.NotThere:
        raise _Problem(HTTPStatus.NOT_FOUND, _("The log is not that long yet.")) from None
    document = {
        "format": "modelmyimage-log-consistency/1",
        "first": first,
        "second": second,
        "path": [step.hex() for step in path],
    }
    return _json(document, EVER)
