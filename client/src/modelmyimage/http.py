"""How requests and answers are put to httpx; the two clients share it."""

from __future__ import annotations

from typing import Any

import httpx

from modelmyimage.errors import NotConnected
from modelmyimage.settings import Settings
from modelmyimage.steps import Answer, Request

VERSION = "0.1.0"
# Longer than the site lets a request wait, and than it is silent on a stream.
TIMEOUT = httpx.Timeout(90.0, connect=10.0)


def options(settings: Settings) -> dict[str, Any]:
    """What a client is made with. It follows no redirects: the key goes where it was meant to go."""
    return {
        "base_url": settings.url,
        "headers": {"Authorization": f"Bearer {settings.key}", "User-Agent": f"modelmyimage/{VERSION}"},
        "timeout": TIMEOUT,
        "verify": not settings.url.startswith("http:"),  # nothing to check, and reading certificates takes a moment
        "follow_redirects": False,
    }


def arguments(request: Request) -> dict[str, Any]:
    """For ``build_request``. Files have no names of their own: those may say more than the picture."""
    return {
        "method": request.method,
        "url": request.path,
        "params": dict(request.query) or None,
        "headers": dict(request.headers),
        "data": dict(request.form) or None,
        "files": [(part.field, ("photo", part.data, part.media_type)) for part in request.parts] or None,
    }


def answer(response: httpx.Response, *, body: bool = True) -> Answer:
    """What came back."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, headers, response.content if body else b"")


def not_connected(error: httpx.RequestError, settings: Settings) -> NotConnected:
    """The error for a connection that is none."""
    kinds = {httpx.ConnectError: "cannot be reached", httpx.ConnectTimeout: "does not answer"}
    said = next((words for kind, words in kinds.items() if isinstance(error, kind)), "broke the connection off")
    if isinstance(error, httpx.ReadTimeout):
        said = "does not answer"
    return NotConnected(f"{settings.url} {said} ({type(error).__name__}).")
