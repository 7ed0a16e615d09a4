"""A stand-in for Gradio servers: the pages of TripoSR, Stable Fast 3D, TRELLIS and TRELLIS.2, on Gradio 4 or 6.

What it does was read off Gradio 4.44.1 and 6.31.0 as they ran with pages that have the same functions. It speaks the
protocol of the page itself (``queue/join``, ``queue/data``), which is also that of the vendor's client.
"""

from __future__ import annotations

import hashlib
import json
import select
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar
from urllib.parse import quote, unquote
from uuid import uuid4

from sandbox.providers.simulator import Answer, Call, Request, Simulator, route

FILES = ("image", "model3d", "video", "downloadbutton", "gallery")
UNLISTED = ("state", "button", "column")
"""Components that a caller is not told of."""
UPDATE = {"__type__": "update"}


@dataclass
class Stream(Answer):
    """An answer in pieces, as they come; ``None`` is a moment in which there is nothing to say."""

    pieces: Iterator[bytes | None] = field(default_factory=lambda: iter(()))


class Cut(Exception):
    """The stream breaks off."""


class AppError(Exception):
    """A function of the page raised: with words for the visitor, or without."""

    def __init__(self, words: str | None = None) -> None:
        super().__init__()
        self.words = words


@dataclass(frozen=True)
class Function:
    """What can be called in a page."""

    name: str
    inputs: tuple[str, ...] = ()
    """The components that they come from."""
    outputs: tuple[str, ...] = ()
    limits: tuple[tuple[float, float], ...] = ()
    """Between which numbers each slider goes."""
    shown: bool = True


@dataclass
class Visit:
    """One session: what its functions left for each other."""

    joined: list[tuple[str, Function, list[Any]]] = field(default_factory=list)
    folder: bool = False
    state: Any = None
    files: list[str] = field(default_factory=list)


SF3D = ("button", "state", "state", "image", "model3d", "column")
STAGE = ((1, 10), (0, 1), (1, 50), (1, 6))
SEED, HALF_TO_ONE = (0, 2**31 - 1), (0.5, 1.0)
START = (
    Function("preprocess_image", ("image",), ("image",), shown=False),  # an example's, which took the name
    Function("start_session"),
    Function("end_session", shown=False),
    Function("preprocess_image_1", ("image",), ("image",)),
    Function("preprocess_images", ("gallery",), ("gallery",)),
)
IMAGE_TO_3D = (
    Function(
        "image_to_3d",
        ("image", "gallery", "state", *["slider"] * 5, "radio"),
        ("state", "video"),
        (SEED, (0, 10), (1, 50), (0, 10), (1, 50)),
    ),
    Function(
        "image_to_3d", ("image", "slider", "radio", *["slider"] * 12), ("state", "html"), (SEED, *STAGE, *STAGE, *STAGE)
    ),
)
EXTRACT = Function("extract_glb", ("state", "slider", "slider"), ("model3d", "downloadbutton"))
APPS: dict[str, tuple[Function, ...]] = {
    "triposr": (
        Function("check_input_image", ("image",)),
        Function("preprocess", ("image", "checkbox", "slider"), ("image",), (HALF_TO_ONE,)),
        Function("generate", ("image", "slider"), ("model3d", "model3d"), ((32, 320),)),
    ),
    "sf3d": (
        Function("requires_bg_remove", ("image", "slider"), SF3D, (HALF_TO_ONE,)),
        Function(
            "run_button",
            ("button", "image", "state", "slider", "radio", "slider", "slider"),
            SF3D,
            (HALF_TO_ONE, (-1, 20_000), (512, 2048)),
        ),
    ),
    "trellis": (*START, IMAGE_TO_3D[0], replace(EXTRACT, limits=((0.9, 0.98), (512, 2048)))),
    "trellis-2": (*START, IMAGE_TO_3D[1], replace(EXTRACT, limits=((100_000, 1_000_000), (1024, 4096)))),
}


