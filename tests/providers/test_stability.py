"""What is particular about Stability AI: one request without an id, whose answer may be lost on its way."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import httpx
import pytest
from PIL import Image

from generation import egress, registry
from generation.exchange import TooMuch
from generation.models import Attempt, Job
from generation.provider import Brief, Declined, Delivered, Erased, Misconfigured, Remote, Unavailable, Unclear
from generation.providers.stability import StableFast3D, StablePointAware3D
from privacy.models import Receipt
from sandbox.providers.simulator import Answer
from sandbox.providers.stability import StabilitySimulator
from tests.generation.conftest import mesh
from tests.providers.conftest import cut_out
from tests.providers.stand_stability import STANDS

Outcome = Job.Outcome
FAST, AWARE = STANDS
BOTH = pytest.mark.parametrize("stand", STANDS, ids=lambda one: one.name)


@pytest.fixture(params=[StableFast3D, StablePointAware3D])
def kind(request) -> type[StableFast3D]:
    """Either model's provider."""
    chosen: type[StableFast3D] = request.param
    return chosen


@pytest.fixture
def running() -> Iterator[StabilitySimulator]:
    """The stand-in."""
    with StabilitySimulator() as simulator:
        simulator.behaviour.mesh = mesh()
        yield simulator


def at(kind: type[StableFast3D], address: str = "", http: httpx.Client | None = None) -> StableFast3D:
    return kind(http or httpx.Client(), {"STABILITY_API_KEY": "test-key", "STABILITY_URL": address})


def answering(kind: type[StableFast3D], handler: Callable[[httpx.Request], httpx.Response]) -> StableFast3D:
    """A provider whose service is a function."""
    return at(kind, http=httpx.Client(transport=httpx.MockTransport(handler)))


def submit(provider: StableFast3D, quality: str = "standard", photo: bytes = b"") -> Delivered:
    started = provider.submit(Brief(images={"front": photo or cut_out()}, quality=quality, key="k"))
    assert isinstance(started, Delivered)
    return started


class Body(httpx.SyncByteStream):
    """An answer's body that may break off, and knows whether it was given up."""

    def __init__(self, *chunks: bytes, error: Exception | None = None) -> None:
        self.chunks, self.error, self.taken, self.closed = chunks, error, 0, False

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            self.taken += 1
            yield chunk
        if self.error:
            raise self.error

    def close(self) -> None:
        """Remember it."""
        self.closed = True


BEGUN = b"glTF" + bytes(70_000)
"""More than the first chunk that is asked for."""


def test_each_quality_has_its_own_texture_and_nothing_else_is_sent(kind, running) -> None:
    provider = at(kind, running.url)
    for quality, side in {"draft": "512", "standard": "1024", "high": "2048"}.items():
        assert b"".join(submit(provider, quality).chunks) == mesh()
        call = list(running.calls.values())[-1]
        assert call.asked == {"model": kind.path.rpartition("/")[2], "texture_resolution": side}
    for request in running.requests:
        assert not any(name.startswith("stability-") for name in request.headers)
        assert set(request.form()) == {"image", "texture_resolution"}


def test_without_an_address_the_service_itself_is_called_with_the_key_and_time_enough(kind) -> None:
    seen = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=mesh())

    submit(answering(kind, handler))
    assert str(seen[0].url) == f"https://api.stability.ai{kind.path}"
    assert seen[0].url.host in kind.card.hosts
    assert seen[0].headers["authorization"] == "Bearer test-key"
    assert seen[0].extensions["timeout"]["read"] >= 120


