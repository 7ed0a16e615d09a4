"""Cog: what its answers may look like, who waits for whom; and its real server, beside the stand-in."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from generation.egress import EgressRefused, ResponseTooLarge
from generation.exchange import LONGEST_ANSWER, TooMuch
from generation.provider import Brief, Declined, Delivered, Erased, Misconfigured, Remote, Unavailable
from generation.providers.cog import Cog, _glb
from modelmyimage.local.ports import spare_port
from sandbox.providers.cog import CogSimulator
from sandbox.providers.simulator import Answer
from tests.generation.conftest import mesh
from tests.providers.conftest import cut_out

PREDICTOR = """
import pathlib, time
from typing import Any
from cog import BaseRunner, Input, Path

HERE = pathlib.Path(__file__).parent

class Runner(BaseRunner):
    def run(self, image: Path = Input(), mode: str = Input(default=""), wait: float = Input(default=0)) -> Any:
        with open(HERE / "runs", "a") as runs:
            runs.write(f"{image}\\n")
        for _ in range(int(wait * 50)):
            time.sleep(0.02)
        if mode == "fail":
            raise RuntimeError("no")
        if mode == "nothing":
            return None
        if mode == "words":
            return "https://example.com/model.glb"
        glb = Path(HERE / "tmp" / f"{time.monotonic_ns()}.glb")
        glb.write_bytes((HERE / "mesh.glb").read_bytes())
        if mode == "list":
            return [glb]
        if mode == "object":
            preview = Path(HERE / "tmp" / f"{time.monotonic_ns()}.txt")
            preview.write_text("a preview")
            return {"a_preview": preview, "model": glb, "seed": 3}
        return glb
