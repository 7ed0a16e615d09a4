"""Replicate: what each model is asked, how a prediction may end, who may call us; and the vendor's client."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image, ImageDraw

from generation.provider import (
    VIEWS,
    Brief,
    Erased,
    Failed,
    Finished,
    Forged,
    Hooked,
    Pending,
    Remote,
    Unavailable,
    Unclear,
)
from generation.providers.replicate import TRELLIS, Trellis, TripoSR
from generation.replicate_predictions import Replicate
from sandbox.providers.replicate import ReplicateSimulator
from sandbox.providers.simulator import Answer
from tests.generation.conftest import mesh
from tests.providers.conftest import cut_out

NO_CLIENT = "Replicate's own client does not run on Python 3.14 and later"

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
HOOK = "https://example.com/hooks/replicate-trellis"
OTHER = "whsec_" + base64.b64encode(b"the secret before this one").decode()


@pytest.fixture
def service() -> Iterator[ReplicateSimulator]:
    with ReplicateSimulator() as running:
        assert isinstance(running, ReplicateSimulator)
        running.behaviour.mesh = mesh()
        running.behaviour.polls = 0
        yield running


@pytest.fixture
def adapter(service: ReplicateSimulator) -> Callable[..., Replicate]:
    """``adapter(Trellis, VARIABLE=value)``: it, with its key and the stand-in's address."""

    def make(kind: type[Replicate] = Trellis, **setup: str) -> Replicate:
        setup = {"REPLICATE_API_KEY": service.key, "REPLICATE_URL": service.url, **setup}
        return kind(httpx.Client(), setup)

    return make


def submit(
    provider: Replicate, images: dict[str, bytes] | None = None, quality: str = "draft", hook: str = ""
) -> Remote:
    answer = provider.submit(Brief(images=images or {"front": cut_out()}, quality=quality, key="k", hook=hook))
    assert isinstance(answer, Remote)
    return answer


def noise(side: int) -> bytes:
    """A cut-out that compresses badly."""
    pixels = np.random.default_rng(3).integers(0, 256, (side, side, 4), np.uint8)
    picture = Image.fromarray(pixels, "RGBA")
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=1)
    return out.getvalue()


@pytest.mark.parametrize("quality", ["draft", "standard", "high"])
def test_what_trellis_is_asked(service, adapter, quality) -> None:
    submit(adapter(), quality=quality)
    (call,) = service.calls.values()
    inputs = dict(call.asked["input"])
    assert len(inputs.pop("images")) == 1
    assert inputs == {"generate_model": True, "generate_color": False, **TRELLIS[quality]}
    assert call.asked["version"] == Trellis.version
    assert call.asked["cancel_after"] == "20m"
    assert "webhook" not in call.asked


def test_the_qualities_of_trellis_differ_in_what_one_sees() -> None:
    sizes = [TRELLIS[quality]["texture_size"] for quality in ("draft", "standard", "high")]
    assert sizes == sorted(set(sizes))
    assert list(Trellis.card.credits) == list(TRELLIS)


def test_triposr_gets_a_square_on_grey_that_it_need_not_cut_out(service, adapter) -> None:
    tall = Image.new("RGBA", (120, 400))
    ImageDraw.Draw(tall).rectangle((20, 30, 79, 369), fill=(250, 20, 20, 255))
    out = io.BytesIO()
    tall.save(out, "PNG")
    submit(adapter(TripoSR), {"front": out.getvalue()})
    (call,) = service.calls.values()
    assert call.asked["version"] == TripoSR.version
    assert call.asked["input"]["do_remove_background"] is False
    with Image.open(io.BytesIO(call.photos[0])) as picture:
        seen = picture.convert("RGB")
    assert seen.size == (400, 400)  # 340 are 85 % of it
    corner, middle = seen.getpixel((5, 5)), seen.getpixel((200, 200))
    assert isinstance(corner, tuple)
    assert isinstance(middle, tuple)
    assert all(abs(level - 127) < 4 for level in corner)
    assert middle[0] > 230
    assert middle[1] < 40


@pytest.mark.parametrize(("kind", "views"), [(Trellis, VIEWS), (Trellis, VIEWS[:1]), (TripoSR, VIEWS[:1])])
def test_photos_that_compress_badly_still_fit(service, adapter, kind, views) -> None:
    submit(adapter(kind), {view: noise(700) for view in views})
    assert len(service.requests[-1].body) < 1_000_000
    (call,) = service.calls.values()
    assert len(call.photos) == len(views)
    for photo in call.photos:
        with Image.open(io.BytesIO(photo)) as picture:
            assert min(picture.size) > 128


