"""Models whose only server is their demo page: TripoSR, Stable Fast 3D, TRELLIS and TRELLIS.2, as Gradio apps.

Each step of such a page is a call that joins the app's queue; its outcome is the last message of a stream that can be
read once. So one submit goes through all the steps and delivers (docs/adr/0009-gradio-by-plain-http.md). The heartbeat
is a stream, too: as it closes, the TRELLIS family removes what it made for the session.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import chain, islice
from typing import Any, ClassVar, Final
from urllib.parse import quote

import httpx

from generation import pictures
from generation.egress import EgressError
from generation.exchange import CHUNK, Exchange, NotThere, Refused, text
from generation.options import JobOptions
from generation.provider import (
    Card,
    Declined,
    Delivered,
    Erased,
    Erasure,
    Failed,
    Finished,
    Misconfigured,
    Pending,
    Progress,
    Remote,
    Unavailable,
    Unclear,
    Variable,
)

SECONDS: Final = 900.0
"""How long all the steps of a call may take."""
LONGEST: Final = 32_000_000
"""Bytes that a message may have: some carry pictures for the page."""
SIDE: Final = 1024
"""None of the apps looks at more pixels than that."""
FILLED: Final = 0.85
"""The share of the picture that its subject takes; what the apps are set to."""
Call = Callable[..., Any]


class Gradio:
    """One app. A subclass says which functions it has, and in which order they are called."""

    card: ClassVar[Card]
    functions: ClassVar[Mapping[str, int]]
    """Their names, and how many inputs each takes. An app that has others is another version."""

    def __init__(self, http: httpx.Client, setup: Mapping[str, str]) -> None:
        self.api = Exchange(http, setup[self.card.variables[0].name])

    @staticmethod
    def recipe(call: Call, photo: Any, quality: str) -> Any:
        """All that is called, in order; the outputs of the last step hold the GLB."""
        raise NotImplementedError

    def submit(
        self,
        images: Mapping[str, bytes],
        *,
        options: JobOptions,
        quality: str,
        key: str,
        hook: str,
        progress: Progress,
    ) -> Remote | Delivered:
        """See ``Provider.submit``. Goes on to the mesh's first bytes; the rest comes as it is asked for."""
        chunks = self._made(images["front"], quality, progress)
        return Delivered(chain([next(chunks, b"")], chunks))

    def _made(self, cut_out: bytes, quality: str, progress: Progress) -> Iterator[bytes]:
        session = _Session(self.api, self.functions, progress)
        with session.kept():
            photo = session.upload(pictures.png(pictures.squared(cut_out, filled=FILLED), side=SIDE))
            try:
                outputs = self.recipe(session.call, photo, quality)
            except Misconfigured:
                raise Unclear from None  # whoever refuses us now has the photo
            yield from self.api.download(f"{session.prefix}file={quote(_file(outputs, '.glb')['path'])}")

    def poll(self, remote: Remote) -> Pending | Finished | Failed:
        """Never asked: ``submit`` delivers."""
        return Failed()

    def fetch(self, remote: Remote) -> Iterator[bytes]:
        """Never asked: ``submit`` delivers."""
        return iter(())

    def erase(self, remote: Remote) -> Erasure:
        """Never asked: no id is left. The apps have no way to delete an upload."""
        return Erasure(Erased.SWEPT)


class _Session:
    """One visit of an app, within which its functions see each other's results."""

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

    def call(self, name: str, *inputs: Any) -> Any:
        """The outputs of a function, called with all its inputs: null for those that the app keeps to itself."""
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
    """A function's number in the app. Where an example has its name, too, it is called ``name_1``."""
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


def _file(outputs: Any, ending: str = "") -> dict[str, Any]:
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


class TripoSR(Gradio):
    """Colours by vertex. The photo has no background left, so the app is told to leave it as it is."""

    card: ClassVar[Card] = Card(
        name="gradio-triposr",
        label="TripoSR",
        place="a machine of this site's operator",
        region="self",
        variables=(Variable("GRADIO_TRIPOSR_URL", address=True),),
        self_hosted=True,
        queue="calls",
        slots=1,
        credits={"draft": 2, "standard": 3, "high": 5},
        typical_seconds={"draft": 5, "standard": 8, "high": 15},
        keeps=None,
        can_erase=False,
        resubmit_safe=True,
        evidence=(
            "TripoSR repository: gradio_app.py. The app keeps photo and model in its temporary folders until its "
            "operator empties them. (November 2026)"
        ),
    )
    functions: ClassVar[Mapping[str, int]] = {"preprocess": 3, "generate": 2}

    @staticmethod
    def recipe(call: Call, photo: Any, quality: str) -> Any:
        """See ``Gradio.recipe``."""
        picture = _file(call("preprocess", photo, False, FILLED))
        return call("generate", picture, {"draft": 192, "standard": 256, "high": 320}[quality])


