"""What is particular about Tripo: uploads before the task, late moderation, signed webhooks; and its own client."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import importlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation import pictures
from generation.options import JobOptions
from generation.provider import (
    Brief,
    Declined,
    Erased,
    Failed,
    Finished,
    Forged,
    Hooked,
    Misconfigured,
    Pending,
    Remote,
    Unavailable,
    Unclear,
)
from generation.providers.tripo import Tripo
from sandbox.providers.simulator import Answer
from sandbox.providers.tripo import TripoSimulator, refused, succeeded
from tests.generation.conftest import mesh
from tests.providers.conftest import cut_out

COLOURS = {"front": (180, 60, 40), "left": (60, 180, 40), "back": (40, 60, 180), "right": (160, 160, 30)}
PHOTOS = {view: cut_out(colour) for view, colour in COLOURS.items()}
FRONT = {"front": PHOTOS["front"]}


@pytest.fixture
def service() -> Iterator[TripoSimulator]:
    with TripoSimulator() as running:
        assert isinstance(running, TripoSimulator)
        running.behaviour.mesh = mesh()
        yield running


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


@pytest.fixture
def tripo(service: TripoSimulator, http: httpx.Client) -> Tripo:
    """The provider, pointed at the stand-in."""
    setup = {"TRIPO_API_KEY": service.key, "TRIPO_URL": service.url, "TRIPO_WEBHOOK_SECRET": service.secret}
    return Tripo(http, setup)


def submit(
    tripo: Tripo, images: dict[str, bytes] = FRONT, quality: str = "standard", options: JobOptions | None = None
) -> Remote:
    answer = tripo.submit(Brief(images=images, options=options or JobOptions(), quality=quality, key="k"))
    assert isinstance(answer, Remote)
    return answer


def finished(tripo: Tripo, **wishes: Any) -> Remote:
    """A task that is done."""
    remote = submit(tripo, **wishes)
    while not isinstance(tripo.poll(remote), Finished):
        pass
    return remote


# What is asked for


@pytest.mark.parametrize(
    ("quality", "options", "expected"),
    [
        ("draft", JobOptions(), {"model": "v2.5-20250123", "face_limit": 10_000, "texture": True, "pbr": True}),
        ("standard", JobOptions(), {"model": "v3.1-20260211", "face_limit": 40_000, "texture": True, "pbr": True}),
        (
            "high",
            JobOptions(),
            {
                "model": "v3.1-20260211",
                "face_limit": 120_000,
                "texture": True,
                "pbr": True,
                "geometry_quality": "detailed",
                "texture_quality": "detailed",
            },
        ),
        (
            "high",
            JobOptions(texture=False, target_triangles=500),
            {
                "model": "v3.1-20260211",
                "face_limit": 500,
                "texture": False,
                "pbr": False,
                "geometry_quality": "detailed",
            },
        ),
        (
            "draft",
            JobOptions(target_triangles=300_000),
            {"model": "v2.5-20250123", "face_limit": 300_000, "texture": True, "pbr": True},
        ),
    ],
)
def test_what_is_asked_for(service, tripo, quality, options, expected) -> None:
    remote = submit(tripo, quality=quality, options=options)
    (upload, create) = service.requests
    assert create.path == "/v3/generation/image-to-model"
    assert create.json() == expected | {"input": next(iter(service.uploads))}
    call = service.calls[remote.id]
    assert call.photos == [pictures.png(PHOTOS["front"])]
    assert call.asked["textured"] == options.texture
    assert b'filename="photo.png"' in upload.body


@pytest.mark.parametrize("views", [("front", "back"), ("front", "left", "right"), ("front", "left", "back", "right")])
def test_several_views_have_their_places(service, tripo, views) -> None:
    remote = submit(tripo, {view: PHOTOS[view] for view in views})
    create = service.requests[-1]
    assert create.path == "/v3/generation/multiview-to-model"
    assert [token is not None for token in create.json()["inputs"]] == [
        view in views for view in ("front", "left", "back", "right")
    ]
    assert service.calls[remote.id].photos == [
        pictures.png(PHOTOS[view]) if view in views else b"" for view in ("front", "left", "back", "right")
    ]


def test_without_an_address_the_international_host_is_asked(http) -> None:
    tripo = Tripo(http, {"TRIPO_API_KEY": "tsk_x"})
    assert tripo.api.base == "https://openapi.tripo3d.ai/"
    assert "openapi.tripo3d.ai" in tripo.card.hosts


# What is answered


def test_an_upload_that_is_refused_declines_and_creates_nothing(service, tripo, monkeypatch) -> None:
    monkeypatch.setattr(pictures, "png", lambda _: b"no picture")
    with pytest.raises(Declined):
        submit(tripo)
    assert [request.path for request in service.requests] == ["/v3/files"]


def test_too_many_uploads_are_waited_for_longer_than_the_usual(service, tripo) -> None:
    service.uploads_left = 1
    with pytest.raises(Unavailable) as raised:
        submit(tripo, {view: PHOTOS[view] for view in ("front", "back")})
    assert raised.value.throttled
    assert raised.value.wait == 20.0
    assert not service.calls


def test_an_upload_without_a_token_is_no_call(service, tripo, monkeypatch) -> None:
    monkeypatch.setattr(service, "upload", lambda request: succeeded({}))
    with pytest.raises(Unavailable):
        submit(tripo)
    assert len(service.requests) == 1


def test_too_many_running_tasks(service, tripo) -> None:
    service.most_running = 1
    submit(tripo)
    with pytest.raises(Unavailable) as raised:
        submit(tripo)
    assert (raised.value.wait, raised.value.throttled) == (30.0, True)
    assert len(service.calls) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refused(403, 2010, "no credit"), Misconfigured),
        (refused(401, 2, "key of another region"), Misconfigured),
        (refused(400, 2008, "rejected"), Declined),
        (refused(400, 2015, "model"), Declined),
        (refused(500, 1000, "server"), Unclear),
        (succeeded({"type": "image_to_model", "status": "queued"}), Unclear),
        (succeeded(None), Unclear),
        (Answer(200, {"code": 1000, "status": "error"}), Unclear),
    ],
)
def test_answers_to_the_call_that_costs_money(service, tripo, answer, error) -> None:
    service.fail("create", answer)
    with pytest.raises(error):
        submit(tripo)
    assert len([request for request in service.requests if "generation" in request.path]) == 1


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ({"status": "success"}, Finished()),
        ({"status": "failed", "error_code": 2008}, Failed("provider_declined")),
        ({"status": "failed", "error_code": 2018}, Failed("provider_failed")),
        ({"status": "failed", "error_code": None}, Failed("provider_failed")),
        ({"status": "cancelled"}, Failed("provider_failed")),
        ({"status": "expired"}, Failed("provider_failed")),
        ({"status": "banned"}, Failed("provider_declined")),
        ({"status": "queued", "progress": 0}, Pending(0, 2.0)),
        ({"status": "running", "progress": 47}, Pending(47, 2.0)),
        ({"status": "unknown"}, Pending(0, 2.0)),
        ({"status": None}, Pending(0, 2.0)),
        (None, Pending(0, 2.0)),
    ],
)
def test_states(service, tripo, task, expected) -> None:
    remote = submit(tripo)
    service.fail("poll", succeeded(task))
    assert tripo.poll(remote) == expected


def test_moderation_that_comes_late(service, tripo) -> None:
    service.behaviour.fails, service.behaviour.polls = True, 0
    service.failure = ("failed", 2008)
    assert tripo.poll(submit(tripo)) == Failed("provider_declined")


def test_a_task_that_is_gone(service, tripo) -> None:
    assert tripo.poll(Remote("gone")) == Failed("provider_lost")


def test_waits_grow_as_those_of_the_vendors_client(service, tripo) -> None:
    service.behaviour.polls = 99
    remote = submit(tripo)
    waits = [tripo.poll(Remote(remote.id, polls=polls)).wait for polls in range(6)]
    assert waits == [2, 4, 8, 16, 30, 30]


# The file


@pytest.mark.parametrize("name", ["model_url", "pbr_model_url", "model", "pbr_model"])
def test_the_link_goes_by_several_names(service, tripo, name) -> None:
    remote = finished(tripo)
    link = service.told(service.calls[remote.id])["output"]["model_url"]
    service.fail("poll", succeeded({"output": {"model_url": None, name: link}}))
    assert b"".join(tripo.fetch(remote)) == mesh()


def test_a_link_that_died_is_asked_for_anew_and_never_sees_the_key(service, tripo) -> None:
    remote = finished(tripo)
    service.link_seconds = -1
    with pytest.raises(Unavailable):
        b"".join(tripo.fetch(remote))
    service.link_seconds = 300
    assert b"".join(tripo.fetch(remote)) == mesh()
    downloads = [request for request in service.requests if request.path.startswith("/out/")]
    assert len(downloads) == 2
    assert not any("authorization" in request.headers for request in downloads)


def test_a_task_without_a_link(service, tripo) -> None:
    remote = submit(tripo)
    with pytest.raises(Unavailable):
        b"".join(tripo.fetch(remote))


def test_nothing_can_be_erased_and_nothing_is_asked(service, tripo) -> None:
    remote = submit(tripo)
    before = len(service.requests)
    assert tripo.erase(remote).result == Erased.UNSUPPORTED
    assert len(service.requests) == before
    assert tripo.card.keeps is None
    assert not tripo.card.can_erase


# Webhooks

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SECRET = TripoSimulator.secret


def signature(body: bytes, *, at: datetime = NOW, secret: str = SECRET) -> str:
    told = f"{int(at.timestamp())}.".encode() + body
    return hmac.new(secret.encode(), told, hashlib.sha256).hexdigest()


def header(body: bytes, *, at: datetime = NOW, secret: str = SECRET) -> dict[str, str]:
    return {"tripo-webhook-signature": f"t={int(at.timestamp())},v1={signature(body, at=at, secret=secret)}"}


EVENT: dict[str, Any] = {"id": "e", "type": "task.completed", "data": {"task_id": "task-1", "status": "success"}}
BODY = json.dumps(EVENT).encode()


@pytest.fixture(scope="module")
def listener(http: httpx.Client) -> Tripo:
    """A provider that needs no service."""
    return Tripo(http, {"TRIPO_API_KEY": "tsk_x", "TRIPO_WEBHOOK_SECRET": SECRET})


def test_a_webhook_names_its_task(service, tripo) -> None:
    remote = finished(tripo)
    headers, body = service.webhook(service.calls[remote.id])
    assert tripo.heard(headers, body, now=datetime.now(UTC)) == remote.id
    service.behaviour.fails = True
    headers, body = service.webhook(service.calls[remote.id])
    assert headers["tripo-webhook-event"] == "task.failed"
    assert tripo.heard(headers, body, now=datetime.now(UTC)) == remote.id
    assert isinstance(tripo, Hooked)


@pytest.mark.parametrize("late", [-300, -299, 0, 299, 300])
def test_five_minutes_either_way(listener, late) -> None:
    assert listener.heard(header(BODY), BODY, now=NOW + timedelta(seconds=late)) == "task-1"


@pytest.mark.parametrize("late", [-3600, -301, 301, 86400])
def test_stale_and_future_ones_are_forged(listener, late) -> None:
    with pytest.raises(Forged):
        listener.heard(header(BODY), BODY, now=NOW + timedelta(seconds=late))


def test_a_new_time_on_an_old_signature_is_forged(listener) -> None:
    later = NOW + timedelta(hours=1)
    moved = {"tripo-webhook-signature": f"t={int(later.timestamp())},v1={signature(BODY)}"}
    with pytest.raises(Forged):
        listener.heard(moved, BODY, now=later)


def test_while_the_secret_is_changed_there_are_two_signatures(listener) -> None:
    right, wrong = signature(BODY), signature(BODY, secret="whsec_old")
    stamp = int(NOW.timestamp())
    for value in (
        f"t={stamp},v1={wrong},v1={right}",
        f"t={stamp},v1={right},v1={wrong}",
        f"v1={right}, t={stamp}, v0=x",
    ):
        assert listener.heard({"tripo-webhook-signature": value}, BODY, now=NOW) == "task-1"
    with pytest.raises(Forged):
        listener.heard({"tripo-webhook-signature": f"t={stamp},v1={wrong},v1={wrong}"}, BODY, now=NOW)


TAMPERED: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda body: body[:-1],
    "longer": lambda body: body + b"\n",
    "re-serialised": lambda body: json.dumps(json.loads(body), separators=(",", ":")).encode(),
    "another task": lambda body: body.replace(b"task-1", b"task-2"),
    "empty": lambda body: b"",
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_body_that_is_not_the_one_that_was_signed(listener, how) -> None:
    changed = TAMPERED[how](BODY)
    assert changed != BODY
    with pytest.raises(Forged):
        listener.heard(header(BODY), changed, now=NOW)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        ",",
        "t=",
        "v1=",
        "{stamp}",
        "t={stamp}",
        "v1={right}",
        "t={stamp},v1=",
        "t={stamp},v2={right}",
        "t={stamp},v1={short}",
        "t={stamp},v1={right}00",
        "t={stamp},v1={upper}",
        "t={stamp},t={stamp},v1={right}",
        "t=+{stamp},v1={right}",
        "t={stamp}.0,v1={right}",
        "t=nan,v1={right}",
        "t=\u0661\u0667,v1={right}",
        "t=²,v1={right}",
        "t=" + "9" * 5000 + ",v1={right}",
        "t={stamp},v1=ü" + "0" * 63,
        "t={stamp},v1=\udcff",
        "t={stamp};v1={right}",
    ],
)
def test_a_header_that_is_no_signature(listener, value) -> None:
    right = signature(BODY)
    names = {"stamp": str(int(NOW.timestamp())), "right": right, "short": right[:-1], "upper": right.upper()}
    headers = {} if value is None else {"tripo-webhook-signature": value.format(**names)}
    with pytest.raises(Forged):
        listener.heard(headers, BODY, now=NOW)


@pytest.mark.parametrize("stamp", ["", "²", "-1", "1e9", "9" * 13, "9" * 5000, "soon"])
def test_signed_at_no_time(listener, stamp) -> None:
    right = hmac.new(SECRET.encode(), f"{stamp}.".encode() + BODY, hashlib.sha256).hexdigest()
    with pytest.raises(Forged):
        listener.heard({"tripo-webhook-signature": f"t={stamp},v1={right}"}, BODY, now=NOW)


def test_another_secret_or_none(listener) -> None:
    with pytest.raises(Forged):
        listener.heard(header(BODY, secret="whsec_other"), BODY, now=NOW)
    with pytest.raises(Forged):  # the secret counts as shown, prefix and all
        listener.heard(header(BODY, secret=SECRET.removeprefix("whsec_")), BODY, now=NOW)
    without = Tripo(listener.api.http, {"TRIPO_API_KEY": "tsk_x"})
    with pytest.raises(Forged):
        without.heard(header(BODY, secret=""), BODY, now=NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"task-1"',
        b"{}",
        b'{"data": null}',
        b'{"data": []}',
        b'{"data": {"task_id": 5}}',
        b'{"data": {"task_id": ""}}',
        b'{"type": "balance.low", "data": {"balance": 1, "threshold": 5}}',
        b'{"data": {"task_id": "\xff"}}',
        BODY.decode().encode("utf-16"),
        b"[" * 100_000,
        b"1" * 10_000,
    ],
)
def test_signed_but_about_no_task(listener, body) -> None:
    with pytest.raises(Forged):
        listener.heard(header(body), body, now=NOW)


@given(value=st.text(), body=st.binary())
def test_a_stranger_gets_nothing_else_out_of_it(listener, value, body) -> None:
    for given_header in (value, f"t={int(NOW.timestamp())},v1={value}"):
        with pytest.raises(Forged):
            listener.heard({"tripo-webhook-signature": given_header}, body, now=NOW)


# The vendor's own client against the stand-in


@pytest.fixture
def sdk(monkeypatch) -> ModuleType:
    """``tripo3d``, kept from asking the network where it is."""
    monkeypatch.setenv("TRIPO_DISABLE_GEO_DETECTION", "1")
    client = importlib.import_module("tripo3d")
    client._detection_thread.join()
    return client


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    for view, photo in PHOTOS.items():
        (tmp_path / f"{view}.png").write_bytes(photo)
    return {view: tmp_path / f"{view}.png" for view in PHOTOS}


def test_the_vendors_client_does_a_whole_job(service, sdk, files, tmp_path) -> None:
    async def job() -> tuple[Any, dict[str, str | None]]:
        async with sdk.TripoClient(service.key, v3_base_url=service.url) as client:
            task_id = await client.image_to_model(files["front"], model_version="v3.1-20260211", face_limit=5000)
            running = await client.get_task(task_id)
            assert (running.status, running.output.model_url) == (sdk.TaskStatus.QUEUED, None)
            task = await client.wait_for_task(task_id, polling_interval=0.1, timeout=10)
            return task, await client.download_task_models(task, str(tmp_path))

    task, saved = asyncio.run(job())
    assert task.status == sdk.TaskStatus.SUCCESS
    assert (task.progress, task.credits_consumed, task.error_code) == (100, 30.0, None)
    assert Path(str(saved["model"])).read_bytes() == mesh()
    call = service.calls[task.task_id]
    assert call.photos == [PHOTOS["front"]]
    assert call.asked["face_limit"] == 5000


def test_the_vendors_client_sends_several_views(service, sdk, files) -> None:
    async def job() -> Any:
        async with sdk.TripoClient(service.key, v3_base_url=service.url) as client:
            task_id = await client.multiview_to_model([files["front"], None, files["back"]])
            return await client.wait_for_task(task_id, polling_interval=0.1, timeout=10)

    task = asyncio.run(job())
    assert (task.status, task.type) == (sdk.TaskStatus.SUCCESS, "multiview_to_model")
    assert service.calls[task.task_id].photos == [PHOTOS["front"], b"", PHOTOS["back"]]


def test_the_vendors_client_understands_refusals(service, sdk, files) -> None:
    service.behaviour.fails, service.behaviour.polls = True, 0
    service.failure = ("failed", 2008)

    async def code(client: Any, call: Callable[[Any], Any]) -> int:
        with pytest.raises(sdk.TripoAPIError) as raised:
            await call(client)
        return int(raised.value.code)

    async def job() -> list[int]:
        async with sdk.TripoClient("tsk_of-another-region", v3_base_url=service.url) as stranger:
            codes = [await code(stranger, lambda client: client.upload_file(files["front"]))]
        async with sdk.TripoClient(service.key, v3_base_url=service.url) as client:
            codes.append(await code(client, lambda client: client.image_to_model("file_unknown")))
            codes.append(await code(client, lambda client: client.get_task("unknown")))
            body = {"type": "image_to_model", "input": "data:image/png;base64,AA==", "model": "v3.1-20260211"}
            codes.append(await code(client, lambda client: client.create_task(body)))
            body = {"type": "image_to_model", "input": (await client.upload_file(files["front"]))["file_token"]}
            codes.append(await code(client, lambda client: client.create_task(body)))
            service.most_running = 0
            codes.append(await code(client, lambda client: client.image_to_model(files["front"])))
            service.most_running = 10
            task = await client.get_task(await client.image_to_model(files["front"]))
            assert task.status == sdk.TaskStatus.FAILED
            return [*codes, task.error_code]

    assert asyncio.run(job()) == [1002, 1004, 2001, 1004, 1004, 2000, 2008]
