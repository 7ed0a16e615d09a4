"""The viewer on a delivered job, by keyboard: each look, light and tool does what its name says, the photo beside it
stays on the device, hostile files and a lost graphics card end in a sentence."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import SEND, Watched, join
from tests.browser.cutout import CUT_OUT
from tests.browser.looks import objections
from tests.browser.test_exports import check_usdz, corners, painted
from tests.browser.test_main_job import colours, until
from tests.browser.test_other_ways import tab_to
from tests.stack import RunningSite

pytestmark = [pytest.mark.browser, pytest.mark.stack]
SAMPLE = Path(__file__).resolve().parents[2] / "static" / "samples" / "mug.jpg"
CLEARLY = 1.5
"""Mean difference of two crops, of 255, from which on they show something else."""

# A stand-in for a phone with WebXR: its owner says no at first, then yes; the floor is found a metre below. And the
# event by which other parts of the page get the file.
PREPARE = """
class Session extends EventTarget {
  enabledFeatures = ["hit-test", "dom-overlay"];
  renderState = {};
  inputSources = [];
  updateRenderState(state) { Object.assign(this.renderState, state); }
  async requestReferenceSpace(kind) { return { kind, getOffsetReferenceSpace() { return this; } }; }
  async requestHitTestSource() { return {}; }
  cancelAnimationFrame(id) { clearTimeout(id); }
  requestAnimationFrame(draw) {
    const floor = new Float32Array([1,0,0,0, 0,1,0,0, 0,0,1,0, 0,-1,-2,1]);
    const found = { getPose: () => ({ transform: { matrix: floor } }) };
    const frame = { getViewerPose: () => null, getHitTestResults: () => [found] };
    window.drawn = (window.drawn ?? 0) + 1;
    return setTimeout(() => draw(performance.now(), frame), 50);
  }
  async end() {
    if (this.over) throw new DOMException("over", "InvalidStateError");
    this.over = true;
    this.dispatchEvent(new Event("end"));
  }
}
delete window.XRWebGLBinding;
window.XRWebGLLayer = class {
  framebuffer = null;
  framebufferWidth = 64;
  framebufferHeight = 64;
};
WebGL2RenderingContext.prototype.makeXRCompatible = async () => undefined;
window.asked = [];
Object.defineProperty(navigator, "xr", { value: {
  isSessionSupported: async (mode) => mode === "immersive-ar",
  requestSession: async (mode, { domOverlay, ...features }) => {
    window.asked.push([mode, features, domOverlay.root.hasAttribute("data-over-room")]);
    if (window.asked.length === 1) throw new DOMException("no", "NotAllowedError");
    return (window.session = new Session());
  },
} });
document.addEventListener("mmi:model", (event) => { window.given = event.detail; });
"""

# The same page on an iPhone: with Quick Look, which takes a link's address when the link is followed.
QUICK_LOOK = """async () => {
  const { panel, viewer } = await import(document.querySelector("#job").dataset.viewer);
  const stage = document.querySelector("#scene").cloneNode(true);
  stage.querySelector(".viewer").remove();
  document.querySelector("main").append(stage);
  const handle = viewer(given.blob, "x");
  stage.prepend(handle.element);
  const facts = await handle.ready;
  const [supports, click] = [DOMTokenList.prototype.supports, HTMLAnchorElement.prototype.click];
  DOMTokenList.prototype.supports = function (name) { return name === "ar" || supports.call(this, name); };
  const followed = new Promise((resolve) => { HTMLAnchorElement.prototype.click = function () { resolve(this); }; });
  const button = stage.querySelector('[data-command="room"]');
  button.closest("li").hidden = true;
  panel(handle, stage, facts);
  while (button.closest("li").hidden) await new Promise((done) => setTimeout(done, 20));
  button.click();
  const said = document.querySelector("#announce").textContent;
  const link = await followed;
  Object.assign(DOMTokenList.prototype, { supports });
  Object.assign(HTMLAnchorElement.prototype, { click });
  const file = await (await fetch(link.href)).blob();
  const url = await new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.readAsDataURL(file);
  });
  await new Promise((done) => setTimeout(done));
  const quiet = stage.querySelector("[data-room-said]").hidden;
  handle.dispose();
  stage.remove();
  const inside = [...link.children].map((one) => one.localName);
  return { said, quiet, rel: link.rel, name: link.download, inside, url };
}"""

KEEP_PHOTO = """(job) => new Promise((resolve, reject) => {
  const opening = indexedDB.open("mmi-incoming", 1);
  opening.onerror = reject;
  opening.onupgradeneeded = () => opening.result.createObjectStore("sent", { keyPath: "job" });
  opening.onsuccess = async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 40, height: 30 });
    canvas.getContext("2d").fillRect(0, 0, 40, 30);
    const photo = await new Promise((done) => canvas.toBlob(done));
    const change = opening.result.transaction("sent", "readwrite");
    change.objectStore("sent").put({ job, photo, made: Date.now() });
    change.oncomplete = () => { opening.result.close(); resolve(true); };
  };
})"""

HOLD_PHOTOS = """() => {
  const open = IDBFactory.prototype.open;
  IDBFactory.prototype.open = function (...asked) {
    IDBFactory.prototype.open = open;
    const late = {};
    window.letGo = () => new Promise((resolve) => {
      const found = indexedDB.open(...asked);
      found.onsuccess = () => { late.result = found.result; late.onsuccess(); resolve(); };
    });
    return late;
  };
}"""
"""Who asks next for what is kept waits for ``letGo``."""

NO_PHOTOS = """() => new Promise((resolve) => {
  const opening = indexedDB.open("mmi-incoming", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("sent", { keyPath: "job" });
  opening.onsuccess = () => {
    const change = opening.result.transaction("sent", "readwrite");
    change.objectStore("sent").clear();
    change.oncomplete = () => { opening.result.close(); resolve(); };
  };
})"""
"""The create page has handed on the one that was sent, if it came to that in time."""

GIVEN = """async () => {
  const bytes = new Uint8Array(await given.blob.arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}"""

# What other parts of the page ask of a viewer, which knows nothing of this page.
ELSEWHERE = """async () => {
  const { viewer } = await import(document.querySelector("#job").dataset.viewer);
  const code = async (file) => {
    const handle = viewer(new Blob([file]), "x");
    document.body.append(handle.element);
    return handle.ready.then(() => "shown", (error) => error.code);
  };
  const whole = await given.blob.arrayBuffer();
  const circle = new Uint8Array(whole.slice(0));
  circle.fill(32, 20, 20 + new DataView(whole).getUint32(12, true));
  circle.set(new TextEncoder().encode('{"nodes":[{"children":[0]}]}'), 20);
  const codes = [await code("junk"), await code(whole.slice(0, -9)), await code(circle)];
  const handle = viewer(given.blob, "x");
  document.querySelector("main").append(handle.element);
  await handle.ready;
  handle.setLook("clay");
  const shades = (turn) => {
    const frame = handle.frameAt(turn, 96, 64);
    return Array.from(frame.getContext("2d").getImageData(0, 0, 96, 64).data);
  };
  const frames = [shades(0), shades(0.25), shades(1)];
  let triangles = 0;
  let own = false;
  handle.scene().traverse((object) => {
    if (!object.isMesh) return;
    triangles += object.geometry.index.count / 3;
    own ||= Boolean(object.material.map);
  });
  handle.dispose();
  return { codes, frames, triangles, own, said: given.snapshot.asset.triangles, job: given.job };
}"""


def middle(page: Page) -> NDArray[np.float64]:
    """The middle of the picture, which no control and no label covers."""
    box = page.locator(".viewer-canvas").bounding_box()
    assert box
    width, height = box["width"] * 0.3, box["height"] * 0.35
    x, y = box["x"] + width * 7 / 6, box["y"] + height
    shot = page.screenshot(clip={"x": x, "y": y, "width": width, "height": height})
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"), np.float64)


def shown(glb: bytes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What a file made of that one must hold: its triangles' corners, and the colours that are painted on."""
    scene = trimesh.load_scene(io.BytesIO(glb), file_type="glb")
    return corners(scene), painted(scene.to_mesh())


def differs(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether two crops show something else."""
    return one.shape != other.shape or float(np.abs(one - other).mean()) > CLEARLY


def rested(page: Page) -> NDArray[np.float64]:
    """The middle, once it no longer changes."""
    seen = [middle(page)]

    def still() -> bool:
        seen.append(middle(page))
        return bool((seen[-1] == seen[-2]).all())

    until(still)
    return seen[-1]


def changed(page: Page, before: NDArray[np.float64], do: Callable[[], object]) -> NDArray[np.float64]:
    """The middle after something was done that must change it."""
    do()
    until(lambda: differs(middle(page), before))
    return rested(page)


def test_every_mode_by_keyboard(watched: Watched, site: RunningSite, tmp_path: Path) -> None:
    page = watched.page
    page.set_viewport_size({"width": 760, "height": 700})  # fewer pixels, all drawn without a graphics card
    page.add_init_script(PREPARE)
    join(page, site.url, "viewer@example.org")
    page.locator("#id_photo").set_input_files(CUT_OUT)
    page.locator(SEND).click()
    page.wait_for_url(f"{site.url}/jobs/*")
    expect(page.locator(".viewer.shown")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("We no longer have it")
    press, canvas, says = page.keyboard.press, page.locator(".viewer-canvas"), page.locator(".viewer > [role=status]")

    # Each look is another picture.
    tab_to(canvas)
    front = rested(page)
    looks = [front]
    for key in "2345":
        looks.append(changed(page, looks[-1], partial(press, key)))
    assert all(differs(one, other) for place, one in enumerate(looks) for other in looks[:place])
    assert colours(canvas.screenshot()) > 500
    expect(page.get_by_role("radio", name="UV")).to_be_checked()
    press("1")

    # Round it, nearer, and back; said in words.
    changed(page, front, lambda: (press("ArrowRight"), press("ArrowRight"), press("ArrowUp"), press("+")))
    expect(says).to_have_text("Seen from the front right, 29° from above, zoom 120 %.")
    press("0")
    expect(says).to_have_text("Seen from the front, 14° from above, zoom 100 %.")
    until(lambda: not differs(middle(page), front))

    # By itself, and no longer.
    press("r")
    expect(page.locator(".toolbar [data-command=turning]")).to_have_attribute("aria-pressed", "true")
    until(lambda: differs(middle(page), front))
    press("r")
    press("0")

    # Its measures, as labels and as words; every step is a button, too.
    press("?")
    expect(page.get_by_role("button", name="From lower")).to_be_visible()
    assert objections(page) == []
    page.get_by_role("button", name="M Measures").focus()
    press("Enter")
    expect(page.locator(".measure:visible")).to_have_count(3)
    expect(page.locator("#announce")).to_contain_text(" m high, ")
    press("Escape")
    expect(page.get_by_role("button", name="From lower")).to_be_hidden()

    # Another light; looks and lights are radio buttons.
    page.get_by_role("radio", name="Colour").focus()
    press("ArrowRight")
    clay = rested(page)
    tab_to(page.locator("[data-fold=lights] summary"))
    press("Enter")
    press("Tab")
    changed(page, clay, lambda: press("ArrowDown"))
    expect(page.get_by_role("radio", name="Daylight")).to_be_checked()
    press("Escape")

    # A picture of it, and the whole screen.
    page.get_by_role("button", name="Save a picture").focus()
    with page.expect_download() as saved:
        press("Enter")
    picture = Image.open(saved.value.path())
    assert (picture.format, max(picture.size)) == ("PNG", 2048)
    assert len(picture.convert("RGB").getcolors(2048 * 2048) or []) > 500
    page.get_by_role("button", name="See in room").focus()
    press("Enter")
    expect(page.locator("#announce")).to_contain_text("Allow the camera")
    expect(page.locator("[data-room-said]")).to_contain_text("Allow the camera")
    before = rested(page)
    press("Enter")
    expect(page.get_by_text("Point at the floor")).to_be_visible()
    expect(page.locator("[data-room-said]")).to_be_hidden()
    until(lambda: page.evaluate("window.drawn > 2"))
    features = {"requiredFeatures": ["hit-test"], "optionalFeatures": ["dom-overlay"]}
    assert page.evaluate("asked[1]") == ["immersive-ar", features, True]
    page.evaluate("session.dispatchEvent(new Event('select'))")
    page.evaluate("session.end()")
    expect(page.get_by_text("Point at the floor")).to_be_hidden()
    until(lambda: not differs(middle(page), before))
    full = page.get_by_role("button", name="Full screen")
    full.focus()
    press("Enter")
    expect(full).to_have_attribute("aria-pressed", "true")
    press("Enter")
    expect(full).to_have_attribute("aria-pressed", "false")

    # The photo beside it: chosen again, or from this device's own store. It is not sent.
    asked = len(watched.requests)
    page.evaluate(NO_PHOTOS)
    tab_to(page.locator(".toolbar [data-command=photo]"))
    press("Enter")
    expect(page.get_by_text("It is not sent")).to_be_visible()
    page.get_by_label("Choose the photo").set_input_files({"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"no"})
    expect(page.get_by_text("cannot show that file")).to_be_visible()
    page.get_by_label("Choose the photo").set_input_files(SAMPLE)
    expect(page.get_by_role("img", name="Your photo")).to_be_visible()
    assert objections(page) == []
    another = SAMPLE.with_name("boat.jpg")  # the same again would be no change
    chosen = Image.open(another).width
    beside = page.locator(".beside img")
    forget, natural = "(image) => image.removeAttribute('src')", "(image) => image.naturalWidth"
    press("Enter")
    beside.evaluate(forget)
    page.evaluate(KEEP_PHOTO, page.url.rsplit("/", 1)[1])
    press("Enter")
    until(lambda: beside.evaluate(natural) == 40)
    press("Enter")
    # One that is found late does not take the place of what was chosen meanwhile.
    beside.evaluate(forget)
    page.evaluate(HOLD_PHOTOS)
    press("Enter")
    page.get_by_label("Choose the photo").set_input_files(another)
    until(lambda: beside.evaluate(natural) == chosen)
    page.evaluate("letGo()")
    page.evaluate(NO_PHOTOS)  # its turn comes after that question's
    beside.evaluate("(image) => fetch(image.src).then((one) => one.blob()).then((one) => createImageBitmap(one))")
    assert beside.evaluate(natural) == chosen
    press("Enter")
    assert [url for url in watched.requests[asked:] if not url.startswith(("blob:", "data:"))] == []

    # Other parts of the page use it too: hostile files are refused by name, frames turn, the scene is as it came.
    found = page.evaluate(ELSEWHERE)
    assert found["codes"] == ["not-glb", "not-glb", "not-glb"]
    first, side, round_again = (np.array(frame, float) for frame in found["frames"])
    assert differs(first, side)
    assert not differs(first, round_again)
    assert found["triangles"] == found["said"]
    assert found["own"]

    # An iPhone gets the USDZ that is also saved, made here.
    asked = len(watched.requests)
    found = page.evaluate(QUICK_LOOK)
    assert (found["rel"], found["name"], found["inside"]) == ("ar", "model.usdz", ["img"])
    assert found["said"].startswith("Making the file")
    assert found["quiet"]
    assert found["url"].startswith("data:model/vnd.usdz+zip;base64,")
    usdz = tmp_path / "model.usdz"
    usdz.write_bytes(base64.b64decode(found["url"].partition(",")[2]))
    check_usdz(usdz, *shown(base64.b64decode(page.evaluate(GIVEN))))
    assert [url for url in watched.requests[asked:] if not url.startswith(("blob:", "data:", site.url))] == []

    # Narrow, where labels go, each control keeps its name; on a phone that lies on its side, each is on the screen.
    page.set_viewport_size({"width": 600, "height": 700})
    assert objections(page) == []
    for width, height in ((844, 390), (667, 375)):
        page.set_viewport_size({"width": width, "height": height})
        canvas.evaluate("() => document.querySelector('#scene').scrollIntoView({ block: 'start' })")
        for part in (page.get_by_role("button", name="See in room"), page.get_by_role("button", name="Save a picture")):
            expect(part).to_be_in_viewport(ratio=1)
    page.set_viewport_size({"width": 760, "height": 700})

    # The graphics card goes, and comes back.
    lose = "(canvas) => { window.card = canvas.getContext('webgl2').getExtension('WEBGL_lose_context');"
    canvas.evaluate(lose + " card.loseContext(); }")
    expect(page.locator("#scene-message")).to_contain_text("lost its 3D view")
    expect(page.locator(".viewer-poster")).to_be_visible()
    expect(page.locator("#save")).to_be_enabled()
    assert objections(page) == []
    page.evaluate("card.restoreContext()")
    expect(page.locator(".viewer-poster")).to_have_count(0)
    expect(page.locator("#scene-message")).to_be_hidden()

    assert watched.off_origin(site.url) == []
    assert [said for said in watched.complaints if "Context Lost" not in said] == []