@pytest.mark.parametrize("size", [(26, 20), (64, 64), (3000, 9), (9, 1200), (2100, 2100)])
def test_photos_are_of_a_size_that_is_taken(kind, running, size) -> None:
    out = io.BytesIO()
    Image.new("RGBA", size, (90, 90, 200, 255)).save(out, "PNG")
    submit(at(kind, running.url), photo=out.getvalue())
    with Image.open(io.BytesIO(next(iter(running.calls.values())).photos[0])) as picture:
        assert (picture.format, picture.mode) == ("PNG", "RGBA")
        assert min(picture.size) >= 64
        assert picture.getpixel((0, 0)) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Declined), (401, Misconfigured), (402, Misconfigured), (403, Declined), (413, Declined),
        (422, Declined), (429, Unavailable), (503, Unavailable), (500, Unclear), (302, Unclear),
    ],
)  # fmt: skip
def test_what_each_status_means(kind, status, error) -> None:
    body = Body(b'{"errors":["..."]}')
    with pytest.raises(error):
        submit(answering(kind, lambda _: httpx.Response(status, stream=body)))
    assert body.taken == 0
    assert body.closed


@pytest.mark.parametrize(("said", "wait"), [({}, 60), ({"Retry-After": "3"}, 60), ({"Retry-After": "90"}, 90)])
def test_too_many_requests_means_a_minute_at_least(kind, said, wait) -> None:
    with pytest.raises(Unavailable) as caught:
        submit(answering(kind, lambda _: httpx.Response(429, headers=said)))
    assert (caught.value.wait, caught.value.throttled) == (wait, True)
    with pytest.raises(Unavailable) as caught:
        submit(answering(kind, lambda _: httpx.Response(503)))
    assert not caught.value.throttled


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b"gl"])
def test_an_answer_that_is_no_mesh_is_unclear(kind, body) -> None:
    with pytest.raises(Unclear):
        submit(answering(kind, lambda _: httpx.Response(200, content=body)))


def test_the_body_comes_as_it_is_asked_for_and_is_given_up_with_it(kind) -> None:
    body = Body(BEGUN, *[bytes(70_000)] * 20)
    delivered = submit(answering(kind, lambda _: httpx.Response(200, stream=body)))
    assert body.taken < 3
    assert not body.closed
    assert len(b"".join(delivered.chunks)) == len(BEGUN) + 20 * 70_000
    assert body.closed

    body = Body(BEGUN, *[bytes(70_000)] * 20)
    delivered = submit(answering(kind, lambda _: httpx.Response(200, stream=body)))
    del delivered
    assert body.taken < 3
    assert body.closed


@pytest.mark.parametrize(
    ("error", "means"),
    [
        (httpx.RemoteProtocolError("cut"), Unclear),
        (httpx.ReadTimeout("late"), Unclear),
        (egress.ResponseTooLarge(), TooMuch),
    ],
)
@pytest.mark.parametrize("first", [b"", BEGUN])
def test_a_body_that_breaks_off(kind, error, means, first) -> None:
    """Before anything came or after: it may be paid for, and is never taken for the whole."""
    body = Body(first, error=error)
    with pytest.raises(means):
        list(submit(answering(kind, lambda _: httpx.Response(200, stream=body))).chunks)
    assert body.closed


@pytest.mark.django_db(transaction=True)
@BOTH
def test_a_mesh_lost_on_its_way_is_not_paid_for_again(stand, start, job_for, run) -> None:
    running = start(stand)
    body = b"glTF" + bytes(200_000)
    running.fail("create", Answer(200, body, {"Content-Type": "model/gltf-binary"}, declared=300_000), times=None)
    job = run(job_for(stand.name))
    assert (job.outcome, job.failure) == (Outcome.FAILED, "provider_unclear")
    assert job.attempts.get().state == Attempt.State.UNKNOWN
    (line,) = Receipt.objects.get(group=job.pk).document["receipt"]["elsewhere"]
    assert line["result"] == "unknown"
    assert len(running.requests) == 1


@pytest.mark.django_db(transaction=True)
@BOTH
def test_a_photo_that_moderation_refuses_speaks_against_nobody(stand, start, job_for, run) -> None:
    running = start(stand)
    running.behaviour.fails = True
    job = run(job_for(stand.name))
    assert (job.outcome, job.failure) == (Outcome.FAILED, "provider_declined")
    running.behaviour.fails = False
    assert run(job_for(stand.name)).outcome == Outcome.DONE


