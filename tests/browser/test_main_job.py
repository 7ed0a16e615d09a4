"""The main job as a person does it: a photo goes in, a 3D model comes out, and nothing is left."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import redis
import trimesh
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import SEND, Watched
from tests.generation.khronos import errors
from tests.stack import RunningSite, launch_ready

pytestmark = [pytest.mark.browser, pytest.mark.stack]
ROOT = Path(__file__).resolve().parents[2]


def sign_in(page: Page, site: RunningSite, address: str) -> None:
    """Follow a one-time link as a person would."""
    page.goto(address)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{site.url}/create")


def until(condition, seconds: float = 60.0, every: float = 0.1) -> None:
    """Wait without evaluating code in the page, which its content policy forbids."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(every)


def left_behind(site: RunningSite) -> list[str]:
    """Blobs, keys and temporary files that exist now."""
    found = [str(path) for path in (site.state / "blobs").rglob("*") if path.is_file()]
    keys = redis.Redis(unix_socket_path=str(next(site.state.rglob("keystore.sock"))))
    return found + [repr(key) for key in keys.keys("*")]


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[RunningSite]:
    """A site where nobody has made anything yet."""
    running = launch_ready(tmp_path / "var", LOG_HEAD_MINUTES="0.05")
    yield running
    running.drop()


def test_photo_in_model_out_nothing_left(watched: Watched, fresh: RunningSite, tmp_path: Path) -> None:
    photo = ROOT / "static" / "samples" / "mug.jpg"
    site, page = fresh, watched.page
    sign_in(page, site, site.link)

    page.locator("#id_photo").set_input_files(photo)
    expect(page.locator("#preview")).to_be_visible()
    page.locator(SEND).click()
    page.wait_for_url(f"{site.url}/jobs/*")
    job = page.url

    # Progress is seen: the page tells of work that is not done yet.
    expect(page.locator("#slip")).to_contain_text("Photo received")
    page.reload()
    expect(page.locator("#slip")).to_contain_text("Photo received")

    # The viewer shows it.
    viewer = page.locator(".viewer-canvas")
    expect(viewer).to_be_visible()
    until(lambda: colours(viewer.screenshot()) > 500, every=0.5)  # to take a picture is work

    # It is saved from memory, and is what it says.
    expect(page.locator("#save")).to_be_enabled()
    with page.expect_download() as download:
        page.locator("#save").click()
    saved = tmp_path / "model.glb"
    download.value.save_as(saved)
    assert errors(saved.read_bytes()) == []
    (mesh,) = trimesh.load_scene(saved).geometry.values()
    mesh.merge_vertices(merge_tex=True, merge_norm=True)
    assert mesh.is_watertight
    assert mesh.visual.material.baseColorTexture.size[0] >= 512

    # It was destroyed here, with a receipt that holds.
    expect(page.get_by_role("heading", level=1)).to_contain_text("We no longer have it")
    until(lambda: left_behind(site) == [])
    until(lambda: "head" in page.request.get(f"{job}/receipt").json().get("log", {}))
    receipt = json.loads(page.request.get(f"{job}/receipt").text())
    assert {item["kind"] for item in receipt["receipt"]["destroyed"]} == {"upload", "source", "raw_mesh", "asset"}
    page.goto(f"{site.url}/verify")
    page.locator("#id_document").fill(json.dumps(receipt))
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("holds")
    expect(page.locator(".checks")).to_contain_text("It is entry 1 of 1 in the public log.")
    assert page.locator(".checks .failed, .checks .open").count() == 0

    # And its page says so; without scripts, the server checks it.
    page.goto(job)
    expect(page.locator("#in-log")).to_contain_text("Entry 1 in the public log")
    page.locator("#slip").get_by_role("button", name="Check it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("holds")
    expect(page.locator("#verdict")).to_contain_text("Checked on our server.")

    # History shows it, as metadata.
    page.goto(f"{site.url}/history")
    expect(page.locator("main")).to_contain_text("done")
    assert photo.stem not in page.content()
    assert page.request.get(f"{job}/asset").status == 404

    assert watched.off_origin(site.url) == []
    assert watched.complaints == []


def colours(png: bytes) -> int:
    """How many different colours a screenshot has; an empty stage has its ground's few shades."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).reshape(-1, 3)
    vivid = pixels[np.ptp(pixels.astype(int), axis=1) > 24]
    return len(np.unique(vivid @ (65536, 256, 1)))


def test_content_policy_allows_nothing_inline(site: RunningSite, context) -> None:
    answer = context.request.get(f"{site.url}/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "'unsafe-eval'" not in policy


def test_receipt_with_a_changed_byte_is_refused(site: RunningSite, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{site.url}/verify")
    page.locator("#id_document").fill(json.dumps({"receipt": {"format": "modelmyimage-receipt/1"}, "signature": {}}))
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("does not hold")
