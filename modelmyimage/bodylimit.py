"""How large a request may be: looked at before anybody reads its body.

A declared length over the cap is answered 413 at once; a body without a declared length is counted as it comes and cut
off at the cap. Only the paths named as larger may have more than a form's worth, so that Django never has a body that
it would write to disk. At an address for machines alone, too large a body is answered as any other that is not theirs:
400 and not a word. Below the API's address, the answer is the API's problem document.
"""

import asyncio
import json
import logging
import math
from collections.abc import Mapping

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from accounts import problems
from accounts.problems import Problem
from modelmyimage import watching
from modelmyimage.api_edge import BELOW
from modelmyimage.asgi_types import App, Message, Receive, Scope, Send, header

logger = logging.getLogger(__name__)

# What a form adds to its file: boundaries, headers and the other fields.
FORM_OVERHEAD = 100_000

# A client that is still sending sees a reset connection instead of the answer, unless we let it finish within reason.
DRAIN_SECONDS = 30.0
DRAIN_IDLE_SECONDS = 1.0
DRAIN_BYTES = 64_000_000


class _PastCap(Exception):
    """More bytes came than the cap allows."""


class BodyLimit:
    """ASGI wrapper with a cap in bytes for every request body, and larger ones for the paths that take files."""

    def __init__(
        self, app: App, limit: int, larger: Mapping[str, int] | None = None, machines: frozenset[str] = frozenset()
    ) -> None:
        self.app = app
        self.limit = limit
        self.larger = dict(larger or {})
        self.machines = machines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 413."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        cap = self.larger.get(scope["path"], self.limit)
        declared = _declared(scope)
        if declared is not None and declared > cap:
            await _refuse(scope, receive, send, cap, declared, self.machines)
            return
        received = 0
        answered = False

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > cap:
                raise _PastCap
            return message

        async def noted(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self.app(scope, counted, noted)
        except _PastCap:
            if answered:
                raise
            await _refuse(scope, receive, send, cap, None, self.machines)


def _declared(scope: Scope) -> int | None:
    text = header(scope, b"content-length")
    return int(text) if text.isascii() and text.isdigit() else None


async def _refuse(
    scope: Scope, receive: Receive, send: Send, cap: int, declared: int | None, machines: frozenset[str]
) -> None:
    request_id = watching.request_id()
    logger.warning("a body past the limit was refused")
    if scope["path"] in machines:
        status, media_type, body = 400, b"text/plain", b""
    else:
        status = 413
        media_type, body = _answer(scope, request_id, cap, declared)
    headers = {
        b"request-id": request_id.encode(),
        b"content-type": media_type,
        b"content-length": str(len(body)).encode(),
        b"content-security-policy": (
            b"default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; "
            b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        b"x-content-type-options": b"nosniff",
        b"cache-control": b"no-store",
        b"connection": b"close",
    }
    await send({"type": "http.response.start", "status": status, "headers": list(headers.items())})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await _drain(receive)
    await send({"type": "http.response.body"})


async def _drain(receive: Receive) -> None:
    """Read on for a while, so that the client hears the answer instead of a reset.

    The end is looked at by the clock, not left to a time-out around the loop: before Python 3.12, ``wait_for`` loses a
    cancellation that comes together with a result, and a client that drips could hold us for ever.
    """
    left, clock = DRAIN_BYTES, asyncio.get_running_loop().time
    ends = clock() + DRAIN_SECONDS
    while left > 0 and clock() < ends:
        try:
            message = await asyncio.wait_for(receive(), min(DRAIN_IDLE_SECONDS, ends - clock()))
        except TimeoutError:
            return
        if message["type"] != "http.request" or not message.get("more_body", False):
            return
        left -= len(message.get("body", b""))


def _answer(scope: Scope, request_id: str, cap: int, declared: int | None) -> tuple[bytes, bytes]:
    """Media type and body of the 413."""
    accept = header(scope, b"accept")
    limit = cap // 1_000_000
    if declared is None:
        detail = _("The limit is %(limit)d MB.") % {"limit": limit}
    else:
        size = math.ceil(declared / 100_000) / 10
        detail = _("%(size)s MB. The limit is %(limit)d MB.") % {"size": f"{size:.10g}", "limit": limit}
    title = _("Too large")
    if scope["path"].startswith(BELOW):
        answer = problems.response(Problem(problems.TOO_LARGE, detail), request_id=request_id)
        return problems.MEDIA_TYPE.encode(), answer.content
    if "json" in accept and "text/html" not in accept:
        problem = {
            "type": "about:blank",
            "title": title,
            "status": 413,
            "detail": detail,
            "code": "too_large",
        }
        return b"application/problem+json", json.dumps(problem).encode()
    page = render_to_string("413.html", {"title": title, "detail": detail})
    return b"text/html; charset=utf-8", page.encode()