@pytest.mark.django_db(transaction=True)
def test_an_empty_account_is_the_operators_to_mend(start, job_for, run) -> None:
    running = start(FAST)
    running.fail("create", Answer(402, {"id": "1", "name": "payment_required", "errors": ["credits"]}))
    job = run(job_for(FAST.name), steps=6, ends=False)
    assert job.attempts.get().failure == "provider_misconfigured"


def test_it_is_off_until_it_is_named(settings) -> None:
    settings.PROVIDER_ENVIRONMENT = {"STABILITY_API_KEY": "k"}
    settings.PROVIDERS = []
    assert not [card for card in registry.cards() if card.name.startswith("stability")]
    settings.PROVIDERS = [FAST.name, AWARE.name]
    cards = registry.cards()
    assert [card.name for card in cards] == [FAST.name, AWARE.name]
    assert {card.queue for card in cards} == {"calls"}
    assert all(card.trains_on_input is None and card.keeps is None and "training" in card.evidence for card in cards)


def test_erasing_claims_nothing(kind) -> None:
    assert at(kind).erase(Remote("none")).result == Erased.UNSUPPORTED
    assert not kind.card.can_erase


FAST_PATH, AWARE_PATH = StableFast3D.path, StablePointAware3D.path


def picture(side: int, form: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), (9, 9, 9)).save(out, form)
    return out.getvalue()


@pytest.mark.parametrize(
    ("path", "photo", "fields", "status"),
    [
        (FAST_PATH, picture(64), {"remesh": "quad", "vertex_count": "-1", "foreground_ratio": "0.85"}, 200),
        (FAST_PATH, picture(300, "JPEG"), {}, 200),
        (FAST_PATH, picture(300, "WEBP"), {}, 200),
        (FAST_PATH, picture(300, "BMP"), {}, 400),
        (FAST_PATH, picture(32), {}, 400),
        (FAST_PATH, picture(2049), {}, 400),
        (FAST_PATH, picture(64) + bytes(10_000_000), {}, 413),
        (FAST_PATH, picture(64), {"texture_resolution": "4096"}, 400),
        (FAST_PATH, picture(64), {"foreground_ratio": "1.3"}, 400),
        (FAST_PATH, picture(64), {"vertex_count": "20001"}, 400),
        (FAST_PATH, picture(64), {"guidance_scale": "3"}, 400),
        (FAST_PATH, picture(64), {"target_type": "face"}, 400),
        (AWARE_PATH, picture(64), {"target_type": "face", "target_count": "1000", "foreground_ratio": "1.3"}, 200),
        (AWARE_PATH, picture(64), {"target_count": "99"}, 400),
        (AWARE_PATH, picture(64), {"foreground_ratio": "0.85"}, 400),
        (AWARE_PATH, picture(64), {"guidance_scale": "3", "seed": "4294967294"}, 200),
        (AWARE_PATH, picture(64), {"seed": "4294967295"}, 400),
        (AWARE_PATH, picture(64), {"vertex_count": "100"}, 400),
    ],
)
def test_the_stand_in_takes_what_the_sheet_says(running, path, photo, fields, status) -> None:
    """Without a client of the vendor's to drive it: the fields, their ranges, and the shape of an error."""
    answer = httpx.post(
        running.url + path,
        headers={"Authorization": "Bearer test-key"},
        files={"image": ("p.png", photo, "image/png")},
        data=fields,
    )
    assert answer.status_code == status
    if status == 200:
        assert answer.headers["content-type"] == "model/gltf-binary"
        assert answer.content == mesh()
    else:
        assert set(answer.json()) == {"id", "name", "errors"}
        assert running.calls == {}


def test_the_stand_in_wants_its_key(running) -> None:
    answer = httpx.post(running.url + FAST_PATH, files={"image": ("p.png", picture(64), "image/png")})
    assert (answer.status_code, answer.json()["name"]) == (401, "unauthorized")
