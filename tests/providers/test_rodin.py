"""What is particular about Rodin: one form, several jobs, errors at a status of success, lists without the GLB."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from generation import pictures
from generation.options import JobOptions
from generation.provider import (
    Brief,
    Declined,
    Erased,
    Failed,
    Finished,
    Misconfigured,
    Pending,
    Remote,
    Unavailable,
    Unclear,
)
from generation.providers.rodin import Rodin
from sandbox.providers.rodin import RodinSimulator, answered
from sandbox.providers.simulator import Answer
from tests.generation.conftest import mesh
from tests.providers.conftest import cut_out

COLOURS = {"front": (180, 60, 40), "left": (60, 180, 40), "back": (40, 60, 180), "right": (160, 160, 30)}
PHOTOS = {view: cut_out(colour) for view, colour in COLOURS.items()}
FRONT = {"front": PHOTOS["front"]}
ALWAYS = {
    "mesh_mode": "Raw",
    "geometry_file_format": "glb",
    "use_original_alpha": "true",
    "preview_render": "false",
}


@pytest.fixture
def service() -> Iterator[RodinSimulator]:
    with RodinSimulator() as running:
        assert isinstance(running, RodinSimulator)
        running.behaviour.mesh = mesh()
        yield running


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


@pytest.fixture
def rodin(service: RodinSimulator, http: httpx.Client) -> Rodin:
    """The provider, pointed at the stand-in."""
    return Rodin(http, {"RODIN_API_KEY": service.key, "RODIN_URL": service.url})


def submit(
    rodin: Rodin, images: dict[str, bytes] = FRONT, quality: str = "standard", options: JobOptions | None = None
) -> Remote:
    answer = rodin.submit(Brief(images=images, options=options or JobOptions(), quality=quality, key="k"))
    assert isinstance(answer, Remote)
    return answer


def finished(rodin: Rodin) -> Remote:
    """A task that is done."""
    remote = submit(rodin)
    while not isinstance(rodin.poll(remote), Finished):
        pass
    return remote


def jobs(*states: Any) -> Answer:
    return answered(error="OK", jobs=[{"uuid": str(at), "status": state} for at, state in enumerate(states)])


@pytest.mark.parametrize(
    ("quality", "options", "expected"),
    [
        ("draft", JobOptions(), {"tier": "Gen-2.5-Extreme-Low", "quality_override": "10000", "material": "PBR"}),
        ("standard", JobOptions(), {"tier": "Gen-2.5-Medium", "quality_override": "40000", "material": "PBR"}),
        ("high", JobOptions(), {"tier": "Gen-2.5-High", "quality_override": "120000", "material": "PBR"}),
        (
            "high",
            JobOptions(texture=False, target_triangles=500),
            {"tier": "Gen-2.5-High", "quality_override": "500", "material": "None"},
        ),
        (
            "draft",
            JobOptions(target_triangles=300_000),
            {"tier": "Gen-2.5-Extreme-Low", "quality_override": "300000", "material": "PBR"},
        ),
    ],
)
def test_what_is_asked_for(service, rodin, quality, options, expected) -> None:
    remote = submit(rodin, quality=quality, options=options)
    call = service.calls[remote.id]
    assert call.asked == ALWAYS | expected
    assert call.photos == [pictures.png(PHOTOS["front"])]
    (request,) = service.requests
    assert b'filename="1.png"' in request.body


@pytest.mark.parametrize("views", [("front", "back"), ("front", "left", "back", "right")])
def test_several_views_are_one_object(service, rodin, views) -> None:
    remote = submit(rodin, {view: PHOTOS[view] for view in views})
    call = service.calls[remote.id]
    assert call.photos == [pictures.png(PHOTOS[view]) for view in views]
    assert call.asked["condition_mode"] == "concat"


def test_without_an_address_the_vendors_host_is_asked(http) -> None:
    rodin = Rodin(http, {"RODIN_API_KEY": "x"})
    assert rodin.api.base == "https://api.hyper3d.com/"
    assert "api.hyper3d.com" in rodin.card.hosts


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("API_INSUFFICIENT_FUNDS", Misconfigured),
        ("API_NO_ACTIVE_SUBSCRIPTION", Misconfigured),
        ("API_PARALLELISM_LIMIT_REACHED", Unavailable),
        ("IMAGE_CONTENT_VIOLATION", Declined),
        ("API_OBJECT_NOT_FOUND_ON_IMAGE", Declined),
        ("INVALID_REQUEST", Declined),
        ("SOMETHING_NEW", Unclear),
        ("OK", Unclear),
    ],
)
def test_errors_at_a_status_of_success(service, rodin, error, expected) -> None:
    service.error = error
    with pytest.raises(expected) as raised:
        submit(rodin)
    assert len(service.requests) == 1
    if expected is Unavailable:
        assert (raised.value.wait, raised.value.throttled) == (30.0, True)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(201, {"uuid": "11aa", "error": None}), Unclear),
        (Answer(201, {"uuid": "11aa", "jobs": {"subscription_key": None}, "error": "API_INSUFFICIENT_FUNDS"}), Unclear),
        (Answer(201, {"jobs": {"subscription_key": "ey"}}), Unclear),
        (Answer(201, {}), Unclear),
        (Answer(500, {"error": "INTERNAL"}), Unclear),
        (Answer(402, {"error": "API_INSUFFICIENT_FUNDS"}), Misconfigured),
        (Answer(400, {"error": "INVALID_REQUEST"}), Declined),
    ],
)
def test_answers_to_the_call_that_costs_money(service, rodin, answer, expected) -> None:
    service.fail("create", answer)
    with pytest.raises(expected):
        submit(rodin)
    assert len(service.requests) == 1


def test_an_error_that_is_a_word_beside_an_id_is_no_refusal(service, rodin) -> None:
    service.fail("create", answered(error="OK", uuid="11aa", jobs={"uuids": ["j"], "subscription_key": "ey1"}))
    assert submit(rodin) == Remote("11aa", {"subscription": "ey1"})


def test_no_subscription(service, rodin) -> None:
    service.subscribed = False
    with pytest.raises(Misconfigured):
        submit(rodin)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (jobs("Done", "Done"), Finished()),
        (jobs("Done"), Finished()),
        (jobs("Waiting", "Waiting"), Pending(0, 5.0)),
        (jobs("Done", "Generating"), Pending(50, 5.0)),
        (jobs("Done", "Done", "Waiting"), Pending(66, 5.0)),
        (jobs("Done", "Failed"), Failed()),
        (jobs("Generating", "Failed"), Failed()),
        (jobs("Done", "Canceled"), Failed()),
        (jobs("Done", "SomethingNew"), Pending(50, 5.0)),
        (jobs("Done", None), Pending(50, 5.0)),
        (jobs(), Pending(0, 5.0)),
        (answered(error="OK", jobs=["Done"]), Pending(0, 5.0)),
        (answered(error="OK", jobs={"status": "Done"}), Pending(0, 5.0)),
        (answered(error="OK"), Pending(0, 5.0)),
        (answered(error="NO_SUCH_TASK"), Failed("provider_lost")),
        (Answer(404, {"error": "NO_SUCH_TASK"}), Failed("provider_lost")),
    ],
)
def test_states(service, rodin, answer, expected) -> None:
    remote = submit(rodin)
    service.fail("poll", answer)
    assert rodin.poll(remote) == expected


def test_jobs_end_at_different_times(service, rodin) -> None:
    service.behaviour.polls = 4
    remote = submit(rodin)
    seen = [rodin.poll(remote) for _ in range(5)]
    assert [answer.percent for answer in seen[:4]] == [0, 0, 50, 50]
    assert seen[4] == Finished()
    assert {request.json()["subscription_key"] for request in service.requests[1:]} == {remote.extra["subscription"]}


def test_waits_grow(service, rodin) -> None:
    service.behaviour.polls = 99
    remote = submit(rodin)
    waits = [rodin.poll(Remote(remote.id, remote.extra, polls)).wait for polls in range(6)]
    assert waits == [5, 7.5, 11.25, 16.875, 25.3125, 30]


def test_a_list_without_the_glb_is_asked_for_again(service, rodin) -> None:
    service.lists_without_glb = 2
    remote = finished(rodin)
    for _ in range(2):
        with pytest.raises(Unavailable):
            b"".join(rodin.fetch(remote))
    assert b"".join(rodin.fetch(remote)) == mesh()
    asked = [request.json() for request in service.requests if request.path == "/api/v2/download"]
    assert asked == [{"task_uuid": remote.id}] * 3


def test_the_first_glb_with_a_link_is_taken(service, rodin) -> None:
    remote = finished(rodin)
    link = f"{service.files}/pack/{remote.id}/base_basic_pbr.glb?X-Tos-Expires={time.time() + 60}"
    files = [None, {"name": "preview.webp", "url": "x"}, {"name": "a.glb"}, {"name": "B.GLB", "url": link}]
    service.fail("poll", answered(error="OK", list=files))
    assert b"".join(rodin.fetch(remote)) == mesh()


def test_a_link_that_died_is_asked_for_anew_and_never_sees_the_key(service, rodin) -> None:
    service.lists_without_glb = 0
    remote = finished(rodin)
    service.link_seconds = -1
    with pytest.raises(Unavailable):
        b"".join(rodin.fetch(remote))
    service.link_seconds = 600
    assert b"".join(rodin.fetch(remote)) == mesh()
    downloads = [request for request in service.requests if request.path.startswith("/pack/")]
    assert len(downloads) == 2
    assert not any("authorization" in request.headers for request in downloads)


def test_nothing_can_be_erased_and_nothing_is_asked(service, rodin) -> None:
    remote = submit(rodin)
    before = len(service.requests)
    assert rodin.erase(remote).result == Erased.UNSUPPORTED
    assert len(service.requests) == before
    assert rodin.card.keeps is None
    assert not rodin.card.can_erase


def test_the_stand_in_takes_what_the_service_takes(service, http) -> None:
    def form(fields: dict[str, str], parts: int) -> int:
        files = [("images", ("x.png", PHOTOS["front"], "image/png"))] * parts
        key = {"Authorization": f"Bearer {service.key}"}
        answer = http.post(f"{service.url}/api/v2/rodin", headers=key, data=fields, files=files or None)
        return int(answer.status_code)

    assert form({}, 1) == 201
    (call,) = service.calls.values()
    assert (call.asked["tier"], call.asked["mesh_mode"]) == ("Regular", "Quad")
    assert form({"tier": "Gen-2", "material": "All"}, 5) == 201
    for fields, parts in (
        ({}, 0),
        ({"images": "data:image/png;base64,AA=="}, 0),
        ({}, 6),
        ({"tier": "Gen-3"}, 1),
        ({"tier": "Gen-2", "material": "None"}, 1),
        ({"tier": "Gen-2.5-Low", "mesh_mode": "Raw", "quality_override": "499"}, 1),
        ({"tier": "Gen-2.5-Low", "mesh_mode": "Quad", "quality_override": "500000"}, 1),
        ({"use_original_alpha": "True"}, 1),
    ):
        assert form(fields, parts) == 400, fields
