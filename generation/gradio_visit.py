"""A visit of a Gradio page: its functions called over HTTP in the page's own protocol.

A call joins the page's queue, and its outcome is the last message but one of a stream that can be read once. Calls of
the same session see each other's results. The heartbeat is a stream, too: as it closes, a page may remove what it made
for the session. Why not by Gradio's client: docs/adr/0009-gradio-by-plain-http.md. Tried with Gradio 4.44 and 6.31.

A provider makes one visit for each submit; the apps that we know are in ``generation/providers/gradio.py``.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from typing import Any, ClassVar, Final
from urllib.parse import quote

import httpx

from generation import pictures
from generation.egress import EgressError
from generation.exchange import CHUNK, Exchange, NotThere, Refused, text
from generation.provider import (
    AnswersAtOnce,
    Brief,
    Card,
    Declined,
    Delivered,
    Erased,
    Erasure,
    Misconfigured,
    Progress,
    Remote,
    Unavailable,
    Unclear,
)

SECONDS: Final = 900.0
"""How long all the calls of a visit may take."""
LONGEST: Final = 32_000_000
"""Bytes that a message may have: some carry pictures for the page."""
SIDE: Final = 1024
"""None of the apps looks at more pixels than that."""
FILLED: Final = 0.85
"""The share of the picture that its subject takes; what the apps are set to."""
Call = Callable[..., Any]


class Visit:
    """One session. Raises ``Misconfigured`` unless the page has these functions, with so many inputs each."""

    def __init__(self, api: Exchange, functions: Mapping[str, int], progress: Progress) -> None:
        self.api, self.progress = api, progress
        self.hash = secrets.token_hex(8)
        self.ends = time.monotonic() + SECONDS
        self.done = 0
        try:
            config = api.ask("GET", "config")
        except (NotThere, Refused):
            raise Misconfigured from None
        prefix = text(config, "api_prefix").strip("/")  # Gradio 4 has none
        self.prefix = f"{prefix}/" if prefix else ""
        self.numbers = {name: _number(config, name, inputs) for name, inputs in functions.items()}

    @contextmanager
    def kept(self) -> Iterator[None]:
        """The heartbeat, held open and not read: there is little to it. Without, nothing is sent."""
        with ExitStack() as stream:
            try:
                heartbeat = self.api.opened("GET", f"{self.prefix}heartbeat/{self.hash}", timeout=2 * SECONDS)
                stream.enter_context(heartbeat)
            except (NotThere, Refused):
                raise Misconfigured from None
            yield

    def upload(self, picture: bytes) -> dict[str, Any]:
        """A picture as an input."""
        try:
            with self.api.opened(
                "POST", f"{self.prefix}upload", timeout=60.0, files={"files": ("photo.png", picture, "image/png")}
            ) as answer:
                paths = json.loads(b"".join(islice(answer.iter_bytes(CHUNK), 4)))
        except (NotThere, Refused):
            raise Declined from None
        except (httpx.HTTPError, EgressError, ValueError, RecursionError):
            raise Unavailable from None
        if not isinstance(paths, list) or not paths or not isinstance(paths[0], str):
            raise Unavailable
        return {"path": paths[0], "meta": {"_type": "gradio.FileData"}}

    def download(self, path: str) -> Iterator[bytes]:
        """A file by the server's path, in chunks. Raises as ``Exchange.download``."""
        return self.api.download(f"{self.prefix}file={quote(path)}")

    def call(self, name: str, *inputs: Any) -> Any:
        """The outputs of a function, called with all its inputs: null for those that the page keeps to itself."""
        left = self.ends - time.monotonic()
        if left <= 0:
            raise Declined("provider_too_slow")
        self.progress(100 * self.done // len(self.numbers))
        self.api.create(
            f"{self.prefix}queue/join",
            json={"data": inputs, "fn_index": self.numbers[name], "session_hash": self.hash},
        )
        outcome: dict[str, Any] | None = None
        try:
            with self.api.opened("GET", f"{self.prefix}queue/data?session_hash={self.hash}", timeout=left) as answer:
                # To its very end: who leaves earlier has the session's next call thrown out of the queue.
                for message in _messages(answer.iter_bytes()):
                    self.progress(100 * self.done // len(self.numbers))  # a heartbeat, if nothing else
                    if text(message, "msg") == "process_completed":
                        outcome = message
        except (httpx.HTTPError, EgressError, NotThere, Refused) as error:
            if outcome is None and isinstance(error, httpx.TimeoutException):
                raise Declined("provider_too_slow") from None  # and busy: asked again, it would take even longer
        if outcome is None:
            raise Unclear
        output = outcome.get("output")
        if outcome.get("success") is not True or not isinstance(output, dict):
            raise Declined("provider_failed")  # its words may say anything
        self.done += 1
        return output.get("data")


def _number(config: Mapping[str, Any], name: str, inputs: int) -> int:
    """A function's number in the page. Where an example has its name, too, it is called ``name_1``."""
    listed = config.get("dependencies")
    for at, function in enumerate(listed if isinstance(listed, list) else []):
        takes = function.get("inputs") if isinstance(function, dict) else None
        if not isinstance(takes, list) or len(takes) != inputs:
            continue
        shown = function.get("api_visibility", "public") == "public" and function.get("show_api") is not False
        if shown and re.fullmatch(rf"{name}(_\d+)?", str(function.get("api_name"))):
            number = function.get("id", at)
            return number if isinstance(number, int) else at
    raise Misconfigured


def _messages(chunks: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The messages of an event stream, as they come. Raises ``Unclear`` for what is none."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        while (end := held.find(b"\n")) >= 0:
            line = bytes(held[:end])
            del held[: end + 1]
            if line.startswith(b"data:"):
                try:
                    message = json.loads(line[5:])
                except (ValueError, RecursionError):
                    raise Unclear from None
                if isinstance(message, dict):
                    yield message
        if len(held) > LONGEST:
            raise Unclear


def file_in(outputs: Any, ending: str = "") -> dict[str, Any]:
    """The first file, wherever it is in a function's outputs, as an input."""
    ahead = [outputs]
    while ahead:
        at = ahead.pop(0)
        if isinstance(at, dict):
            path, names = at.get("path"), (at.get("path"), at.get("orig_name"))
            if isinstance(path, str) and any(str(name).lower().endswith(ending) for name in names):
                return {"path": path, "meta": {"_type": "gradio.FileData"}}
            ahead += at.values()
        elif isinstance(at, list):
            ahead += at
    raise Declined("provider_failed")


class Gradio(AnswersAtOnce, ABC):
    """A provider whose model is a page. A subclass says which functions it has, and in which order they are called."""

    card: ClassVar[Card]
    functions: ClassVar[Mapping[str, int]]
    """Their names, and how many inputs each takes. An app that has others is another version."""

    def __init__(self, http: httpx.Client, setup: Mapping[str, str]) -> None:
        self.api = Exchange(http, setup[self.card.variables[0].name])

    @staticmethod
    @abstractmethod
    def recipe(call: Call, photo: Any, quality: str) -> Any:
        """All that is called, in order; the outputs of the last step hold the GLB."""

    def submit(self, brief: Brief) -> Delivered:
        """See ``Provider.submit``. Goes on to the mesh's first bytes; the rest comes as it is asked for."""
        chunks = self._made(brief)
        return Delivered(chain([next(chunks, b"")], chunks))

    def _made(self, brief: Brief) -> Iterator[bytes]:
        visit = Visit(self.api, self.functions, brief.progress)
        with visit.kept():
            picture = pictures.squared(brief.images["front"], filled=FILLED)
            photo = visit.upload(pictures.png(picture, side=SIDE))
            try:
                outputs = self.recipe(visit.call, photo, brief.quality)
            except Misconfigured:
                raise Unclear from None  # whoever refuses us now has the photo
            yield from visit.download(file_in(outputs, ".glb")["path"])

    def erase(self, remote: Remote) -> Erasure:
        """Never asked: no id is left. The apps have no way to delete an upload."""
        return Erasure(Erased.SWEPT)