"""
SCHEMA = {
    "openapi": "3.0.2",
    "info": {"title": "Cog", "version": "0.1.0"},
    "paths": {},
    "components": {
        "schemas": {
            "Input": {
                "type": "object",
                "required": ["image"],
                "properties": {
                    "image": {"type": "string", "format": "uri"},
                    "mode": {"type": "string"},
                    "wait": {"type": "number"},
                },
            },
            "Output": {},
        }
    },
}


def until(url: str, status: str) -> None:
    """Wait until a server says that it is in that state."""
    end = time.monotonic() + 30
    found = "not there"
    while found != status:
        assert time.monotonic() < end, found
        try:
            found = httpx.get(f"{url}/health-check").json()["status"]
        except httpx.TransportError:
            time.sleep(0.05)


class Server:
    """Cog's own, with a model of ours on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "predict.py").write_text(PREDICTOR)
        (folder / ".cog").mkdir()
        (folder / ".cog" / "openapi_schema.json").write_text(json.dumps(SCHEMA))
        (folder / "tmp").mkdir()
        (folder / "mesh.glb").write_bytes(mesh())
        port = spare_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = (folder / "log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cog.server.http", "--host", "127.0.0.1"],
            cwd=folder,
            stdout=self.log,
            stderr=self.log,
            env={
                # It starts the first Python that it finds to run the model.
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "PORT": str(port),
                "TMPDIR": str(folder / "tmp"),
                "COG_PREDICT_TYPE_STUB": "predict.py:Runner",
            },
        )

    def runs(self) -> int:
        """How often the model has run."""
        written = self.folder / "runs"
        return len(written.read_text().splitlines()) if written.exists() else 0

    def close(self) -> None:
        """Stop it and its model."""
        self.process.terminate()
        try:
            self.process.wait(10)
        finally:
            self.process.kill()
            self.log.close()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The real server."""
    running = Server(tmp_path_factory.mktemp("cog"))
    try:
        until(running.url, "READY")
        yield running
    finally:
        running.close()


@pytest.fixture
def server(real: Server) -> Server:
    """The real server, idle."""
    until(real.url, "READY")
    return real


@pytest.fixture
def service() -> Iterator[CogSimulator]:
    """The stand-in."""
    with CogSimulator() as running:
        assert isinstance(running, CogSimulator)
        running.behaviour.mesh = mesh()
        yield running


def at(url: str, http: httpx.Client | None = None, **setup: str) -> Cog:
    return Cog(http or httpx.Client(), {"COG_URL": url, **setup})


def saying(content: Any, status: int = 200) -> Cog:
    """An adapter whose server answers with this: JSON, bytes, or chunks of them."""
    sent = content if isinstance(content, bytes | Iterator) else json.dumps(content).encode()
    answer = httpx.MockTransport(lambda _: httpx.Response(status, content=sent))
    return at("http://server", httpx.Client(transport=answer))


def predicted(cog: Cog, key: str = "one") -> bytes:
    """The mesh of one call."""
    hook = "https://example.com/hook"
    answer = cog.submit(Brief(images={"front": cut_out()}, quality="standard", key=key, hook=hook))
    assert isinstance(answer, Delivered)
    return b"".join(answer.chunks)


def uri(content: bytes, media: str = "model/gltf-binary") -> str:
    return f"data:{media};base64,{base64.b64encode(content).decode()}"


def succeeded(output: Any) -> dict[str, Any]:
    return {"id": "one", "logs": "", "metrics": {}, "output": output, "status": "succeeded"}


@pytest.mark.parametrize(
    "output",
    [
        uri(mesh()),
        uri(mesh(), "application/octet-stream"),
        [uri(mesh())],
        [uri(b"a picture", "image/png"), uri(mesh())],
        {"a": None, "b": 3, "c": {"mesh": uri(mesh())}},
        [uri(bytes(5_000_000), "video/mp4"), uri(mesh())],
    ],
    ids=["text", "any media type", "list", "second of a list", "object", "after a film"],
)
def test_the_mesh_is_found_wherever_it_is(output) -> None:
    content = json.dumps(succeeded(output)).encode()
    for size in (1 << 16, 1 << 20):
        chunks = (content[at : at + size] for at in range(0, len(content), size))
        assert predicted(saying(chunks)) == mesh()


def test_the_mesh_is_found_however_the_answer_is_cut() -> None:
    content = json.dumps(succeeded([uri(mesh())])).encode()
    at = content.index(b";base64,")
    for cut in range(at - 2, at + 30):
        assert b"".join(_glb(iter([content[:cut], content[cut:]]))) == mesh()
    assert b"".join(_glb(content[at : at + 1] for at in range(len(content)))) == mesh()


def test_a_large_mesh_is_never_held_as_a_whole() -> None:
    large = b"glTF\x02\0\0\0" + bytes(60_000_000)

    def chunks() -> Iterator[bytes]:
        yield b'{"output":"data:model/gltf-binary;base64,'
        for at in range(0, len(large), 30_000):
            yield base64.b64encode(large[at : at + 30_000])
        yield b'","status":"succeeded"}'

    answer = saying(chunks()).submit(Brief(images={"front": cut_out()}, quality="standard", key="k"))
    assert isinstance(answer, Delivered)
    tracemalloc.start()
    assert sum(map(len, answer.chunks)) == len(large)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    "answer",
    [
        {"id": "one", "error": "Prediction failed: CUDA out of memory", "status": "failed"},
        {"id": "one", "status": "canceled"},
        succeeded(None),
        succeeded("https://example.com/model.glb"),
        succeeded(uri(b"solid of no colour", "model/stl")),
        succeeded([uri(bytes(5_000_000), "video/mp4")]),
    ],
)
def test_no_mesh_in_the_answer(answer) -> None:
    with pytest.raises(Declined) as declined:
        predicted(saying(answer))
    assert declined.value.code == "provider_failed"


@pytest.mark.parametrize("answer", [b"", b"<html>", b'{"output":', [], ["status"], {}, 3, b"[" * 100_000])
def test_no_answer_of_cogs(answer) -> None:
    with pytest.raises(Unavailable):
        predicted(saying(answer))


def test_the_mesh_is_found_where_what_came_before_is_dropped() -> None:
    film = b'{"output":["data:video/mp4;base64,' + b"A" * LONGEST_ANSWER
    for cut in range(1, 30):
        glb = f'","{uri(mesh())}"'.encode()
        assert b"".join(_glb(iter([film + glb[:cut], glb[cut:]]))) == mesh()


def test_an_answer_cut_off_within_the_mesh(service) -> None:
    content = json.dumps(succeeded(uri(mesh()))).encode()
    with pytest.raises(Unavailable):
        predicted(saying(content[:-200]))
    for sent in (content[:-200], content[:20]):
        service.fail("create", Answer(200, sent, declared=len(content)))
        with pytest.raises(Unavailable):
            predicted(at(service.url))


def test_more_than_a_mesh_may_have() -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"output":"data:model/gltf-binary;base64,Z2xURgIAAAAA'
        raise ResponseTooLarge

    with pytest.raises(TooMuch):
        predicted(saying(chunks()))


@pytest.mark.parametrize(
    ("status", "error", "throttled"),
    [
        (202, Unavailable, True),
        (409, Unavailable, True),
        (429, Unavailable, True),
        (503, Unavailable, False),
        (500, Unavailable, False),
        (400, Declined, None),
        (413, Declined, None),
        (422, Declined, None),
        (404, Misconfigured, None),
        (401, Misconfigured, None),
    ],
)
def test_what_status_codes_mean(status, error, throttled) -> None:
    body = {"status": "processing", "input": {"image": uri(cut_out(), "image/png")}}
    with pytest.raises(error) as raised:
        predicted(saying(body, status))
    assert getattr(raised.value, "throttled", None) is throttled
    assert getattr(raised.value, "code", "provider_declined") == "provider_declined"


def test_an_address_that_leads_elsewhere_is_for_the_operator_to_mend() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise EgressRefused

    with pytest.raises(Misconfigured):
        predicted(at("http://server", httpx.Client(transport=httpx.MockTransport(refuse))))


def test_the_operator_names_the_inputs(service) -> None:
    service.photo_input = "picture"
    predicted(at(service.url, COG_IMAGE_INPUT="picture", COG_INPUTS='{"mode": "fine", "picture": "no"}'))
    (call,) = service.calls.values()
    assert call.asked == {"mode": "fine"}
    assert call.photos[0].startswith(b"\x89PNG")
    (request,) = service.requests
    assert (request.method, request.path) == ("PUT", "/predictions/one")
    assert set(request.json()) == {"input"}


@pytest.mark.parametrize("inputs", ["mode", "[1]", '"mode"', "3", "null", "[" * 100_000])
def test_inputs_that_are_no_object_are_for_the_operator_to_mend(service, inputs) -> None:
    with pytest.raises(Misconfigured):
        predicted(at(service.url, COG_INPUTS=inputs))
    assert not service.requests


def test_a_model_that_is_not_loaded_yet(service) -> None:
    service.ready = False
    with pytest.raises(Unavailable):
        predicted(at(service.url))


def test_it_never_asks_for_more_than_a_prediction(service, server) -> None:
    cog = at(service.url)
    predicted(cog)
    assert cog.erase(Remote("one")).result == Erased.SWEPT
    assert {request.path for request in service.requests} == {"/predictions/one"}


@pytest.mark.parametrize("mode", ["", "list", "object"])
def test_the_real_server_delivers(server, mode) -> None:
    cog = at(server.url, COG_INPUTS=json.dumps({"mode": mode}))
    assert predicted(cog) == mesh()
    assert predicted(cog, "two") == mesh()


@pytest.mark.parametrize("mode", ["fail", "nothing", "words"])
def test_the_real_server_has_no_mesh(server, mode) -> None:
    with pytest.raises(Declined) as declined:
        predicted(at(server.url, COG_INPUTS=json.dumps({"mode": mode})))
    assert declined.value.code == "provider_failed"


def test_the_real_server_refuses_what_the_model_cannot_take(server) -> None:
    ran = server.runs()
    with pytest.raises(Declined) as declined:
        predicted(at(server.url, COG_IMAGE_INPUT="picture"))
    assert declined.value.code == "provider_declined"
    with pytest.raises(Misconfigured):
        predicted(at(f"{server.url}/elsewhere"))
    assert server.runs() == ran


@pytest.mark.parametrize("key", ["same", "other"])
def test_the_real_server_runs_one_call_at_a_time(server, key) -> None:
    ran = server.runs()
    got: list[bytes] = []
    slow = threading.Thread(target=lambda: got.append(predicted(at(server.url, COG_INPUTS='{"wait": 0.6}'), "same")))
    slow.start()
    until(server.url, "BUSY")
    with pytest.raises(Unavailable) as busy:
        predicted(at(server.url, COG_INPUTS='{"wait": 0.6}'), key)
    assert busy.value.throttled
    slow.join()
    assert got == [mesh()]
    assert server.runs() == ran + 1


def test_who_gives_up_on_the_real_server_ends_the_call(server) -> None:
    ran, began = server.runs(), time.monotonic()
    with pytest.raises(httpx.ReadTimeout):
        httpx.put(f"{server.url}/predictions/long", json=body(wait=20), timeout=httpx.Timeout(10, read=0.3))
    assert server.runs() == ran + 1
    until(server.url, "READY")
    assert time.monotonic() - began < 10


def test_what_the_real_server_keeps(server) -> None:
    """The photo goes, the mesh stays: hence ``SWEPT``."""
    for left in (server.folder / "tmp").iterdir():
        if left.is_file():
            left.unlink()
    predicted(at(server.url))
    photo = Path((server.folder / "runs").read_text().splitlines()[-1])
    assert photo.parent == server.folder / "tmp"
    left = [path.suffix for path in photo.parent.iterdir() if path.is_file()]
    assert left == [".glb"]


def body(**inputs: Any) -> dict[str, Any]:
    return {"input": {"image": uri(cut_out(), "image/png"), **inputs}}


def shape(value: Any) -> Any:
    """The keys of JSON, and the types of what they hold."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return str if isinstance(value, str) else type(value)


