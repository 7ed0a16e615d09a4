"""A client that costs little: requests to 127.0.0.1 whose answers are read into one piece of memory."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from modelmyimage.local.ports import LOOPBACK

ROOM = 1024 * 1024


@contextmanager
def answered(
    port: int, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Iterator[http.client.HTTPResponse]:
    """The answer to one request over a connection of its own."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=120)
    try:
        connection.request(method, path, body, dict(headers or {}))
        yield connection.getresponse()
    finally:
        connection.close()


def fetched(
    port: int, path: str, headers: Mapping[str, str] | None = None, see: Callable[[memoryview], None] | None = None
) -> int:
    """How many bytes a file has; each piece is shown to ``see``. Raises ``RuntimeError`` when it is not given."""
    room, size = memoryview(bytearray(ROOM)), 0
    with answered(port, "GET", path, headers=headers) as answer:
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {answer.read(500)!r}")
        while got := answer.readinto(room):
            size += got
            if see:
                see(room[:got])
    return size


def sent(port: int, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[bytes, http.client.HTTPMessage]:
    """What was answered to a body, and its headers. Raises ``RuntimeError`` when it is not taken."""
    with answered(port, "POST", path, body, headers) as answer:
        said = answer.read()
        if answer.status not in (200, 201):
            raise RuntimeError(f"{path}: {answer.status} {said[:500]!r}")
        return said, answer.headers
