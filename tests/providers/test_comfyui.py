"""What is particular about ComfyUI: the operator's workflow and its marks, two queues, and files that stay."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from generation.exchange import NotThere
from generation.models import Job
from generation.options import JobOptions
from generation.provider import (
    Brief,
    Declined,
    Erased,
    Failed,
    Finished,
    Misconfigured,
    Pending,
    ProviderError,
    Remote,
    Unclear,
)
from generation.providers.comfyui import ComfyUI
from sandbox.providers.comfyui import ComfyUISimulator
from sandbox.providers.simulator import Answer
from tests.generation.conftest import mesh
from tests.providers.conftest import cut_out
from tests.providers.stand_comfyui import SAMPLE, STANDS
from tests.providers.test_contract import view_of

COLOURS = {"front": (180, 60, 40), "left": (60, 180, 40), "back": (40, 60, 180), "right": (160, 160, 30)}
Graph = dict[str, Any]


@pytest.fixture
def running() -> Iterator[ComfyUISimulator]:
    with ComfyUISimulator() as simulator:
        simulator.behaviour.mesh = mesh()
        yield simulator


def at(running: ComfyUISimulator, workflow: object = SAMPLE) -> ComfyUI:
    return ComfyUI(httpx.Client(), {"COMFYUI_URL": running.url, "COMFYUI_WORKFLOW": str(workflow)})


def submit(
    provider: ComfyUI, *views: str, quality: str = "standard", options: JobOptions | None = None, size: float = 1.0
) -> Remote:
    images = {view: cut_out(COLOURS[view]) for view in views or ("front",)}
    remote = provider.submit(Brief(images=images, options=options or JobOptions(), quality=quality, key="of-the-job"))
    assert isinstance(remote, Remote)
    return remote


def finished(provider: ComfyUI, remote: Remote) -> Remote:
    while isinstance(said := provider.poll(remote), Pending):
        remote = replace(remote, polls=remote.polls + 1)
    assert isinstance(said, Finished)
    return remote


def graph_of(running: ComfyUISimulator) -> Graph:
    """The graph of the last call."""
    graph: Graph = list(running.calls.values())[-1].asked["graph"]
    return graph


def workflow(folder: Path, change: Mapping[str, Any], name: str = "workflow.json") -> Path:
    """The workflow of the documentation with some of its nodes replaced, as a file."""
    nodes: Graph = json.loads(SAMPLE.read_text())
    nodes.update(change)
    path = folder / name
    path.write_text(json.dumps(nodes))
    return path


@pytest.fixture
def several(tmp_path) -> Path:
    """A workflow for four views, with a mark for triangles."""
    change: Graph = {
        "6": {
            "class_type": "Hunyuan3Dv2ConditioningMultiView",
            "inputs": {"front": ["13", 0], **{view: [f"of {view}", 0] for view in ("left", "back", "right")}},
        },
        "9b": {"class_type": "DecimateMesh", "inputs": {"mesh": ["9", 0], "triangles": "{{triangles}}"}},
        "10": {"class_type": "SaveGLB", "inputs": {"mesh": ["9b", 0], "filename_prefix": "{{prefix}}"}},
    }
    for view in ("left", "back", "right"):
        encoder = {"clip_vision": ["1", 1], "image": [view, 0], "crop": "center"}
        change[view] = {"class_type": "LoadImage", "inputs": {"image": f"{{{{image:{view}}}}}"}}
        change[f"of {view}"] = {"class_type": "CLIPVisionEncode", "inputs": encoder}
    return workflow(tmp_path, change)


def test_each_quality_is_another(running) -> None:
    asked = []
    for quality in ComfyUI.card.credits:
        submit(at(running), quality=quality)
        graph = graph_of(running)
        asked.append((graph["7"]["inputs"]["steps"], graph["8"]["inputs"]["octree_resolution"]))
    assert asked == sorted(set(asked))
    assert len(asked) == 3


def test_a_call_gets_names_and_numbers_that_nobody_else_has(running) -> None:
    provider = at(running)
    first, second = submit(provider), submit(provider)
    graphs = [call.asked["graph"] for call in running.calls.values()]
    for node, name in (("2", "image"), ("7", "seed"), ("10", "filename_prefix")):
        values = [graph[node]["inputs"][name] for graph in graphs]
        assert values[0] != values[1], (node, name)
    assert first.id != second.id
    assert not any(b"of-the-job" in request.body for request in running.requests)
    for remote in (first, second):
        assert b"".join(provider.fetch(finished(provider, remote))) == running.behaviour.mesh
    assert len(running.made) == 2


def test_the_photo_lies_whole_in_a_square_on_a_plain_ground(running) -> None:
    """The server crops what it gets to a square, and does not lay transparent pixels on anything."""
    submit(at(running))
    (call,) = running.calls.values()
    with Image.open(io.BytesIO(call.photos[0])) as picture:
        assert (picture.format, picture.mode) == ("JPEG", "RGB")
        assert picture.width == picture.height
        pixels = np.asarray(picture).astype(int)
    thing = (pixels.min(axis=2) < 200).nonzero()
    assert pixels[0, 0].min() > 250
    width, height = thing[1].max() - thing[1].min() + 1, thing[0].max() - thing[0].min() + 1
    assert width / pixels.shape[1] == pytest.approx(0.85, abs=0.02)
    assert width / height == pytest.approx(261 / 221, abs=0.03)


@pytest.mark.parametrize(
    "views", [("front",), ("front", "back"), ("front", "right"), ("front", "left", "back", "right")]
)
def test_views_that_are_not_there_leave_no_trace_in_the_graph(running, several, views) -> None:
    provider = at(running, several)
    remote = submit(provider, *views)
    (call,) = running.calls.values()
    assert [view_of(photo) for photo in call.photos if photo] == list(views)
    graph = graph_of(running)
    assert set(graph["6"]["inputs"]) == set(views)
    assert len([node for node in graph.values() if node["class_type"] == "LoadImage"]) == len(views)
    assert "{{" not in json.dumps(graph)
    assert b"".join(provider.fetch(finished(provider, remote))) == running.behaviour.mesh


def test_a_node_that_takes_several_photos_itself(tmp_path) -> None:
    """One that is not there is left out of its inputs, and so is nothing that only looks like a link."""
    both = {"class_type": "Both", "inputs": {"a": "{{image}}", "b": "{{image:back}}", "size": [2, 3], "of": ["no", 0]}}
    path = workflow(tmp_path, {"2": both})
    sent: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.read())
        return httpx.Response(200, json={"prompt_id": "p"})

    provider = ComfyUI(
        httpx.Client(transport=httpx.MockTransport(answer)),
        {"COMFYUI_URL": "http://server", "COMFYUI_WORKFLOW": str(path)},
    )
    for views, taken in ((("front",), {"a", "size", "of"}), (("front", "back"), {"a", "b", "size", "of"})):
        submit(provider, *views)
        assert set(json.loads(sent[-1])["prompt"]["2"]["inputs"]) == taken


def test_the_marked_number_of_triangles(running, several) -> None:
    submit(at(running, several))
    by_quality = graph_of(running)["9b"]["inputs"]["triangles"]
    submit(at(running, several), options=JobOptions(target_triangles=5000))
    assert graph_of(running)["9b"]["inputs"]["triangles"] == 5000 != by_quality


def test_what_the_workflow_has_no_place_for_is_declined_before_anything_is_sent(running) -> None:
    with pytest.raises(Declined):
        submit(at(running), "front", "back")
    with pytest.raises(Declined):
        submit(at(running), options=JobOptions(target_triangles=5000))
    assert running.requests == []


def test_the_card_is_fitted_to_the_workflow(running, several, tmp_path) -> None:
    card = ComfyUI.card
    assert at(running).fitted(card).views == {"front"}
    fitted = at(running, several).fitted(card)
    assert fitted.views == {"front", "left", "back", "right"}
    assert fitted.options == {"target_triangles"}
    assert at(running).fitted(card).options == card.options == frozenset()
    assert at(running, tmp_path / "none.json").fitted(card) is card


UNUSABLE = {
    "missing": None,
    "no JSON": "not json",
    "too deep": "[" * 100_000,
    "no text": b"\xff\xfe\x00",
    "a list": "[]",
    "empty": "{}",
    "of the page": json.dumps({"nodes": [], "links": [], "extra": "{{image}}"}),
    "no class": json.dumps({"1": {"inputs": {"image": "{{image}}"}}}),
    "no mark": SAMPLE.read_text().replace("{{image}}", "photo.png"),
    "unknown mark": SAMPLE.read_text().replace("{{seed}}", "{{sede}}"),
}


@pytest.mark.parametrize("said", UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_workflow_is_the_operators_to_mend(running, tmp_path, caplog, said) -> None:
    path = tmp_path / "workflow.json"
    if said is not None:
        path.write_bytes(said if isinstance(said, bytes) else said.encode())
    with caplog.at_level(logging.ERROR), pytest.raises(Misconfigured):
        submit(at(running, path))
    assert running.requests == []
    assert "COMFYUI_WORKFLOW" in caplog.text
    assert str(tmp_path) not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_an_unusable_workflow_takes_the_provider_out_until_it_is_mended(
    start, job_for, run, settings, tmp_path
) -> None:
    (stand,) = STANDS
    running = start(stand)
    path = tmp_path / "workflow.json"
    settings.PROVIDER_ENVIRONMENT = {**stand.setup(running), "COMFYUI_WORKFLOW": str(path)}
    job = run(job_for("comfyui"), steps=6, ends=False)
    assert (job.outcome, job.waiting) == ("", "providers_down")
    assert job.attempts.get(number=1).failure == "provider_misconfigured"
    assert running.requests == []
    settings.PROVIDER_ENVIRONMENT = dict(stand.setup(running))
    assert run(job).outcome == Job.Outcome.DONE


@pytest.mark.django_db(transaction=True)
def test_a_job_with_all_that_the_workflow_has_a_place_for(start, job_for, run, settings, several) -> None:
    (stand,) = STANDS
    running = start(stand)
    settings.PROVIDER_ENVIRONMENT = {**stand.setup(running), "COMFYUI_WORKFLOW": str(several)}
    job = run(job_for("comfyui", views=("front", "back"), options=JobOptions(target_triangles=5000)))
    assert job.outcome == Job.Outcome.DONE
    (call,) = running.calls.values()
    assert [view_of(photo) for photo in call.photos if photo] == ["front", "back"]
    assert graph_of(running)["9b"]["inputs"]["triangles"] == 5000


def served(*answers: Mapping[str, object] | int) -> ComfyUI:
    """A provider whose server gives these answers, one after the other."""
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        said = left.pop(0)
        return httpx.Response(said) if isinstance(said, int) else httpx.Response(200, json=said)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    return ComfyUI(http, {"COMFYUI_URL": "http://server", "COMFYUI_WORKFLOW": str(SAMPLE)})


NO_ONE: Graph = {"queue_running": [], "queue_pending": []}
GLB = {"filename": "a_00001_.glb", "subfolder": "x", "type": "output"}


def entry(outputs: object, status: object = "success") -> Graph:
    return {"p": {"outputs": outputs, "status": {"status_str": status}}}


def test_a_call_that_ends_between_two_questions_is_not_lost() -> None:
    done = entry({"10": {"3d": [GLB]}})
    assert isinstance(served({}, NO_ONE, done).poll(Remote("p")), Finished)
    assert served({}, NO_ONE, {}).poll(Remote("p")) == Failed("provider_lost")


def test_where_a_call_is() -> None:
    queued = [1, "p", {}, {}, []]
    waiting, works = (
        served({}, {**NO_ONE, name: [[0, "another", {}, {}, []], queued]}).poll(Remote("p"))
        for name in ("queue_pending", "queue_running")
    )
    assert isinstance(waiting, Pending)
    assert isinstance(works, Pending)
    assert (waiting.percent, works.percent) == (0, 30)
    assert served({}, {**NO_ONE, "queue_pending": [[0, "another"], "p", 7]}, {}).poll(Remote("p")) == Failed(
        "provider_lost"
    )
    assert isinstance(served({}, {"queue_pending": "x" * 5_000_000}).poll(Remote("p")), Pending)


@pytest.mark.parametrize(
    "outputs",
    [
        {"10": {"3d": [GLB]}},
        {"4": {"result": {"glb": GLB}}},
        {"2": {"images": [{"filename": "a.png", "subfolder": "", "type": "temp"}]}, "5": {"any": [[{"x": GLB}], 3]}},
        {"1": {"3d": [{**GLB, "filename": "bare.glb"}]}, "2": {"3d": [GLB]}},
    ],
)
def test_the_last_mesh_is_found_wherever_it_is(outputs) -> None:
    assert isinstance(served(entry(outputs)).poll(Remote("p")), Finished)
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(200, json=entry(outputs)) if "history" in request.url.path else httpx.Response(200)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    provider = ComfyUI(http, {"COMFYUI_URL": "http://server", "COMFYUI_WORKFLOW": ""})
    assert b"".join(provider.fetch(Remote("p"))) == b""
    assert dict(asked[-1].params) == GLB


@pytest.mark.parametrize(
    "said",
    [
        entry({}),
        entry({"10": {"3d": [GLB]}}, "error"),
        entry({"10": {"3d": [{**GLB, "filename": "a.obj"}]}}),
        entry({"10": {"3d": [{**GLB, "type": "input"}]}}),
        entry(None),
    ],
)
def test_a_call_without_a_mesh_has_failed(said) -> None:
    assert served(said).poll(Remote("p")) == Failed("provider_failed")


def test_a_server_started_anew_knows_no_calls(running) -> None:
    provider = at(running)
    remote = finished(provider, submit(provider))
    running.restart()
    assert provider.poll(remote) == Failed("provider_lost")
    with pytest.raises(NotThere):
        list(provider.fetch(remote))


def blank(file: bytes) -> bool:
    with Image.open(io.BytesIO(file)) as picture:
        return picture.size == (1, 1)


def test_erasing_writes_over_everything_that_shows_the_photo(running, tmp_path) -> None:
    """Its upload, what a preview made of it, and the mesh; the server itself deletes nothing."""
    preview = {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}}
    provider = at(running, workflow(tmp_path, {"11": preview}))
    remote = finished(provider, submit(provider))
    assert len(running.kept) == 2
    assert not any(blank(file) for file in running.kept.values())
    for _ in range(2):
        assert provider.erase(remote).result == Erased.SWEPT
    assert {kind for kind, _, _ in running.kept} == {"input", "temp", "output"}
    assert all(blank(file) for file in running.kept.values())
    assert set(running.made) <= set(running.kept)
    assert provider.poll(remote) == Failed("provider_lost")


def test_a_waiting_call_is_taken_out_and_nothing_is_interrupted(running) -> None:
    running.behaviour.polls = 10**6
    provider = at(running)
    first, second = submit(provider), submit(provider)
    provider.poll(first)
    provider.poll(first)
    provider.erase(second)
    assert not any(request.path == "/interrupt" for request in running.requests)
    assert provider.poll(second) == Failed("provider_lost")
    assert isinstance(provider.poll(first), Pending)


def test_a_running_call_is_interrupted_by_its_name(running) -> None:
    running.behaviour.polls = 10**6
    provider = at(running)
    first, second = submit(provider), submit(provider)
    provider.poll(first)
    provider.poll(first)
    provider.erase(first)
    (interrupt,) = [request for request in running.requests if request.path == "/interrupt"]
    assert interrupt.json() == {"prompt_id": first.id}
    assert running.stopped_all == 0
    assert running.calls[first.id].cancelled
    assert not running.calls[second.id].cancelled
    assert provider.poll(first) == Failed("provider_lost")


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        (Answer(400, {"error": {}}), Declined),
        (Answer(200, b"<html>"), Unclear),
        (Answer(500, b"oops"), Unclear),
        (Answer(hang_up=True), Unclear),
        (Answer(200, {"number": 1}), Unclear),
        (Answer(403), Unclear),
    ],
)
def test_a_call_that_did_not_come_about_leaves_no_photo(running, fault, raised) -> None:
    running.fail("create", fault)
    with pytest.raises(raised):
        submit(at(running))
    assert [*map(blank, running.kept.values())] == [True]


def test_a_call_whose_answer_was_lost_is_taken_out_of_the_queue(running) -> None:
    """It was asked for under a name of our own."""
    running.behaviour.polls = 10**6
    take = running.prompt

    def lost(request: Any) -> Answer:
        take(request)
        return Answer(hang_up=True)

    running.fail("create", lost)
    with pytest.raises(Unclear):
        submit(at(running))
    assert len(running.calls) == 1
    assert running.queue(running.requests[-1]) == NO_ONE


def test_a_checkpoint_that_is_not_installed(running, tmp_path) -> None:
    loader = {"class_type": "ImageOnlyCheckpointLoader", "inputs": {"ckpt_name": "another.safetensors"}}
    with pytest.raises(Declined):
        submit(at(running, workflow(tmp_path, {"1": loader})))
    assert not running.calls


def test_an_upload_that_is_refused() -> None:
    with pytest.raises(Declined):
        submit(served(413, 413))
    with pytest.raises(ProviderError):
        submit(served(503, 503))


# What the sheet says of the real server, and our adapter never sees.


def test_stand_in_files_of_one_name(running) -> None:
    names = [
        httpx.post(f"{running.url}/upload/image", files={"image": ("a.png", body)}, data=more).json()["name"]
        for body, more in (
            (b"one", {}), (b"two", {}), (b"one", {}), (b"three", {"overwrite": "true"}), (b"x", {"subfolder": "mm"}),
        )
    ]  # fmt: skip
    assert names == ["a.png", "a (1).png", "a.png", "a.png", "a.png"]
    assert running.kept["input", "", "a.png"] == b"three"
    assert httpx.post(f"{running.url}/upload/image", data={"x": "y"}).status_code == 400


def test_stand_in_an_equal_graph_gets_the_old_file_at_once(running) -> None:
    provider = at(running)
    first = finished(provider, submit(provider))
    again = httpx.post(f"{running.url}/api/prompt", json={"prompt": graph_of(running)}).json()["prompt_id"]
    old, new = (httpx.get(f"{running.url}/history/{id}").json()[id]["outputs"] for id in (first.id, again))
    assert old == new


def test_stand_in_files_outlive_the_history(running) -> None:
    provider = at(running)
    remote = finished(provider, submit(provider))
    (file,) = running.made
    assert httpx.post(f"{running.url}/history", json={"clear": True}).status_code == 200
    assert httpx.get(f"{running.url}/history/{remote.id}").json() == {}
    wanted = {"type": file[0], "subfolder": file[1], "filename": file[2]}
    assert httpx.get(f"{running.url}/view", params=wanted).content == running.behaviour.mesh
    assert httpx.get(f"{running.url}/view", params={**wanted, "subfolder": "../x"}).status_code == 403


def test_stand_in_an_empty_interrupt_stops_whatever_runs(running) -> None:
    running.behaviour.polls = 10**6
    provider = at(running)
    remote = submit(provider)
    provider.poll(remote)
    provider.poll(remote)
    httpx.post(f"{running.url}/interrupt", json={})
    assert running.stopped_all == 1
    assert provider.poll(remote) == Failed("provider_failed")


@pytest.mark.parametrize(
    ("node", "name", "value", "type"),
    [
        ("7", "steps", 0, "value_smaller_than_min"),
        ("8", "octree_resolution", 1024, "value_bigger_than_max"),
        ("1", "ckpt_name", "none", "value_not_in_list"),
        ("2", "image", "mm/none.png", "custom_validation_failed"),
        ("9", "voxel", ["99", 0], "required_input_missing"),
        ("13", "clip_vision", ["1", 3], "return_type_mismatch"),
    ],
)
def test_stand_in_a_graph_that_will_not_do(running, node, name, value, type) -> None:
    submit(at(running))
    graph = json.loads(json.dumps(graph_of(running)))
    graph[node]["inputs"][name] = value
    answer = httpx.post(f"{running.url}/prompt", json={"prompt": graph})
    assert answer.status_code == 400
    (error,) = answer.json()["node_errors"][node]["errors"]
    assert error["type"] == type


def test_stand_in_pages_of_other_sites(running) -> None:
    assert httpx.get(f"{running.url}/queue", headers={"Origin": "http://elsewhere"}).status_code == 403
