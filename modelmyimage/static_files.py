"""The site's own files, served by WhiteNoise at their address alone, so that everything else stays asynchronous.

WhiteNoise's middleware is synchronous. In the chain it would give each request a thread for as long as its view runs:
a request that waits a minute for its job would hold one that long, and hear of its client's going away through it only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from whitenoise.middleware import WhiteNoiseMiddleware


@sync_and_async_middleware
def static_files(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """The middleware."""
    files = WhiteNoiseMiddleware(_nothing)
    below = "/" + settings.STATIC_URL.lstrip("/")
    if iscoroutinefunction(get_response):

        async def answer(request: HttpRequest) -> HttpResponseBase:
            if not request.path_info.startswith(below):
                return await get_response(request)  # type: ignore[no-any-return]  # typed by no one: any view's
            found: HttpResponseBase | None = await sync_to_async(files)(request)
            if isinstance(found, FileResponse):
                found.streaming_content = _whole(cast("Iterator[bytes]", found.streaming_content))
            return found or await get_response(request)

        return answer

    def answer_at_once(request: HttpRequest) -> HttpResponseBase:
        found = files(request) if request.path_info.startswith(below) else None
        return found or get_response(request)  # type: ignore[no-any-return]  # the same

    return answer_at_once


async def _whole(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The file in one piece, read in a thread: Django would do so by 4 kB, each sent on its own, and warn of it."""
    yield await sync_to_async(b"".join)(parts)


def _nothing(request: HttpRequest) -> None:
    """What WhiteNoise passes on is not a file of ours."""