class GradioSimulator(Simulator):
    """One page. On Gradio 4 its functions lie at the root, later below a prefix."""

    BEAT: ClassVar[float] = 15.0

    def __init__(self, app: str = "triposr", *, version: str = "6.31.0") -> None:
        self.app = app
        self.version = version
        self.prefix = "" if version.startswith("4") else "/gradio_api"
        self.functions = APPS[app]
        self.files_kept: dict[str, bytes] = {}
        self.made: dict[str, Call] = {}
        """The meshes that can be downloaded, by path."""
        self.visits: dict[str, Visit] = defaultdict(Visit)
        self.hearts: list[str] = []
        """The sessions whose heartbeat is open."""
        self.unloaded: list[str] = []
        self.left_early = 0
        """How often a reader of outcomes left before the end of the stream."""
        self.words: str | None = None
        """What the page says as it fails."""
        self.cut = False
        """Whether the stream of the main function breaks off, while its work goes on."""
        self.full = False
        """Whether the queue takes no more."""
        self.swept = False
        """Whether a mesh is gone by the time it is asked for."""
        self.closing = threading.Event()
        super().__init__()
        self._server.RequestHandlerClass = _streaming(self._server.RequestHandlerClass, self.closing)

    def close(self) -> None:
        """Stop listening, and end the streams."""
        self.closing.set()
        super().close()

    def authorised(self, request: Request) -> bool:
        """There is no key."""
        return True

    def answer(self, request: Request) -> Answer:
        """As ever, below the prefix."""
        if request.path != "/config":
            below = request.path.startswith(f"{self.prefix}/")
            request = replace(request, path=request.path.removeprefix(self.prefix) if below else "/nowhere")
        return super().answer(request)

    def refusal(self, request: Request) -> Answer:
        """A validation error with the body in it."""
        return Answer(422, {"detail": [{"type": "x", "loc": ["body"], "input": request.body.decode(errors="replace")}]})

    @route("GET", "/config", "")
    def config(self, request: Request) -> dict[str, Any]:
        """What the page is made of."""
        components: list[dict[str, Any]] = []
        dependencies = []
        for number, function in enumerate(self.functions):
            first = len(components)
            for kind in (*function.inputs, *function.outputs):
                components.append(
                    {"id": len(components), "type": kind, "props": {}, "skip_api": kind in UNLISTED,
                     "api_info": FILE_SCHEMA if kind in FILES else {"type": "string"}}
                )  # fmt: skip
            middle = first + len(function.inputs)
            visible = "public" if function.shown else "undocumented"
            told = {"api_visibility": visible} if self.prefix else {"show_api": function.shown}
            dependencies.append({
                "id": number, "api_name": function.name, "backend_fn": True, "queue": True, "cancels": [],
                "inputs": [*range(first, middle)], "outputs": [*range(middle, len(components))], "targets": [],
                "types": {"generator": False, "cancel": False}, **told,
            })  # fmt: skip
        return {
            "version": self.version, "mode": "blocks", "protocol": "sse_v3", "max_file_size": None,
            **({"api_prefix": self.prefix} if self.prefix else {}), "connect_heartbeat": True,
            "components": components, "dependencies": dependencies, "root": "http://gradio.invalid",
        }  # fmt: skip

    @route("GET", "/info", "")
    def info(self, request: Request) -> dict[str, Any]:
        """What callers are told of the functions: nothing of states and buttons."""

        def listed(kinds: tuple[str, ...]) -> list[dict[str, Any]]:
            return [
                {"label": kind, "parameter_name": f"at_{at}", "parameter_has_default": False, "type": {},
                 "parameter_default": None, "python_type": {"type": "", "description": ""}, "component": kind.title()}
                for at, kind in enumerate(kinds) if kind not in UNLISTED
            ]  # fmt: skip

        return {
            "named_endpoints": {
                f"/{one.name}": {"parameters": listed(one.inputs), "returns": listed(one.outputs), "show_api": True}
                for one in self.functions
                if one.shown
            },
            "unnamed_endpoints": {},
        }

    @route("POST", "/upload", "")
    def upload(self, request: Request) -> list[str]:
        """Keep files; the same one has the same path each time."""
        return [
            self._keep(sent if isinstance(sent, bytes) else sent.encode()) for sent in request.form().get("files", [])
        ]

    def _keep(self, file: bytes, name: str = "photo.png") -> str:
        path = f"/cache/{hashlib.sha256(file).hexdigest()}/{name}"
        self.files_kept[path] = file
        return path

    @route("GET", r"/file=(.+)", "fetch")
    def download(self, request: Request, path: str) -> Answer:
        """A file of the cache; what is not there is answered as what must not be seen."""
        path = unquote(path)
        if path in self.made and not self.swept:
            return self.file(self.made[path])
        if path in self.files_kept:
            return Answer(200, self.files_kept[path], {"Content-Type": "application/octet-stream"})
        return Answer(403, {"detail": f"File not allowed: {path}."})

    @route("GET", r"/heartbeat/([^/]+)", "")
    def heartbeat(self, request: Request, session: str) -> Stream:
        """Say that the page is alive until its visitor leaves; then do what the page does about that."""
        return self._stream(self._beats(session))

    def _beats(self, session: str) -> Iterator[bytes | None]:
        self.hearts.append(session)
        try:
            while True:
                yield b"data: ALIVE\n\n"
                last = time.monotonic()
                while time.monotonic() - last < self.BEAT:
                    yield None
        finally:
            self.hearts.remove(session)
            self.unloaded.append(session)
            visit = self.visits[session]
            visit.folder = False
            for path in visit.files:
                self.made.pop(path, None)

    @route("POST", "/queue/join", "create")
    def join(self, request: Request) -> Answer | dict[str, Any]:
        """Wait in line."""
        asked = request.json()
        if not isinstance(asked, dict) or not isinstance(asked.get("data"), list):
            return self.refusal(request)
        if not asked.get("session_hash"):
            return Answer(400, {"detail": "Session hash not found."})
        number = asked.get("fn_index")
        if not isinstance(number, int) or not 0 <= number < len(self.functions):
            return Answer(500, b"Internal Server Error", {"Content-Type": "text/plain"})
        if self.full:
            return Answer(503, {"detail": "Queue is full. Max size is 1 and size is 1."})
        event = uuid4().hex
        self.visits[asked["session_hash"]].joined.append((event, self.functions[number], asked["data"]))
        return {"event_id": event}

    @route("GET", "/queue/data", "poll")
    def data(self, request: Request) -> Stream:
        """What becomes of a session's calls. It is told once."""
        return self._stream(self._told(self.visits[request.query.get("session_hash", "")]))

    @staticmethod
    def _stream(pieces: Iterator[bytes | None]) -> Stream:
        return Stream(headers={"Content-Type": "text/event-stream; charset=utf-8"}, pieces=pieces)

    def _told(self, visit: Visit) -> Iterator[bytes | None]:
        try:
            yield from self._outcomes(visit)
        except GeneratorExit:
            self.left_early += 1
            visit.joined.clear()  # which is taken for the end of the visit
            raise

    def _outcomes(self, visit: Visit) -> Iterator[bytes | None]:
        if not visit.joined:
            yield _said("unexpected_error", message="404: Session not found.", success=False)
            raise Cut
        while visit.joined:
            event, function, inputs = visit.joined.pop(0)
            yield _said("estimation", event_id=event, rank=0, queue_size=1, rank_eta=None)
            yield _said("process_starts", event_id=event, eta=None)
            try:
                found = self._work(visit, function, inputs)
                if isinstance(found, Call):
                    while not self.done(found):
                        yield _said("heartbeat") if self.behaviour.seconds is None else None
                    if self.cut:
                        raise Cut
                    if self.behaviour.fails:
                        raise AppError(self.words)
                    found = self._result(visit, function, found)
            except AppError as error:
                yield _said("process_completed", event_id=event, output={"error": error.words}, success=False)
            else:
                output = {"data": found, "is_generating": False, "duration": 0.1}
                yield _said("process_completed", event_id=event, output=output, success=True)
            yield None
        yield _said("close_stream", event_id=None)

    def _work(self, visit: Visit, function: Function, inputs: list[Any]) -> list[Any] | Call:
        """A function's outputs; for the one that makes the mesh, the call that has begun."""
        if len(inputs) != len(function.inputs):
            raise AppError
        by_kind = list(zip(function.inputs, inputs, strict=True))
        numbers = [value for kind, value in by_kind if kind == "slider"]
        if not all(low <= value <= high for value, (low, high) in zip(numbers, function.limits, strict=True)):
            raise AppError("Value is not between the slider's ends.")
        photos = [self._photo(value) for kind, value in by_kind if kind == "image"]
        asked = {str(at): value for at, (kind, value) in enumerate(by_kind) if kind not in FILES}
        if function.name == "image_to_3d":
            asked["seed"] = asked.pop(str(function.inputs.index("slider")))
        match function.name:
            case "preprocess" | "preprocess_image" | "preprocess_image_1":
                return [self._described(self._keep(photos[0], "image.png"))]
            case "requires_bg_remove":
                transparent = photos[0][25:26] == b"\x06"  # a PNG with alpha
                visit.state = transparent
                label = "Run" if transparent else "Remove Background"
                return [{"value": label, "visible": True, **UPDATE}, None, None, *[{"visible": False, **UPDATE}] * 3]
            case "run_button" if inputs[0] != "Run":
                visit.state = True
                return [{"value": "Run", **UPDATE}, None, None, *[UPDATE] * 3]
            case "start_session":
                visit.folder = True
                return []
            case "extract_glb":
                if not isinstance(visit.state, Call) or not visit.folder:
                    raise AppError
                visit.state.asked |= {"simplify": inputs[1], "texture": inputs[2]}
                model = self._mesh(visit, visit.state)
                return [model, model]
            case "run_button" if not visit.state:
                raise AppError  # the picture was laid by in another session, if at all
            case "image_to_3d" if not visit.folder:
                raise AppError
            case "generate" | "run_button" | "image_to_3d":
                return self.call(photos, **asked)
        return [None] * len(function.outputs)

    def _result(self, visit: Visit, function: Function, call: Call) -> list[Any]:
        """The outputs of the function that makes the mesh."""
        if function.name == "image_to_3d":
            visit.state = call
            return [None, "<img>" * 200_000 if function.outputs[1] == "html" else {"video": None}]
        model = self._mesh(visit, call)
        if function.name == "generate":
            return [self._described(self._keep(b"o mesh\n", "sample.obj")), model]
        return [UPDATE, None, None, UPDATE, {"value": model, "visible": True, **UPDATE}, {"visible": True, **UPDATE}]

    def _mesh(self, visit: Visit, call: Call) -> dict[str, Any]:
        path = f"/cache/{call.id}/sample.glb"
        self.made[path] = call
        if visit.folder:
            visit.files.append(path)
        return self._described(path)

    def _described(self, path: str) -> dict[str, Any]:
        """A file as results name it. The address is the one that the server takes to be its own."""
        return {
            "path": path, "url": f"http://gradio.invalid{self.prefix}/file={quote(path)}", "size": None,
            "orig_name": path.rpartition("/")[2], "mime_type": None, "is_stream": False,
            "meta": {"_type": "gradio.FileData"},
        }  # fmt: skip

    def _photo(self, value: Any) -> bytes:
        """An image input. Only a file that is here can be one."""
        path = value.get("path") if isinstance(value, dict) else None
        if path not in self.files_kept or value["meta"].get("_type") != "gradio.FileData":
            raise AppError("No image uploaded!" if value is None else None)
        return self.files_kept[path]


