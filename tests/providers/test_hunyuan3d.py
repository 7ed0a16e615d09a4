"""What is particular about Hunyuan3D: one answer that is both state and mesh, files half written, and silence."""

from __future__ import annotations

import base64
import io
import json
import tracemalloc
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image

from generation.exchange import base64_field
from generation.models import Job
from generation.options import JobOptions
from generation.provider import Brief, Declined, Erased, Failed, Finished, Pending, Remote, Unavailable, Unclear
from generation.providers.hunyuan3d import Hunyuan3D, Hunyuan3D21
from sandbox.providers.hunyuan3d import Hunyuan3D21Simulator, Hunyuan3DSimulator
from sandbox.providers.simulator import Answer
from tests.generation.conftest import mesh
from tests.providers.conftest import cut_out
from tests.providers.stand_hunyuan3d import STANDS

Outcome = Job.Outcome
OF_20, OF_21 = STANDS
TURNS = 12


@pytest.fixture(params=[Hunyuan3D, Hunyuan3D21])
def kind(request) -> type[Hunyuan3D]:
    """Either version's provider."""
    chosen: type[Hunyuan3D] = request.param
    return chosen


@pytest.fixture
def running(kind) -> Iterator[Hunyuan3DSimulator]:
    """Its stand-in."""
    with (Hunyuan3D21Simulator if kind is Hunyuan3D21 else Hunyuan3DSimulator)() as simulator:
        simulator.behaviour.mesh = mesh()
        yield simulator


def at(kind: type[Hunyuan3D], address: str, http: httpx.Client | None = None) -> Hunyuan3D:
    return kind(http or httpx.Client(), {kind.card.variables[0].name: address})


def saying(kind: type[Hunyuan3D], body: object, status: int = 200) -> Hunyuan3D:
    """A provider whose server answers everything with this."""
    stream = body if isinstance(body, httpx.SyncByteStream) else None
    content = body if isinstance(body, bytes) else json.dumps(body).encode() if stream is None else None
    answer = httpx.MockTransport(lambda _: httpx.Response(status, content=content, stream=stream))
    return at(kind, "http://server", httpx.Client(transport=answer))


def submit(provider: Hunyuan3D, quality: str = "standard", options: JobOptions | None = None) -> Remote:
    images = {"front": cut_out()}
    started = provider.submit(Brief(images=images, options=options or JobOptions(), quality=quality, key="k"))
    assert isinstance(started, Remote)
    return started


def ended(provider: Hunyuan3D, remote: Remote) -> Pending | Finished | Failed:
    """What is said in the end, or still, after a dozen questions."""
    said = provider.poll(remote)
    for _ in range(TURNS):
        said = provider.poll(remote) if isinstance(said, Pending) else said
    return said


def test_each_quality_is_another_and_within_what_the_servers_take(kind, running) -> None:
    provider = at(kind, running.url)
    for quality in kind.card.credits:
        submit(provider, quality)
    asked = [call.asked for call in running.calls.values()]
    assert len({json.dumps(one) for one in asked}) == len(kind.card.credits)
    for one in asked:
        known = {"octree_resolution", "num_inference_steps", "face_count", "texture"}
        assert set(one) == known | {"type" if kind is Hunyuan3D else "remove_background"}
        assert one["texture"] is True
    assert {request.path for request in running.requests} == {"/send"}


def test_the_photo_goes_as_bare_base64_of_a_png_with_its_background_gone(kind, running) -> None:
    submit(at(kind, running.url))
    sent = running.requests[-1].json()["image"]
    with Image.open(io.BytesIO(base64.b64decode(sent, validate=True))) as picture:
        assert (picture.format, picture.mode) == ("PNG", "RGBA")
        assert picture.getpixel((0, 0)) == (0, 0, 0, 0)


def test_without_colours(running, kind) -> None:
    assert ("texture" in kind.card.options) == (kind is Hunyuan3D)
    provider = at(kind, running.url)
    remote = submit(provider, options=JobOptions(texture=False) if kind is Hunyuan3D else None)
    assert next(iter(running.calls.values())).asked["texture"] is (kind is Hunyuan3D21)
    assert ended(provider, remote) == Finished()
    assert b"".join(provider.fetch(remote)) == mesh()


class Counted(httpx.SyncByteStream):
    """An answer that is long, and knows how much of it was taken."""

    def __init__(self, start: bytes, pieces: int) -> None:
        self.start, self.pieces, self.taken, self.closed = start, pieces, 0, False

    def __iter__(self) -> Iterator[bytes]:
        yield self.start
        for _ in range(self.pieces):
            self.taken += 1
            yield b"A" * (1 << 20)

    def close(self) -> None:
        """Remember it."""
        self.closed = True


