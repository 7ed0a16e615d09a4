"""Each request of the API is measured from its first byte to its last, whatever ends it; whose it is, others find out.

The outermost part of the site: so what is counted is what went over the wire, also of an answer that streams, of a
client that goes away, and of a process that stops. ``accounts/recording.py`` says what is kept and when it is written;
the server's start and stop (ASGI's lifespan) begin and end that.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from accounts import recording
from modelmyimage.api_edge import BELOW
from modelmyimage.asgi_types import App, Message, Receive, Scope, Send

LAST_REQUESTS_SECONDS = 1.0
"""How long a stop waits for requests that the server has just cancelled, so that they are recorded, too."""


class Measuring:
    """ASGI wrapper that hands every request of a working key to the recorder, and starts and stops that."""

    def __init__(self, app: App, recorder: recording.Recorder) -> None:
        self.app = app
        self.recorder = recorder
        self.under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["type"] != "http" or not scope["path"].startswith(BELOW):
            await self.app(scope, receive, send)
            return
        call = scope[recording.PLACE] = recording.Call()

        async def received() -> Message:
            message = await receive()
            call.bytes_in += len(message.get("body", b""))
            return message

        async def sent(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start":
                call.status = message["status"]
            else:
                call.bytes_out += len(message.get("body", b""))

        self.under_way += 1
        try:
            await self.app(scope, received, sent)
        finally:
            self.under_way -= 1
            if call.owner_id is not None:
                self.recorder.add(call.line())

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self.recorder.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over(), LAST_REQUESTS_SECONDS)
        await asyncio.to_thread(self.recorder.stop)
        await send({"type": "lifespan.shutdown.complete"})

    async def _over(self) -> None:
        while self.under_way:
            await asyncio.sleep(0.02)
