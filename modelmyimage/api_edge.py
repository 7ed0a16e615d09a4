"""What every answer of the API has, whoever makes it: a request id, how the limits stand, and errors as problems.

What Django answers itself (no such method, a body that it cannot read, an exception that nobody caught) becomes a
problem document here, so that a program never has to read a page. A cookie that somebody's browser sends along is
taken off the request before anybody could look at it.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from accounts import problems
from accounts.problems import Kind, Problem
from modelmyimage import watching

BELOW = "/api/"

KINDS: dict[int, Kind] = {
    HTTPStatus.BAD_REQUEST: problems.MALFORMED,
    HTTPStatus.NOT_FOUND: problems.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: problems.METHOD,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: problems.TOO_LARGE,
    HTTPStatus.INTERNAL_SERVER_ERROR: problems.INTERNAL,
    HTTPStatus.SERVICE_UNAVAILABLE: problems.DATABASE_AWAY,
}


@sync_and_async_middleware
def edge(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """The middleware; requests that are not for the API pass as they are."""
    if iscoroutinefunction(get_response):

        async def answer(request: HttpRequest) -> HttpResponseBase:
            if not request.path.startswith(BELOW):
                return await get_response(request)  # type: ignore[no-any-return]
            begun(request)
            return finished(request, refused(request) or await get_response(request))

        return answer

    def answer_at_once(request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(BELOW):
            return get_response(request)  # type: ignore[no-any-return]
        begun(request)
        return finished(request, refused(request) or get_response(request))

    return answer_at_once


def begun(request: HttpRequest) -> None:
    """Give the request its id, and take its cookies."""
    request.request_id = watching.request_id()  # type: ignore[attr-defined]
    request.META.pop("HTTP_COOKIE", None)


def refused(request: HttpRequest) -> HttpResponseBase | None:
    """An answer to what came without TLS: a page is led on to it, a program with a key in its hand has to be told."""
    if request.is_secure() or not settings.SECURE_SSL_REDIRECT:
        return None
    return problems.response(Problem(problems.PLAIN_HTTP), request_id=request.request_id)  # type: ignore[attr-defined]


def finished(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The answer with what every answer has."""
    request_id: str = request.request_id  # type: ignore[attr-defined]
    known = response.get("Content-Type", "").startswith(problems.MEDIA_TYPE)
    if response.status_code >= HTTPStatus.BAD_REQUEST and not known:
        kind = KINDS.get(response.status_code, problems.MALFORMED)
        headers = {name: response[name] for name in ("Allow", "Retry-After") if response.has_header(name)}
        response.close()
        response = problems.response(Problem(kind, headers=headers), request_id=request_id)
    response["Request-Id"] = request_id
    response.headers.setdefault("Cache-Control", "no-store")
    extra: dict[str, str] = getattr(request, "answer_headers", {})
    standing: list[Any] = getattr(request, "standing", [])
    if standing:
        response["RateLimit-Policy"] = ", ".join(each.policy for each in standing)
        response["RateLimit"] = ", ".join(each.header for each in standing)
    for name, value in extra.items():
        response[name] = value
    return response
