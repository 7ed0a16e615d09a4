"""What is particular about Gradio apps: steps within a session, streams that are read once, and a heartbeat.

The vendor's own client drives the stand-in through a whole job of each app, on the version that the app pins.
"""

from __future__ import annotations

import gc
import io
import json
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from generation import gradio_visit
from generation.provider import Brief, Declined, Delivered, Erased, Misconfigured, Remote, Unavailable, Unclear
from generation.providers.gradio import PROVIDERS, StableFast3D, Trellis, Trellis2, TripoSR
from sandbox.providers.gradio import GradioSimulator
from sandbox.providers.simulator import Answer
from tests.generation.conftest import mesh
from tests.providers.conftest import cut_out
from tests.providers.stand_gradio import STANDS

KINDS = {kind.card.name: kind for kind in PROVIDERS}
PAGES = pytest.mark.parametrize("running", STANDS, ids=[stand.name for stand in STANDS], indirect=True)
TRIPOSR, SF3D, TRELLIS, TRELLIS_2 = (
    pytest.mark.parametrize("running", [stand], ids=[stand.name], indirect=True) for stand in STANDS
)


@pytest.fixture
def running(request) -> Iterator[GradioSimulator]:
    with request.param.simulator() as simulator:
        simulator.behaviour.mesh = mesh()
        yield simulator


def at(running: GradioSimulator) -> gradio_visit.Gradio:
    kind = KINDS[f"gradio-{running.app}"]
    return kind(httpx.Client(), {kind.card.variables[0].name: running.url})


def submit(
    running: GradioSimulator, quality: str = "standard", progress: Callable[[int], None] = lambda _: None
) -> Iterator[bytes]:
    brief = Brief(images={"front": cut_out()}, quality=quality, key="of-the-job", progress=progress)
    delivered = at(running).submit(brief)
    assert isinstance(delivered, Delivered)
    return delivered.chunks


def soon(true: Callable[[], object]) -> bool:
    """Whether it comes true within some seconds; the stand-in sees a reader go from another thread."""
    ends = time.monotonic() + 5
    while not true() and time.monotonic() < ends:
        time.sleep(0.01)
    return bool(true())


def left(running: GradioSimulator) -> bool:
    """Whether the visit is over, for the app too."""
    return soon(lambda: not running.hearts and running.unloaded)


@pytest.fixture
def client(running, tmp_path, monkeypatch) -> Iterator[Client]:
    """The vendor's client, told to report to nobody."""
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    running.BEAT = 0.05
    # The second page has a button among its inputs, of which the client knows only so.
    kept = running.app == "sf3d"
    it = Client(running.url, verbose=False, analytics_enabled=False, download_files=tmp_path, _skip_components=not kept)
    yield it
    it.close()


@pytest.fixture
def photo(tmp_path) -> Any:
    path = tmp_path / "photo.png"
    path.write_bytes(cut_out())
    return handle_file(str(path))


