"""``python -m benchmarks.streaming_site``: the web process as it is deployed, with three views more as references.

``plain/NAME`` serves an object's bytes as they lie in the store, by the same kind of answer, in pieces of 1 MiB that a
thread reads. ``sealed`` seals a request's photo by the API's own code, and destroys it; ``hashed`` reads the same
request through the same parts of Django, and hashes it. Both say how many bytes they took.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator
from dataclasses import replace

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "modelmyimage.settings")

PIECE = 1024 * 1024
MANY = 10**9


def mount() -> None:
    """Add the views, and lift the limits of how often and how many at a time: they are not what is measured."""
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
    from privacy.stores import store  # isort: skip

    async def pieces(name: str) -> AsyncGenerator[bytes, None]:
        opened = await asyncio.to_thread(store().open, name)
        try:
            while piece := await asyncio.to_thread(opened.stream.read, PIECE):
                yield piece
        finally:
            await asyncio.to_thread(opened.stream.close)

    async def plain(request: HttpRequest, name: str) -> Stream:
        return Stream(pieces(name), content_type="model/gltf-binary")

    def sealed(request: HttpRequest) -> HttpResponse:
        uploads, _ = api_uploads.received(request)
        size = Blob.objects.get(pk=uploads["front"]).plain_size
        vault.discard(uploads["front"])
        return HttpResponse(str(size))

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
        path("plain/<path:name>", plain),
        path("sealed", csrf_exempt(sealed)),
        path("hashed", csrf_exempt(hashed)),
    ]


if __name__ == "__main__":
    mount()
    from modelmyimage import web

    web.main()
