"""Hostile bytes are only ever parsed in a process of their own that can do nothing but compute.

``run`` gets one from the fork server: bytes in by one pipe, an answer out by another. The process inherits no secret
from the environment, and before it reads its input it gives up what parsing does not need: opening anything (files,
sockets), writing files, core dumps, and memory and processor time above its bounds. It never imports Django. Its error
output goes nowhere, since a parser may quote what it reads.

An answer is a four-byte length, a JSON header of that length, and a payload.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import resource
import selectors
import signal
import struct
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn

from generation.forkserver import Child, ForkServer, Unreachable

TASKS = {
    "picture": "generation.pixels:redraw",
    "mesh": "generation.inspection:remake",
}
CHUNK = 1 << 16
HEADER_LIMIT = 1 << 16
OUT_OF_MEMORY = 86  # the exit status that says so

_server = ForkServer()

Task = Callable[[bytearray], tuple[dict[str, Any], Sequence[bytes | memoryview]]]


class ConfinedError(Exception):
    """The process gave no answer."""


class Crashed(ConfinedError):
    """It ended by itself: a fault in a parser, or in our use of one."""


class TimedOut(ConfinedError):
    """It was ended because its time was up (wall clock or processor)."""


class OutOfBounds(ConfinedError):
    """It asked for more memory than it may have, or answered with more bytes than agreed."""


class Refusal(Exception):
    """Raised by a task: the input is not acceptable, for a reason that has a name.

    ``facts`` are numbers and format names for the message; never anything else from the input.
    """

    def __init__(self, code: str, **facts: int | str) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


def run(
    task: str, data: Iterable[bytes], *, seconds: float, memory: int, output_limit: int
) -> tuple[dict[str, Any], bytes]:
    """Give ``data`` to a task in its own process and return its answer: header and payload.

    ``seconds`` bounds the wall clock from start to answer, ``memory`` the address space in bytes,
    ``output_limit`` the payload in bytes. A refusal by the task is an answer: ``{"refused": code, ...}``.
    Raises ``Crashed``, ``TimedOut``, ``OutOfBounds``, and whatever ``data`` raises.
    """
    if task not in TASKS:
        raise ValueError(f"There is no task {task!r}.")
    deadline = time.monotonic() + seconds
    try:
        process = _server.spawn(task, seconds=math.ceil(seconds), memory=memory)
    except Unreachable:
        raise Crashed("The process could not be started.") from None
    try:
        answer = _exchange(process, iter(data), deadline, limit=output_limit + HEADER_LIMIT + 4)
        status = process.wait(deadline - time.monotonic())
    except TimeoutError:
        raise TimedOut from None
    finally:
        process.end()
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        raise TimedOut
    if status == OUT_OF_MEMORY:
        raise OutOfBounds
    if status != 0:
        raise Crashed(f"The process for {task!r} ended with status {status}.")
    return _unpack(answer, output_limit)


def _exchange(process: Child, data: Iterator[bytes], deadline: float, limit: int) -> bytearray:
    """Feed and listen at once, so that neither side waits for the other for ever; returns all output."""
    output = bytearray()
    pending = memoryview(b"")
    os.set_blocking(process.stdin.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdin, selectors.EVENT_WRITE)
        selector.register(process.stdout, selectors.EVENT_READ)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimedOut
            for key, _ in selector.select(left):
                if key.fileobj is process.stdin:
                    if not pending:
                        # An iterator may give empty chunks; only its end is the end.
                        pending = memoryview(next((chunk for chunk in data if chunk), b""))
                    sent = _send(process.stdin.fileno(), pending)
                    pending = pending[sent:]
                    if not sent:
                        selector.unregister(process.stdin)
                        process.stdin.close()
                else:
                    received = os.read(process.stdout.fileno(), CHUNK)
                    output += received
                    if not received:
                        selector.unregister(process.stdout)
                        # It has said all it will: what was not fed is not wanted.
                        if not process.stdin.closed:
                            selector.unregister(process.stdin)
                            process.stdin.close()
                    if len(output) > limit:
                        raise OutOfBounds
    return output


def _send(pipe: int, data: memoryview) -> int:
    """Write some of ``data``; 0 means that nothing more can or need be sent."""
    try:
        return os.write(pipe, data[:CHUNK]) if data else 0
    except BrokenPipeError:
        return 0


def _unpack(answer: bytearray, output_limit: int) -> tuple[dict[str, Any], bytes]:
    try:
        (length,) = struct.unpack_from(">I", answer)
        header = json.loads(answer[4 : 4 + length])
    except (struct.error, ValueError):
        raise Crashed("The answer is not complete.") from None
    payload = bytes(memoryview(answer)[4 + length :])
    if not isinstance(header, dict) or len(payload) != header.pop("payload_bytes", None):
        raise Crashed("The answer is not complete.")
    if len(payload) > output_limit:
        raise OutOfBounds
    return header, payload


# --- below this line: inside the process -----------------------------------------------------------------------


def confine(seconds: int, memory: int) -> None:
    """Give up, for good, everything that parsing does not need. Nothing hostile has been read yet."""
    _bound(resource.RLIMIT_AS, memory)
    _bound(resource.RLIMIT_CPU, seconds)
    _bound(resource.RLIMIT_CORE, 0)
    _bound(resource.RLIMIT_FSIZE, 0)
    # Processes are not bounded: the HEIC decoder works in threads of its own, and those count as processes.
    _bound(resource.RLIMIT_NOFILE, 3)  # its three pipes: no file and no socket can be opened any more


def _bound(kind: int, value: int) -> None:
    try:
        resource.setrlimit(kind, (value, value))
    except (ValueError, OSError):
        if sys.platform == "linux":
            raise
        # macOS knows no bound on address space; the wall clock still holds there.


def serve(task: str, seconds: int, memory: int) -> NoReturn:
    """Run one task from standard input to standard output, and exit."""
    module, _, name = TASKS[task].partition(":")
    # Loaded and rehearsed by the fork server: libraries load parts of themselves when first used, and from here on
    # nothing can be opened any more.
    function: Task = getattr(importlib.import_module(module), name)
    confine(seconds, memory)
    payload: Sequence[bytes | memoryview] = ()
    try:
        header, payload = function(_read_all())
    except Refusal as refusal:
        header = {"refused": refusal.code, **refusal.facts}
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    header["payload_bytes"] = sum(len(piece) for piece in payload)
    text = json.dumps(header).encode()
    for piece in (struct.pack(">I", len(text)), text, *payload):
        _write_all(memoryview(piece))
    # Without the interpreter's farewell, which costs time and may run what the parsers left behind.
    os._exit(0)


def _read_all() -> bytearray:
    data = bytearray()
    while chunk := os.read(0, CHUNK):
        data += chunk
    return data


def _write_all(data: memoryview) -> None:
    while data:
        data = data[os.write(1, data) :]
