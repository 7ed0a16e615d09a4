"""Each request has an id, which its answer, its log lines and its tasks' log lines bear; and it is timed and traced.

The id is made here. Where a reverse proxy of ours gives one (``REQUEST_ID_HEADER``), that one is taken if it looks like
an id and like nothing else; what a client sends is not looked at. A request is known by the name of its route, never by
its path, which may hold a token.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from modelmyimage.asgi_types import App, Message, Receive, Scope, Send, header
from observe import facts, meters, tracing

ROUTE: Final = "modelmyimage.route"
"""Where a request's ASGI scope has the name of its route."""
UNMATCHED: Final = "unmatched"
"""What stands for a route where none matched, or nobody looked: files of the site, bodies that are too large."""
HEADER: Final = b"request-id"
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def request_id() -> str:
    """The id of the request at hand; a new one where there is none, as in tests without the whole site."""
    return facts.about().get("request") or uuid4().hex


class Watching:
    """ASGI wrapper that gives each request its id, times it to the first byte of its answer, and traces it."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0
        own = given(scope) or uuid4().hex

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                meters.REQUESTS.time(time.perf_counter() - began, route=_route(scope), status=f"{status // 100}xx")
                named = any(name.lower() == HEADER for name, _ in message.get("headers", ()))
                if not named:
                    message = {**message, "headers": [*message.get("headers", ()), (HEADER, own.encode())]}
            await send(message)

        method = scope["method"] if scope["method"] in METHODS else "OTHER"
        with facts.telling(request=own), tracing.span(method, kind="server", sender={}) as span:
            try:
                await self.app(scope, receive, sent)
            finally:
                if not status:
                    # The client went away before there was an answer, or nobody caught what went wrong.
                    meters.REQUESTS.time(time.perf_counter() - began, route=_route(scope), status="none")
                span.name(f"{method} {facts.code_name(_route(scope))}")
                span.say(status=status)
                if status >= 500:
                    span.failed("500")


def given(scope: Scope) -> str:
    """The id that the proxy gave; empty where none does, or what it gave is none."""
    name: str = settings.REQUEST_ID_HEADER
    value = header(scope, name.encode()) if name else ""
    return value if facts.IDENTIFIER.fullmatch(value) else ""


def _route(scope: Scope) -> str:
    return str(scope.get(ROUTE, UNMATCHED))


@sync_and_async_middleware
def named(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """The middleware that says, for ``Watching``, which route a request took."""
    if iscoroutinefunction(get_response):

        async def answer(request: HttpRequest) -> HttpResponseBase:
            response: HttpResponseBase = await get_response(request)
            _name(request)
            return response

        return answer

    def answer_at_once(request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = get_response(request)
        _name(request)
        return response

    return answer_at_once


def _name(request: HttpRequest) -> None:
    match, scope = request.resolver_match, getattr(request, "scope", None)
    if match is not None and scope is not None:
        scope[ROUTE] = match.view_name or UNMATCHED