def test_a_poll_does_not_wait_for_the_mesh(kind) -> None:
    long = Counted(b'{"status":"completed","model_base64":"Z2xURgIAAAAA', 100)
    assert saying(kind, long).poll(Remote("u")) == Finished()
    assert long.taken <= 1
    assert long.closed


@pytest.mark.parametrize("start", ["", "Z2xU", base64.b64encode(b"glTF\x01\x00\x00\x00" + bytes(99)).decode()])
def test_a_file_without_its_beginning_is_not_ready(kind, start) -> None:
    assert isinstance(saying(kind, {"status": "completed", "model_base64": start}).poll(Remote("u")), Pending)


@pytest.mark.parametrize("word", ["processing", "texturing", "some_day"])
def test_other_words_mean_running_with_growing_waits(kind, word) -> None:
    provider = saying(kind, {"status": word})
    said = [provider.poll(Remote("u", polls=polls)) for polls in (0, 1, 50)]
    assert [one.wait for one in said if isinstance(one, Pending)] == [2, 3, 5]
    assert isinstance(said[0], Pending)
    assert (said[0].percent > 0) == (word == "texturing")


@pytest.mark.parametrize(
    ("status", "body"), [(500, {"status": "error", "message": "no"}), (200, b"<html>"), (503, b"")]
)
def test_an_answer_that_is_none_is_asked_for_again(kind, status, body) -> None:
    provider = saying(kind, body, status)
    with pytest.raises(Unavailable):
        provider.poll(Remote("u"))
    with pytest.raises(Unavailable):
        list(provider.fetch(Remote("u")))


def test_a_server_that_lost_its_routes_lost_the_call(kind) -> None:
    assert saying(kind, b"", 404).poll(Remote("u")) == Failed("provider_lost")


@pytest.mark.parametrize(("status", "error"), [(422, Declined), (413, Declined), (404, Declined), (500, Unclear)])
def test_what_a_refused_call_means(kind, status, error) -> None:
    with pytest.raises(error):
        submit(saying(kind, {"detail": "no"}, status))


def test_an_answer_without_an_id_is_unclear(kind) -> None:
    with pytest.raises(Unclear):
        submit(saying(kind, {"uid": None}))


def test_erasing_asks_nothing_and_claims_no_more_than_the_sweeper_does(kind, running) -> None:
    provider = at(kind, running.url)
    assert provider.erase(Remote("u")).result == provider.erase(Remote("u")).result == Erased.SWEPT
    assert running.requests == []


def test_the_card_says_whom_the_licence_bars(kind) -> None:
    assert kind.card.barred == {"EU", "GB", "KR"}
    assert "United Kingdom" in kind.card.licence


@pytest.mark.parametrize("initial_first", [False, True])
def test_the_coloured_mesh_is_taken_wherever_it_stands(initial_first) -> None:
    with Hunyuan3D21Simulator() as running:
        running.behaviour.mesh, running.behaviour.polls = mesh(), 0
        running.initial_first, running.initial = initial_first, b"glTF\x02\x00\x00\x00" + bytes(6_000_000)
        provider = at(Hunyuan3D21, running.url)
        remote = submit(provider)
        assert ended(provider, remote) == Finished()
        assert b"".join(provider.fetch(remote)) == mesh()


def test_a_mesh_that_is_passed_over_is_not_held() -> None:
    def answer() -> Iterator[bytes]:
        yield b'{"status":"completed","model_base64_initial":"'
        for _ in range(800):
            yield b"A" * 65_536
        yield b'","model_base64": "R09P'
        yield b'RA=="}'

    tracemalloc.start()
    try:
        assert b"".join(base64_field(answer(), "model_base64")) == b"GOOD"
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("size", range(1, 9))
def test_base64_in_a_json_stream_however_it_is_cut(size) -> None:
    data = b'{"a":"b","mesh": "\\/\\/\\/\\/AA\\/+"}'
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    assert b"".join(base64_field(iter(chunks), "mesh")) == base64.b64decode("////AA/+")