class StableFast3D(Gradio):
    """Its first function lays the picture by for its second, where it sees that no background is left to remove."""

    card: ClassVar[Card] = replace(
        TripoSR.card,
        name="gradio-sf3d",
        label="Stable Fast 3D (own machine)",
        variables=(Variable("GRADIO_SF3D_URL", address=True),),
        typical_seconds={"draft": 6, "standard": 8, "high": 12},
        licence=(
            "Stability AI's community licence: free for those who earn less than a million US dollars a year; "
            "others need another licence from Stability AI."
        ),
        evidence=(
            "Stable Fast 3D repository: gradio_app.py, community licence. The app keeps photo and model in its "
            "temporary folders until its operator empties them. (November 2026)"
        ),
    )
    functions: ClassVar[Mapping[str, int]] = {"requires_bg_remove": 2, "run_button": 7}

    @staticmethod
    def recipe(call: Call, photo: Any, quality: str) -> Any:
        """See ``Gradio.recipe``. The button's own label is an input."""
        call("requires_bg_remove", photo, FILLED)
        size = {"draft": 512, "standard": 1024, "high": 2048}[quality]
        return call("run_button", "Run", photo, None, FILLED, "None", -1, size)


class Trellis(Gradio):
    """A shape and its colours are computed first, and a GLB is made from them in a step of its own."""

    card: ClassVar[Card] = replace(
        TripoSR.card,
        name="gradio-trellis",
        label="TRELLIS",
        variables=(Variable("GRADIO_TRELLIS_URL", address=True),),
        typical_seconds={"draft": 40, "standard": 50, "high": 80},
        licence="The model is under the MIT licence; some of the software that its app needs is not.",
        evidence=(
            "TRELLIS repository: app.py. The app removes the model as the call ends, and the photo from its cache "
            "within 20 minutes; neither is confirmed to us. (November 2026)"
        ),
    )
    functions: ClassVar[Mapping[str, int]] = {
        "start_session": 0, "preprocess_image": 1, "image_to_3d": 9, "extract_glb": 3,
    }  # fmt: skip

    @staticmethod
    def recipe(call: Call, photo: Any, quality: str) -> Any:
        """See ``Gradio.recipe``."""
        call("start_session")
        picture = _file(call("preprocess_image", photo))
        call("image_to_3d", picture, [], None, secrets.randbelow(2**31), 7.5, 12, 3.0, 12, "stochastic")
        simplify, size = {"draft": (0.98, 512), "standard": (0.95, 1024), "high": (0.9, 2048)}[quality]
        return call("extract_glb", None, simplify, size)


class Trellis2(Gradio):
    """As TRELLIS, with other settings: for each of its three stages strength, rescale, steps and rescale in time."""

    card: ClassVar[Card] = replace(
        Trellis.card,
        name="gradio-trellis-2",
        label="TRELLIS.2",
        variables=(Variable("GRADIO_TRELLIS_2_URL", address=True),),
        typical_seconds={"draft": 20, "standard": 40, "high": 90},
        licence="",
        evidence=(
            "TRELLIS.2 repository: app.py. The app removes the model as the call ends, and the photo from its cache "
            "within 20 minutes; neither is confirmed to us. (November 2026)"
        ),
    )
    functions: ClassVar[Mapping[str, int]] = {**Trellis.functions, "image_to_3d": 15}

    @staticmethod
    def recipe(call: Call, photo: Any, quality: str) -> Any:
        """See ``Gradio.recipe``."""
        voxels, triangles, size = {
            "draft": ("512", 100_000, 1024), "standard": ("1024", 300_000, 2048), "high": ("1536", 500_000, 4096),
        }[quality]  # fmt: skip
        call("start_session")
        picture = _file(call("preprocess_image", photo))
        stages = (7.5, 0.7, 12, 5.0), (7.5, 0.5, 12, 3.0), (1.0, 0.0, 12, 3.0)
        call("image_to_3d", picture, secrets.randbelow(2**31), voxels, *chain(*stages))
        return call("extract_glb", None, triangles, size)


PROVIDERS = (TripoSR, StableFast3D, Trellis, Trellis2)
