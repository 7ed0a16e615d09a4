"""How many photos may be on their way in at once, for one key and from one address: looked at before a body is read.

A body is in memory until it is sealed, so a crowd of slow senders would fill it. Counted is only what the API takes,
by the digest of whatever stands for a key (nobody is asked yet whether it is one), and until its last byte is here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from accounts import bearer, problems, throttle
from accounts.problems import Problem
from modelmyimage import watching
from modelmyimage.asgi_types import App, Message, Receive, Scope, Send, header

PATHS = frozenset({"/api/v1/jobs", "/api/v1/generate"})


class Receiving:
    """ASGI wrapper that lets only so many bodies in at a time."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 429."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in PATHS:
            await self.app(scope, receive, send)
            return
        wanted = _whose(scope)
        try:
            entry = await asyncio.to_thread(throttle.enter, wanted)
        except throttle.Exceeded as reached:
            await _refuse(send, reached)
            return
        inside = True

        async def leave() -> None:
            nonlocal inside
            if inside:
                inside = False
                await asyncio.shield(asyncio.to_thread(throttle.leave, wanted, entry))

        async def noticed() -> Message:
            message = await receive()
            if not message.get("more_body", False):
                await leave()
            return message

        try:
            await self.app(scope, noticed, send)
        finally:
            await leave()


def _whose(scope: Scope) -> Mapping[str, str]:
    client = scope.get("client") or ("", 0)
    secret = bearer.presented(header(scope, b"authorization"))
    wanted = {"uploads_address": str(client[0])}
    return wanted | ({"uploads_key": sha256(secret.encode()).hexdigest()} if secret else {})


async def _refuse(send: Send, reached: throttle.Exceeded) -> None:
    request_id = watching.request_id()
    answer = problems.response(Problem(problems.TOO_MANY, wait=reached.wait), request_id=request_id)
    headers: list[Any] = [(name.lower().encode(), value.encode()) for name, value in answer.items()]
    headers += [(b"request-id", request_id.encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": answer.content})
