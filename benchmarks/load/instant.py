"""A provider that answers at once with the same model, so that whatever else a job takes is ours.

The class is what an operator would install (``PROVIDERS=benchmarks.load.instant:Instant``); the server beside it is a
process of its own, which reads the photo and answers with the mesh: ``python -m benchmarks.load.instant FILE``.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import httpx

from generation.exchange import CHUNK, Exchange
from generation.provider import AnswersAtOnce, Brief, Card, Delivered, Erased, Erasure, Remote, Variable

NAME = "benchmarks.load.instant:Instant"


class Instant(AnswersAtOnce):
    """The photo out by POST, the mesh back in the same exchange."""

    card: ClassVar[Card] = Card(
        name="instant",
        label="Instant",
        place="this machine",
        region="self",
        variables=(Variable("INSTANT_URL", address=True),),
        self_hosted=True,
        queue="calls",
        credits={"draft": 1, "standard": 1},
        typical_seconds={"draft": 1, "standard": 1},
        keeps=None,
        can_erase=False,
        resubmit_safe=True,
        evidence="benchmarks/load/instant.py",
    )

    def __init__(self, http: httpx.Client, setup: Mapping[str, str]) -> None:
        self.api = Exchange(http, setup["INSTANT_URL"])

    def submit(self, brief: Brief) -> Delivered:
        """See ``Provider.submit``."""
        chunks = self._made(brief.images["front"])
        return Delivered(iter([next(chunks), *chunks]))

    def _made(self, photo: bytes) -> Iterator[bytes]:
        with self.api.opened("POST", "/", content=photo) as answer:
            yield from answer.iter_bytes(CHUNK)

    def erase(self, remote: Remote) -> Erasure:
        """It keeps nothing."""
        return Erasure(Erased.NOTHING_KEPT)


async def serve(mesh: bytes) -> None:
    """Answer every request with the mesh, on a port that is printed, until standard input ends."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: model/gltf-binary\r\nContent-Length: {len(mesh)}\r\n\r\n".encode()

    async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
                sizes = [line.partition(b":")[2] for line in lines if line.startswith(b"content-length:")]
                await reader.readexactly(int(sizes[0]) if sizes else 0)
                writer.write(head + mesh)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(exchange, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.to_thread(sys.stdin.buffer.read)


def start(file: Path) -> tuple[subprocess.Popen[bytes], str]:
    """The server in a process of its own, and its address; closing its standard input ends it."""
    command = [sys.executable, "-m", "benchmarks.load.instant", str(file)]
    service = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert service.stdout is not None
    return service, service.stdout.readline().decode().strip()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]).read_bytes()))