def contents(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


@TRIPOSR
def test_the_vendors_client_drives_triposr(running, client, photo) -> None:
    assert client.predict(photo, api_name="/check_input_image") in ((), None)
    picture = client.predict(photo, False, 0.85, api_name="/preprocess")
    _, glb = client.predict(handle_file(picture), 256, api_name="/generate")
    assert contents(glb) == running.behaviour.mesh
    (call,) = running.calls.values()
    assert call.photos == [cut_out()]
    with pytest.raises(AppError, match="slider"):
        client.predict(handle_file(picture), 1000, api_name="/generate")
    running.behaviour.fails, running.words = True, "out of memory"
    with pytest.raises(AppError, match="out of memory"):
        client.predict(handle_file(picture), 256, api_name="/generate")


@SF3D
def test_the_vendors_client_drives_stable_fast_3d(running, client, photo) -> None:
    ready = client.predict(photo, 0.85, api_name="/requires_bg_remove")
    assert ready[0]["value"] == "Run"
    outputs = client.predict("Run", photo, None, 0.85, "None", -1, 1024, api_name="/run_button")
    assert contents(outputs[4]["value"]) == running.behaviour.mesh


def _trellis(running: GradioSimulator, client: Client, photo: Any, *settings: Any) -> None:
    client.predict(api_name="/start_session")
    picture = client.predict(photo, api_name="/preprocess_image_1")
    client.predict(handle_file(picture), *settings[:-2], api_name="/image_to_3d")
    glb, again = client.predict(*settings[-2:], api_name="/extract_glb")
    assert contents(glb) == contents(again) == running.behaviour.mesh
    assert running.hearts == [client.session_hash]
    client.close()
    assert left(running)
    assert not running.made


@TRELLIS
def test_the_vendors_client_drives_trellis(running, client, photo) -> None:
    _trellis(running, client, photo, [], 7, 7.5, 12, 3.0, 12, "stochastic", 0.95, 1024)


@TRELLIS_2
def test_the_vendors_client_drives_trellis_2(running, client, photo) -> None:
    stages = 7.5, 0.7, 12, 5.0, 7.5, 0.5, 12, 3.0, 1.0, 0.0, 12, 3.0
    _trellis(running, client, photo, 7, "1024", *stages, 500_000, 2048)


@PAGES
def test_each_quality_is_another_and_within_what_the_page_takes(running) -> None:
    for quality in at(running).card.credits:
        assert b"".join(submit(running, quality)) == running.behaviour.mesh
    asked = [{name: one for name, one in call.asked.items() if name != "seed"} for call in running.calls.values()]
    assert len({json.dumps(one) for one in asked}) == 3


@PAGES
def test_the_subject_lies_in_a_square_without_a_background(running) -> None:
    """One page cuts off the ends of what is longer than wide, another squeezes it."""
    b"".join(submit(running))
    (call,) = running.calls.values()
    with Image.open(io.BytesIO(call.photos[0])) as picture:
        assert (picture.format, picture.mode) == ("PNG", "RGBA")
        assert picture.width == picture.height <= 1024
        seen = picture.getchannel("A").getbbox()
    assert seen is not None
    assert max(seen[2] - seen[0], seen[3] - seen[1]) / picture.width == pytest.approx(0.85, abs=0.01)
    assert (seen[2] - seen[0]) / (seen[3] - seen[1]) == pytest.approx(261 / 221, abs=0.02)
    assert abs(seen[0] + seen[2] - picture.width) <= 2
    assert abs(seen[1] + seen[3] - picture.height) <= 2


@PAGES
def test_the_heartbeat_lasts_from_before_the_first_call_until_after_the_download(running) -> None:
    beating: list[int] = []
    chunks = submit(running, progress=lambda _: beating.append(len(running.hearts)))
    assert set(beating) == {1}
    assert not running.unloaded
    assert b"".join(chunks) == running.behaviour.mesh
    assert left(running)
    sent = [request.path for request in running.requests]
    assert sent[:3] == ["/config", f"/heartbeat/{running.unloaded[0]}", "/upload"]
    assert sent[-1].startswith("/file=")
    if running.app.startswith("trellis"):
        assert not running.made


@PAGES
def test_progress_is_told_at_each_step_and_each_sign_of_life(running) -> None:
    running.behaviour.polls = 20
    told: list[int] = []
    b"".join(submit(running, progress=told.append))
    steps = len(at(running).functions)
    assert running.left_early == 0
    assert told == sorted(told)
    assert set(told) == {100 * step // steps for step in range(steps)}
    assert len(told) > 20


class Lost(Exception):
    """The job is another worker's now."""


@PAGES
def test_whatever_goes_wrong_the_visit_ends(running) -> None:
    def lost(percent: int) -> None:
        if percent:
            raise Lost

    with pytest.raises(Lost):
        submit(running, progress=lost)
    assert left(running)
    running.fail("create", Answer(503))
    with pytest.raises(Unavailable):
        submit(running)
    assert left(running)
    running.unloaded.clear()
    running.swept = True
    with pytest.raises(Unavailable):
        submit(running)
    assert left(running)
    running.unloaded.clear()
    running.swept = False
    running.behaviour.mesh = bytes(1 << 20)
    chunks = submit(running)
    assert not running.unloaded
    del chunks  # nobody reads on
    gc.collect()
    assert left(running)


@PAGES
@pytest.mark.parametrize("words", [None, "the words of the app"])
def test_an_app_that_fails(running, words, caplog) -> None:
    running.behaviour.fails, running.words = True, words
    with caplog.at_level(logging.DEBUG), pytest.raises(Declined) as declined:
        submit(running)
    assert declined.value.code == "provider_failed"
    assert "the words of the app" not in f"{caplog.text}{declined.value!r}"
    assert left(running)


@PAGES
def test_a_stream_that_breaks_off_takes_the_result_with_it(running) -> None:
    running.cut = True
    with pytest.raises(Unclear):
        submit(running)
    assert len(running.calls) == 1
    assert left(running)


@TRIPOSR
def test_a_result_can_be_read_once(running) -> None:
    session = gradio_visit.Visit(at(running).api, TripoSR.functions, lambda _: None)
    photo = session.upload(cut_out())
    assert session.call("preprocess", photo, False, 0.85)
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{running.url}/gradio_api/queue/data?session_hash={session.hash}")
    running.fail("create", Answer(200, {"event_id": "read by another"}))
    with pytest.raises(Unclear):
        session.call("preprocess", photo, False, 0.85)


@TRELLIS
def test_an_app_that_takes_too_long(running, monkeypatch) -> None:
    monkeypatch.setattr(gradio_visit, "SECONDS", 0.5)
    running.behaviour.seconds = 60
    began = time.monotonic()
    with pytest.raises(Declined) as declined:
        submit(running)
    assert declined.value.code == "provider_too_slow"
    assert time.monotonic() - began < 10
    assert left(running)


@TRELLIS
def test_all_the_steps_have_one_deadline(running, monkeypatch) -> None:
    monkeypatch.setattr(gradio_visit, "SECONDS", -1.0)
    session = gradio_visit.Visit(at(running).api, Trellis.functions, lambda _: None)
    with pytest.raises(Declined):
        session.call("start_session")
    assert [request.path for request in running.requests] == ["/config"]


@TRIPOSR
def test_who_refuses_us_after_the_photo_has_it(running) -> None:
    """Which a wrong address or key does not: a receipt would say that nothing was sent."""
    running.fail("create", Answer(403))
    with pytest.raises(Unclear):
        submit(running)
    running.answer = lambda request: Answer(401)
    with pytest.raises(Misconfigured):
        submit(running)


@TRIPOSR
def test_a_full_queue_is_asked_again(running) -> None:
    running.full = True
    with pytest.raises(Unavailable):
        submit(running)
    assert not running.calls


@SF3D
def test_the_pages_words_for_what_is_longer_are_found_in_an_update(running) -> None:
    assert b"".join(submit(running)) == running.behaviour.mesh
    joined = [request.json()["data"] for request in running.requests if request.path == "/queue/join"]
    assert [len(data) for data in joined] == [2, 7]
    assert len({request.json()["session_hash"] for request in running.requests if request.path == "/queue/join"}) == 1


@PAGES
def test_an_example_that_took_the_name_of_a_function_is_not_called(running) -> None:
    b"".join(submit(running))
    called = [running.functions[r.json()["fn_index"]] for r in running.requests if r.path == "/queue/join"]
    assert all(function.shown for function in called)
    assert [function.name.removesuffix("_1") for function in called] == list(at(running).functions)


@PAGES
@pytest.mark.parametrize("wrong", ["another version", "another page", "no Gradio", "no heartbeat"])
def test_what_is_not_the_page_gets_no_photo(running, wrong) -> None:
    kind = type(at(running))
    config = running.config
    last = list(kind.functions)[-1]

    def changed(request: Any) -> dict[str, Any]:
        page: dict[str, Any] = config(request)
        for function in page["dependencies"]:
            if wrong == "another page":
                function["api_name"] = f"{function['api_name']}x"
            elif function["api_name"] == last:
                function["inputs"].pop()
        return page

    if wrong in ("another version", "another page"):
        running.config = changed
    path = {"no Gradio": "/config", "no heartbeat": "/heartbeat"}.get(wrong, "nothing")
    answer = running.answer
    running.answer = lambda request: Answer(404) if path in request.path else answer(request)
    with pytest.raises(Misconfigured):
        submit(running)
    assert not any(request.method == "POST" for request in running.requests)


@TRIPOSR
def test_an_upload_that_is_refused_or_answered_with_nonsense(running) -> None:
    answer = running.answer
    for said, raised in (
        (Answer(413), Declined), (Answer(200, b"<html>"), Unavailable), (Answer(200, []), Unavailable),
        (Answer(200, {"path": "x"}), Unavailable), (Answer(502), Unavailable),
    ):  # fmt: skip
        running.answer = lambda request, said=said: said if request.path.endswith("/upload") else answer(request)
        with pytest.raises(raised):
            submit(running)


def test_messages_come_in_whatever_pieces() -> None:
    stream = (
        b'data: {"msg": "a"}\n\n: a remark\nevent: x\ndata: {"msg": "b", "x": "' + b"y" * 5000 + b'"}\r\n\ndata: 7\n\n'
    )
    for size in (1, 7, 4096, 10**6):
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert [message["msg"] for message in gradio_visit._messages(pieces)] == ["a", "b"]
    for nonsense in (b"data: {]\n", b"data: " + b"[" * 100_000 + b"\n", b"\xff" * (gradio_visit.LONGEST + 1)):
        with pytest.raises(Unclear):
            list(gradio_visit._messages([nonsense]))


@pytest.mark.parametrize(
    "outputs",
    [
        [None, {"path": "/a.GLB"}],
        [{"value": {"path": "/a.glb", "orig_name": None}, "__type__": "update"}],
        [{"path": "/a.obj"}, [[{"x": [{"path": "/a", "orig_name": "a.glb"}]}]]],
    ],
)
def test_a_mesh_is_found_wherever_it_is(outputs) -> None:
    assert gradio_visit.file_in(outputs, ".glb")["path"].startswith("/a")


@pytest.mark.parametrize(
    "outputs", [None, [], "a.glb", [{"path": 7, "orig_name": "a.glb"}], [{"url": "http://x/a.glb"}]]
)
def test_a_result_without_a_mesh(outputs) -> None:
    with pytest.raises(Declined):
        gradio_visit.file_in(outputs, ".glb")


def test_what_is_never_asked_is_answered_all_the_same() -> None:
    provider = StableFast3D(httpx.Client(), {"GRADIO_SF3D_URL": "http://server"})
    assert provider.erase(Remote("x")).result == Erased.SWEPT
    assert list(provider.fetch(Remote("x"))) == []


def test_cards_differ_in_all_that_tells_them_apart() -> None:
    for of in ("name", "label", "variables", "evidence"):
        assert len({getattr(kind.card, of) for kind in PROVIDERS}) == len(PROVIDERS) == 4
    assert Trellis2.functions["image_to_3d"] == 15