FILE_SCHEMA = {
    "title": "FileData", "type": "object",
    "properties": {"path": {"type": "string"}, "meta": {"type": "object", "default": {"_type": "gradio.FileData"}}},
}  # fmt: skip


def _said(kind: str, **more: Any) -> bytes:
    """A message of an event stream."""
    return f"data: {json.dumps({'msg': kind, **more})}\n\n".encode()


def _streaming(plain: Any, closing: threading.Event) -> type[BaseHTTPRequestHandler]:
    """The handler of all simulators, which can also send a ``Stream``, and sees its reader go."""

    class Handler(plain):  # type: ignore[misc]  # a class that simulators make for themselves
        def _send(self, answer: Answer) -> None:
            if not isinstance(answer, Stream):
                super()._send(answer)
                return
            self.send_response(answer.status)
            for name, value in {**answer.headers, "Transfer-Encoding": "chunked"}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for piece in answer.pieces:
                    if closing.is_set() or _gone(self.connection, 0.0 if piece else 0.01):
                        raise Cut
                    if piece:
                        self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                self.wfile.write(b"0\r\n\r\n")
            except (Cut, OSError):
                self.close_connection = True
            finally:
                answer.pieces.close()  # type: ignore[attr-defined]  # a generator's

    return Handler


def _gone(connection: socket.socket, wait: float) -> bool:
    """Whether the other side has hung up; looks for so many seconds."""
    readable, _, _ = select.select([connection], [], [], wait)
    return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""