@pytest.mark.parametrize(
    ("kind", "variable"), [(Trellis, "REPLICATE_TRELLIS_VERSION"), (TripoSR, "REPLICATE_TRIPOSR_VERSION")]
)
def test_an_operator_may_name_another_version(service, adapter, kind, variable) -> None:
    submit(adapter(kind, **{variable: "ab" * 32}))
    (call,) = service.calls.values()
    assert call.asked["version"] == "ab" * 32


def test_an_answer_without_an_id_is_unclear(service, adapter) -> None:
    service.fail("create", Answer(201, {"status": "starting"}))
    with pytest.raises(Unclear):
        submit(adapter())


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("starting", Pending(wait=2)),
        ("processing", Pending(wait=2)),
        ("thinking", Pending(wait=2)),
        ("failed", Failed()),
        ("canceled", Failed()),
        ("aborted", Failed()),
        ("succeeded", Finished()),
    ],
)
def test_states(service, adapter, status, expected) -> None:
    link = "https://replicate.delivery/xezq/a/output.glb"
    service.fail("poll", Answer(200, {"id": "p", "status": status, "output": link}))
    assert adapter().poll(Remote("p")) == expected


def test_polls_grow_rarer(service, adapter) -> None:
    service.behaviour.polls = 9
    provider = adapter()
    remote = submit(provider)
    waits = [provider.poll(Remote(remote.id, polls=polls)).wait for polls in range(6)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (2, 5)


def test_nothing_to_fetch_is_a_failure(service, adapter) -> None:
    provider = adapter()
    service.output = {"color_video": "https://replicate.delivery/a.mp4", "model_file": None}
    assert provider.poll(submit(provider)) == Failed()


def test_what_was_removed_is_lost(service, adapter) -> None:
    provider = adapter()
    remote = submit(provider)
    assert provider.poll(remote) == Finished()
    service.remove(service.calls[remote.id])
    assert provider.poll(remote) == Failed("provider_lost")
    assert provider.poll(Remote("unknown")) == Failed("provider_lost")
    with pytest.raises(Unavailable):
        next(provider.fetch(remote))
    assert all(request.path.startswith("/v1/predictions") for request in service.requests)


@pytest.mark.parametrize(
    "output",
    [
        None,
        "{link}",
        "{link}?signature=a.b",
        ["{link}"],
        ["https://replicate.delivery/preview.png", "{link}"],
        {"video": "https://replicate.delivery/glb.mp4", "text": "see model.glb", "files": [{"model": "{link}"}]},
        ["https://replicate.delivery/glb?name=a.glb", "{link}"],
    ],
)
def test_the_mesh_is_found_in_whatever_a_model_returns(service, adapter, output) -> None:
    service.output = output
    provider = adapter()
    remote = submit(provider)
    assert provider.poll(remote) == Finished()
    assert b"".join(provider.fetch(remote)) == mesh()
    (asked,) = [request for request in service.requests if request.path.startswith("/xezq")]
    assert "authorization" not in asked.headers


def test_a_running_prediction_is_cancelled_and_gone_in_an_hour(service, adapter) -> None:
    service.behaviour.polls = 10**6
    provider = adapter()
    remote = submit(provider)
    told = [provider.erase(remote) for _ in range(3)]
    assert service.calls[remote.id].cancelled
    assert sum(request.path.endswith("/cancel") for request in service.requests) == 1
    assert {one.result for one in told} == {Erased.EXPIRES}
    hour = datetime.now(UTC) + timedelta(hours=1)
    assert all(one.at and abs(one.at - hour) < timedelta(minutes=1) for one in told)
    assert provider.poll(remote) == Failed()


def test_the_hour_begins_when_the_prediction_has_ended(service, adapter) -> None:
    service.fail("poll", Answer(200, {"status": "succeeded", "completed_at": "2026-11-23T08:00:00.123456789Z"}))
    erasure = adapter().erase(Remote("p"))
    assert erasure.at is not None
    assert erasure.at.replace(microsecond=0) == NOW + timedelta(hours=1)
    assert not any(request.path.endswith("/cancel") for request in service.requests)


@pytest.mark.parametrize("refusal", [404, 422])
def test_a_prediction_that_ends_before_it_is_cancelled(service, adapter, refusal) -> None:
    service.behaviour.polls = 10**6
    provider = adapter()
    remote = submit(provider)
    service.fail("erase", Answer(refusal, {"detail": "it has ended"}))
    assert provider.erase(remote).result == provider.erase(Remote("unknown")).result == Erased.EXPIRES


@pytest.mark.parametrize(
    ("hook", "secret", "asked"),
    [
        ("", ReplicateSimulator.secret, {}),
        (HOOK, "", {}),
        (HOOK, "whsec_no base64", {}),
        (HOOK, ReplicateSimulator.secret, {"webhook": HOOK, "webhook_events_filter": ["completed"]}),
    ],
)
def test_a_webhook_is_asked_for_only_where_it_can_be_checked(service, adapter, hook, secret, asked) -> None:
    submit(adapter(REPLICATE_WEBHOOK_SECRET=secret), hook=hook)
    (call,) = service.calls.values()
    assert {name: value for name, value in call.asked.items() if name.startswith("webhook")} == asked


@pytest.fixture
def hooked(service, adapter) -> tuple[Replicate, dict[str, str], bytes, str]:
    """An adapter that knows the secret, and the headers, the body and the call of a genuine webhook of ``NOW``."""
    provider = adapter(REPLICATE_WEBHOOK_SECRET=service.secret)
    remote = submit(provider, hook=HOOK)
    provider.poll(remote)
    return provider, *service.webhook(service.calls[remote.id], NOW), remote.id


def test_a_genuine_webhook(service, hooked) -> None:
    provider, headers, body, call = hooked
    assert isinstance(provider, Hooked)
    for late in (-299, 0, 299):
        assert provider.heard(headers, body, now=NOW + timedelta(seconds=late)) == call
    # The vendor's own check agrees that it is one.
    vendor = pytest.importorskip("replicate", reason=NO_CLIENT)
    secret = vendor.Client(api_token=service.key, base_url=service.url).webhooks.default.secret()
    vendor.Client().webhooks.validate(headers=headers, body=body.decode(), secret=secret)


def test_a_webhook_while_the_secret_is_changed(service, hooked) -> None:
    provider, headers, body, call = hooked
    old, _ = service.webhook(service.calls[call], NOW, secret=OTHER)
    both = f"v1a,{'A' * 86}== {old['webhook-signature']} {headers['webhook-signature']}"
    assert provider.heard({**headers, "webhook-signature": both}, body, now=NOW) == call
    with pytest.raises(Forged):
        provider.heard(old, body, now=NOW)


def _forgeries() -> dict[str, Callable[[dict[str, str], bytes], tuple[dict[str, str], bytes]]]:
    def without(name: str) -> Callable[[dict[str, str], bytes], tuple[dict[str, str], bytes]]:
        return lambda headers, body: ({key: value for key, value in headers.items() if key != name}, body)

    def other(name: str, value: str) -> Callable[[dict[str, str], bytes], tuple[dict[str, str], bytes]]:
        return lambda headers, body: ({**headers, name: value}, body)

    return {
        "no id": without("webhook-id"),
        "no time": without("webhook-timestamp"),
        "no signature": without("webhook-signature"),
        "nothing": lambda headers, body: ({}, body),
        "another id": other("webhook-id", "msg_other"),
        "empty id": other("webhook-id", ""),
        "another time": other("webhook-timestamp", str(int(NOW.timestamp()) + 1)),
        "no number": other("webhook-timestamp", "now"),
        "a huge number": other("webhook-timestamp", "9" * 5000),
        "empty signature": other("webhook-signature", ""),
        "no version": lambda headers, body: (
            {**headers, "webhook-signature": headers["webhook-signature"].removeprefix("v1,")},
            body,
        ),
        "another version": lambda headers, body: (
            {**headers, "webhook-signature": headers["webhook-signature"].replace("v1,", "v2,")},
            body,
        ),
        "a shorter signature": lambda headers, body: (
            {**headers, "webhook-signature": headers["webhook-signature"][:-4]},
            body,
        ),
        "no ASCII": other("webhook-signature", "v1,\u00e9\u20ac"),
        "truncated body": lambda headers, body: (headers, body[:-1]),
        "changed body": lambda headers, body: (headers, body.replace(b"succeeded", b"failed   ")),
        "no body": lambda headers, body: (headers, b""),
    }


@pytest.mark.parametrize("forge", _forgeries().values(), ids=_forgeries())
def test_forged_webhooks(hooked, forge) -> None:
    provider, headers, body, _ = hooked
    with pytest.raises(Forged):
        provider.heard(*forge(headers, body), now=NOW)


@pytest.mark.parametrize("late", [-301, 301, 86_400])
def test_a_webhook_from_another_time(hooked, late) -> None:
    provider, headers, body, _ = hooked
    with pytest.raises(Forged):
        provider.heard(headers, body, now=NOW + timedelta(seconds=late))


@pytest.mark.parametrize("secret", ["", "whsec_", OTHER])
def test_a_webhook_whose_secret_is_another(service, adapter, hooked, secret) -> None:
    _, headers, body, call = hooked
    with pytest.raises(Forged):
        adapter(REPLICATE_WEBHOOK_SECRET=secret).heard(headers, body, now=NOW)
    signed, body = service.webhook(service.calls[call], NOW, secret="whsec_")
    with pytest.raises(Forged):
        adapter(REPLICATE_WEBHOOK_SECRET=secret).heard(signed, body, now=NOW)


@pytest.fixture
def client(service: ReplicateSimulator) -> Any:
    """The vendor's own."""
    made = pytest.importorskip("replicate", reason=NO_CLIENT).Client(api_token=service.key, base_url=service.url)
    made.poll_interval = 0.01
    return made


def inputs(kind: type[Replicate]) -> dict[str, Any]:
    uri = "data:image/png;base64," + base64.b64encode(cut_out()).decode()
    if kind is TripoSR:
        return {"image_path": uri, "foreground_ratio": 0.85}
    return {"images": [uri, uri], "generate_model": True, "texture_size": 512}


@pytest.mark.parametrize("kind", [Trellis, TripoSR])
def test_the_vendors_client_drives_the_stand_in(service, client, kind) -> None:
    service.behaviour.polls = 3
    prediction = client.predictions.create(version=kind.version, input=inputs(kind))
    assert prediction.status == "starting"
    assert prediction.version == kind.version
    prediction.wait()
    assert prediction.status == "succeeded"
    assert prediction.completed_at is not None
    output = prediction.output
    link = output if kind is TripoSR else output["model_file"]
    assert httpx.get(link).content == mesh()
    if kind is Trellis:  # as the model does unless it is told otherwise
        assert output["color_video"].endswith(".mp4")
    assert service.calls[prediction.id].photos[0] == cut_out()


def test_the_vendors_client_waits_within_the_request(service, client) -> None:
    service.behaviour.seconds = 0.1
    prediction = client.predictions.create(version=Trellis.version, input=inputs(Trellis), wait=2)
    assert prediction.status == "succeeded"
    service.behaviour.seconds = 60
    prediction = client.predictions.create(version=Trellis.version, input=inputs(Trellis), wait=1)
    assert prediction.status == "starting" or prediction.status == "processing"


def test_the_vendors_client_cancels_and_hears_of_failures(service, client) -> None:
    vendor = pytest.importorskip("replicate", reason=NO_CLIENT)
    service.behaviour.polls = 10**6
    prediction = client.predictions.create(
        version=Trellis.version, input=inputs(Trellis), webhook=HOOK, webhook_events_filter=["completed"]
    )
    prediction.cancel()
    assert prediction.status == "canceled"
    assert client.predictions.get(prediction.id).status == "canceled"
    assert service.calls[prediction.id].asked["webhook"] == HOOK
    service.behaviour.fails, service.behaviour.polls = True, 1
    prediction = client.predictions.create(version=Trellis.version, input=inputs(Trellis))
    prediction.wait()
    assert prediction.status == "failed"
    assert prediction.error
    for version, wrong in (("latest", inputs(Trellis)), (Trellis.version, {"images": "a"}), (Trellis.version, {})):
        with pytest.raises(vendor.exceptions.ReplicateError) as refused:
            client.predictions.create(version=version, input=wrong)
        assert refused.value.status == 422
    with pytest.raises(vendor.exceptions.ReplicateError) as unknown:
        client.predictions.get("unknown")
    assert unknown.value.status == 404
    with pytest.raises(vendor.exceptions.ReplicateError) as stranger:
        vendor.Client(api_token="wrong", base_url=service.url).predictions.get(prediction.id)
    assert stranger.value.status == 401


def test_the_stand_in_refuses_inputs_that_the_model_does_not_have(service, client) -> None:
    vendor = pytest.importorskip("replicate", reason=NO_CLIENT)
    for wrong in ({"texture_size": 4096}, {"mesh_simplify": 0.5}, {"colour": True}, {"generate_model": 1}):
        with pytest.raises(vendor.exceptions.ReplicateError):
            client.predictions.create(version=Trellis.version, input=inputs(Trellis) | wrong)
    assert not service.calls
    assert json.loads(service.requests[-1].body)["input"]["images"]
