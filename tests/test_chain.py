"""The chain of middleware is asynchronous throughout: a view runs in the task that answers; no thread waits for it."""

from __future__ import annotations

import asyncio
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path

from modelmyimage.asgi import site

seen: list[str] = []


async def waits(request: HttpRequest) -> HttpResponse:
    """Notes in which task it runs."""
    task = asyncio.current_task()
    seen.append(getattr(task.get_coro(), "__qualname__", "") if task else "")
    return HttpResponse()


urlpatterns = [path("waits", waits)]


def test_no_middleware_puts_a_thread_between_a_request_and_its_view(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.test_chain"
    scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": "/waits", "query_string": b"",
             "headers": [(b"host", b"localhost")]}  # fmt: skip
    asked = iter([{"type": "http.request", "body": b""}])

    async def receive() -> dict[str, Any]:
        for message in asked:
            return message
        await asyncio.Event().wait()  # and is cancelled
        return {}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200

    asyncio.run(site(scope, receive, send))
    assert seen == ["ASGIHandler.handle.<locals>.process_request"]