@pytest.mark.parametrize("data", [b'{"mesh":null,"abcd":"R09PRA=="}', b'{"other":"R09PRA=="}', b'{"mesh":"R09P', b""])
def test_base64_that_is_not_there(data) -> None:
    with pytest.raises(Unavailable):
        list(base64_field(iter([data]), "mesh"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stand", STANDS, ids=lambda one: one.name)
def test_a_file_that_is_still_being_written(stand, start, job_for, run) -> None:
    """Not begun when first seen, and short when first fetched: a matter of asking again."""
    running = start(stand)
    running.writing = [0, 3, 700, 700]
    job = run(job_for(stand.name))
    assert job.outcome == Outcome.DONE
    assert running.writing == []
    assert len(running.calls) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stand", STANDS, ids=lambda one: one.name)
def test_an_answer_beyond_all_bounds(stand, start, job_for, run) -> None:
    running = start(stand)
    running.fail("poll", Answer(200, stream=400_000_000), times=None)
    job = run(job_for(stand.name))
    assert (job.outcome, job.failure) == (Outcome.FAILED, "bad_mesh")


@pytest.mark.django_db(transaction=True)
def test_colours_from_a_server_that_has_none_never_come(start, job_for, run) -> None:
    running = start(OF_20)
    running.enable_tex = False
    job = run(job_for(OF_20.name), steps=2000)
    assert (job.outcome, job.failure) == (Outcome.FAILED, "provider_too_slow")
    job = run(job_for(OF_20.name, options=JobOptions(texture=False)))
    assert job.outcome == Outcome.DONE


def post(running: Hunyuan3DSimulator, path: str, body: object) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(f"{running.url}{path}", content=content)


def test_the_stand_in_is_as_the_sheet_says(kind, running) -> None:
    """Without a client of the vendor's to drive it: each line is a fact of the sheet."""
    photo = base64.b64encode(cut_out()).decode()

    def status(uid: str) -> dict[str, str]:
        said: dict[str, str] = httpx.get(f"{running.url}/status/{uid}").json()
        return said

    assert httpx.get(f"{running.url}/send").status_code == 405
    assert "/send" in httpx.get(f"{running.url}/openapi.json").json()["paths"]
    assert status("never-heard-of") == {"status": "processing"}

    direct = post(running, "/generate", {"image": photo})
    assert (direct.status_code, direct.headers["content-type"]) == (200, "model/gltf-binary")
    assert direct.content == mesh()
    uri = f"data:image/png;base64,{photo}"
    refused = post(running, "/generate", {"image": uri})
    assert (refused.status_code, refused.json()["error_code"]) == (404, 1)

    sent = post(running, "/send", {"image": photo, "texture": True}).json()
    assert list(sent) == ["uid"]
    assert sent["uid"].count("-") == 4
    states = [status(sent["uid"]) for _ in range(running.behaviour.polls + 1)]
    between = "texturing" if kind is Hunyuan3D21 else "processing"
    assert [one["status"] for one in states] == ["processing", between, "completed"]
    assert base64.b64decode(states[-1]["model_base64"]) == mesh()
    assert ("model_base64_initial" in states[-1]) == (kind is Hunyuan3D21)

    silent = post(running, "/send", {"image": uri}).json()["uid"]
    assert {status(silent)["status"] for _ in range(TURNS)} == {"processing"}


def test_the_stand_in_of_20_is_as_the_sheet_says() -> None:
    with Hunyuan3DSimulator(enable_tex=False) as running:
        photo = base64.b64encode(cut_out()).decode()
        broken = post(running, "/send", b"{")
        assert (broken.status_code, broken.headers["connection"]) == (500, "close")
        for body in ({"text": "a chair"}, {"image": photo, "texture": True}, {"image": photo, "wings": 2}):
            assert post(running, "/generate", body).status_code == 404


def test_the_stand_in_of_21_is_as_the_sheet_says() -> None:
    with Hunyuan3D21Simulator() as running:
        photo = base64.b64encode(cut_out()).decode()
        assert httpx.get(f"{running.url}/health").json()["status"] == "healthy"
        for wrong in ({"octree_resolution": 513}, {"num_inference_steps": 21}, {"face_count": 999}, {"texture": 1}):
            refused = post(running, "/send", {"image": photo, **wrong})
            assert refused.status_code == 422
            assert photo in refused.text
        assert post(running, "/send", b"{").status_code == 422
        assert running.calls == {}

        plain = post(running, "/send", {"image": photo, "wings": 2}).json()["uid"]
        said = [httpx.get(f"{running.url}/status/{plain}").json()["status"] for _ in range(TURNS)]
        assert set(said) == {"processing", "texturing"}

        running.unreadable = True
        whole = post(running, "/send", {"image": photo, "texture": True}).json()["uid"]
        answers = [httpx.get(f"{running.url}/status/{whole}") for _ in range(running.behaviour.polls + 1)]
        assert (answers[-1].status_code, answers[-1].json()["status"]) == (500, "error")


def test_a_stream_that_ends_in_the_middle_is_asked_for_again(kind) -> None:
    class Broken(Counted):
        def __iter__(self) -> Iterator[bytes]:
            yield self.start
            raise httpx.RemoteProtocolError("cut")

    provider = saying(kind, Broken(b'{"status":"completed","model_base64":"Z2xURgIAAAAA', 0))
    with pytest.raises(Unavailable):
        list(provider.fetch(Remote("u")))