def told(response: httpx.Response) -> tuple[int, str, Any]:
    """What of an answer has to be the same from both."""
    kind = response.headers.get("content-type", "").partition(";")[0]
    if kind != "application/json":
        return response.status_code, kind, None
    found = response.json()
    told = {key: found[key] for key in ("status", "id", "input") if key in found and key != "id"}
    return response.status_code, kind, (shape(found), told)


REQUESTS: dict[str, Callable[[httpx.Client], httpx.Response]] = {
    "put": lambda http: http.put("/predictions/a", json=body()),
    "put again": lambda http: http.put("/predictions/a", json=body()),
    "post": lambda http: http.post("/predictions", json=body()),
    "post with an id": lambda http: http.post("/predictions", json=body() | {"id": "b"}),
    "two ids": lambda http: http.put("/predictions/a", json=body() | {"id": "b"}),
    "unknown input": lambda http: http.put("/predictions/a", json=body(colour="red")),
    "failure": lambda http: http.put("/predictions/a", json=body(mode="fail")),
    "no photo": lambda http: http.put("/predictions/a", json={"input": {}}),
    "no input": lambda http: http.post("/predictions", json={}),
    "a photo of another type": lambda http: http.put("/predictions/a", json={"input": {"image": 5}}),
    "an input of another type": lambda http: http.put("/predictions/a", json=body(wait="long")),
    "a broken photo": lambda http: http.put("/predictions/a", json={"input": {"image": "data:nonsense"}}),
    "no JSON": lambda http: http.put(
        "/predictions/a", content=b"nonsense", headers={"Content-Type": "application/json"}
    ),
    "no object": lambda http: http.put("/predictions/a", json=[]),
    "no type": lambda http: http.put("/predictions/a", content=json.dumps(body()).encode()),
    "poll": lambda http: http.get("/predictions/a"),
    "list": lambda http: http.get("/predictions"),
    "cancel what is unknown": lambda http: http.post("/predictions/zzz/cancel"),
    "discovery": lambda http: http.get("/"),
}


