"""``python -m benchmarks.streaming_site``: the web process as it is deployed, with what is measured beside it.

``/unsealed`` before an address is the very same request (its key, its limits, its job), but for the vault: instead of a
blob, the object ``plain/ID`` is sent as it lies in the store, in pieces of 1 MiB, each read by a thread while the one
before is sent. ``bare/NAME`` sends an object likewise, and asks nobody for anything. ``sealed`` seals a request's photo
by the API's own code, and destroys it; ``hashed`` reads the same request through the same parts of Django, and hashes
it. Both say how many bytes they took.
"""

from __future__ import annotations

import hashlib
import os
from contextvars import ContextVar
from dataclasses import replace
from typing import Any
from uuid import UUID

from modelmyimage.asgi_types import App, Receive, Scope, Send

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "modelmyimage.settings")

PIECE = 1024 * 1024
MANY = 10**9
UNSEALED = "/unsealed"

asked_unsealed = ContextVar("asked_unsealed", default=False)


class Plain:
    """An object as it lies in the store, in the place of a ``vault.Reading``."""

    def __init__(self, name: str) -> None:
        from privacy.stores import store

        opened = store().open(name)
        self.size, self._stream, self.close = opened.size, opened.stream, opened.stream.close
        self._left, self._held, self.over = opened.size, b"", False
        self.hold()
        self.first = self.more()

    def hold(self) -> None:
        """Read the next piece."""
        self._held = self._stream.read(PIECE)
        self._left -= len(self._held)
        if not self._left:
            self.close()

    def more(self) -> list[bytes]:
        """The piece that is held."""
        self.over = not self._left
        return [self._held]


def mount() -> None:
    """Add the views, and lift the limits of how often and how many at a time: they are not what is measured."""
    from asgiref.sync import sync_to_async
    from django.core.files.uploadhandler import FileUploadHandler
    from django.http import HttpRequest, HttpResponse
    from django.urls import path
    from django.views.decorators.csrf import csrf_exempt

    from modelmyimage import asgi  # sets Django up

    from accounts import throttle  # isort: skip
    from generation import api_uploads  # isort: skip
    from generation.streams import Stream  # isort: skip
    from modelmyimage import urls  # isort: skip
    from privacy import vault  # isort: skip
    from privacy.models import Blob  # isort: skip

    ours = vault.opened
    site: App = asgi.application

    def opened(of: vault.Known) -> Any:
        return Plain(f"plain/{of.hex}") if asked_unsealed.get() and isinstance(of, UUID) else ours(of)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path", "").startswith(UNSEALED):
            asked_unsealed.set(True)
            path = scope["path"].removeprefix(UNSEALED)
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await site(scope, receive, send)

    vault.opened = opened
    asgi.application = application  # type: ignore[assignment]  # a function where a handler was

    async def bare(request: HttpRequest, name: str) -> Stream:
        reading: Any = await sync_to_async(Plain)(name)
        response = Stream(vault.aread(reading), content_type="model/gltf-binary")
        response["Content-Length"] = str(reading.size)
        return response

    def sealed(request: HttpRequest) -> HttpResponse:
        uploads, _ = api_uploads.received(request)
        front = uploads["front"]
        blob = front if isinstance(front, Blob) else Blob.objects.get(pk=front)
        vault.discard(blob)
        return HttpResponse(str(blob.plain_size))

    class Hashing(FileUploadHandler):
        """Hashes a form's file and forgets it."""

        def __init__(self) -> None:
            super().__init__()
            self.sha256, self.size = hashlib.sha256(), 0

        def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
            self.sha256.update(raw_data)
            self.size += len(raw_data)

        def file_complete(self, file_size: int) -> None:
            return None

    def hashed(request: HttpRequest) -> HttpResponse:
        taken = Hashing()
        if request.content_type == "multipart/form-data":
            request.upload_handlers = [taken]
            assert not request.FILES
        else:
            while piece := request.read(api_uploads.CHUNK):
                taken.receive_data_chunk(piece, 0)
        return HttpResponse(str(taken.size))

    for name, rate in throttle.RATES.items():
        throttle.RATES[name] = replace(rate, calls=MANY)
    largest = max(asgi.limited.larger.values())
    asgi.limited.larger |= dict.fromkeys(("/sealed", "/hashed"), largest)
    urls.urlpatterns[:0] = [
        path("bare/<path:name>", bare),
        path("sealed", csrf_exempt(sealed)),
        path("hashed", csrf_exempt(hashed)),
    ]


if __name__ == "__main__":
    mount()
    from modelmyimage import web

    web.main()