@pytest.mark.parametrize("ask", REQUESTS.values(), ids=REQUESTS)
def test_the_stand_in_answers_as_the_real_server(server, service, ask) -> None:
    with httpx.Client(base_url=server.url) as one, httpx.Client(base_url=service.url) as other:
        expected, found = ask(one), ask(other)
    assert told(found) == told(expected)
    assert found.headers.get("allow") == expected.headers.get("allow")


def test_the_stand_in_is_as_busy_as_the_real_server(server, service) -> None:
    asked: list[Callable[[httpx.Client], httpx.Response]] = [
        lambda http: http.put("/predictions/slow", json=body(wait=1)),
        lambda http: http.put("/predictions/other", json=body()),
        lambda http: http.post("/predictions", json=body()),
        lambda http: http.put("/predictions/other", json={"input": {}}),
        lambda http: http.post("/predictions/slow/cancel"),
    ]
    answers = []
    for url in (server.url, service.url):
        with httpx.Client(base_url=url) as http:
            slow = threading.Thread(target=lambda http=http: http.put("/predictions/slow", json=body(wait=1)))
            slow.start()
            until(url, "BUSY")
            answers.append([told(ask(http)) for ask in asked])
            slow.join()
    assert answers[0] == answers[1]
    assert [status for status, *_ in answers[0]] == [202, 409, 409, 422, 200]


def test_a_stand_in_that_fails_on_order(service) -> None:
    service.fail("create", Answer(409, {"error": "At capacity", "status": "failed"}))
    with pytest.raises(Unavailable):
        predicted(at(service.url))
    assert predicted(at(service.url)) == mesh()
