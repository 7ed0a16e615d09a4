"""The create page with more than one quick photo: edits, sides, lists, too few credits, photos from elsewhere."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import PATIENCE_MS, Watched, join
from tests.browser.looks import objections
from tests.browser.screens import SCREENS
from tests.browser.test_main_job import until
from tests.long import LONG
from tests.stack import RunningSite

pytestmark = [pytest.mark.browser, pytest.mark.stack]
SAMPLES = Path(__file__).resolve().parents[2] / "static" / "samples"
MUG, BOAT, VASE = (SAMPLES / f"{name}.jpg" for name in ("mug", "boat", "vase"))
SEND_SIZES = """
  const send = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = async function (body) {
    for (const [name, value] of body) {
      if (!(value instanceof File)) continue;
      const picture = await createImageBitmap(value);
      console.info(`sent ${name} ${picture.width}x${picture.height} ${value.type}`);
    }
    send.call(this, body);
  };
"""
OFFER = """async (bytes) => {
  const opening = indexedDB.open("mmi-incoming", 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore("files", { keyPath: "id" });
    opening.result.createObjectStore("sent", { keyPath: "job" });
  };
  await new Promise((resolve) => (opening.onsuccess = resolve));
  const transaction = opening.result.transaction("files", "readwrite");
  const files = [new Blob([new Uint8Array(bytes)], { type: "image/jpeg" })];
  transaction.objectStore("files").put({ id: "a b", files, made: Date.now() });
  transaction.objectStore("files").put({ id: "old", files, made: Date.now() - 2 * 86400000 });
  await new Promise((resolve) => (transaction.oncomplete = resolve));
  opening.result.close();
}"""
KEPT = "indexedDB.databases().then((all) => all.map(({ name }) => name).sort())"


def size(path: Path) -> tuple[int, int]:
    """A photo's width and height."""
    return Image.open(path).size


def choose(page: Page, *photos: Path) -> None:
    """Add photos as by the button."""
    page.locator("#id_photo").set_input_files(list(photos))


@pytest.mark.parametrize("screen", ["wide light", "phone dark"] if LONG else ["phone dark"])
def test_one_object_is_edited_and_what_is_seen_is_sent(chromium: Browser, site: RunningSite, screen: str) -> None:
    with chromium.new_context(**SCREENS[screen]) as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.add_init_script(SEND_SIZES)
        join(page, site.url, f"edits-{screen.split()[0]}@example.org")
        if SCREENS[screen].get("has_touch"):
            page.evaluate("localStorage.setItem('mmi-cut-out', 'off')")  # one screen waits for cut-outs
        press = (lambda found: found.tap()) if SCREENS[screen].get("has_touch") else (lambda found: found.click())

        # Two files are one object: the front and its back, which change places.
        choose(page, MUG, BOAT)
        expect(page.get_by_role("heading", name="What do these 2 photos show?")).to_be_focused()
        assert objections(page) == []
        press(page.get_by_role("button", name="One object from several sides"))
        expect(page.locator('[data-view="back"] img')).to_be_visible()
        expect(page.locator("#removed")).to_be_visible()  # both are read: nothing shifts any more
        press(page.get_by_role("button", name="Move the photo of the front right"))
        expect(page.locator("#announce")).to_have_text("Now: the photo of the back.")
        expect(page.locator('[data-view="back"] [data-face]')).to_have_attribute("aria-pressed", "true")

        # The boat, now the front, is turned; its left half goes.
        press(page.locator('[data-view="front"] [data-face]'))
        press(page.get_by_role("button", name="Turn a quarter clockwise"))
        wide, high = size(BOAT)
        expect(page.locator("#facts")).to_contain_text(f"{high} × {wide}")
        press(page.get_by_role("button", name="Crop", exact=True))
        left = page.get_by_label("Left side")
        expect(left).to_be_focused()
        assert objections(page) == []
        box = page.locator("#crop .frame").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 1, box["y"] + box["height"] - 1)  # by the corner, then by keys
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] - 1, steps=3)
        page.mouse.up()
        assert abs(int(left.input_value()) - 40) <= 2
        for _ in range(50 - int(left.input_value())):
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        half = f"{high // 2}|{high // 2 + 1}"  # a pixel that is half inside is kept
        expect(page.locator("#facts")).to_contain_text(re.compile(f"({half}) × {wide} "))
        assert objections(page) == []

        # The cut-out is looked at behind its divider, and its edge is moved.
        if not SCREENS[screen].get("has_touch"):
            divider = page.get_by_role("slider", name="Divider between cut-out and photo")
            expect(divider).to_have_attribute("aria-valuenow", "58")
            divider.press("ArrowLeft")
            expect(divider).to_have_attribute("aria-valuenow", "53")
            expect(page.locator("#facts")).to_contain_text("of object will be sent. What is behind it stays here.")
            before = page.locator("#facts").inner_text()
            page.get_by_label("Edge of the cut-out").press("End")
            expect(page.locator("#facts")).not_to_have_text(before)
            assert objections(page) == []

        # The off switch is remembered, and says what is sent then.
        press(page.get_by_role("button", name="Whole photo"))
        expect(page.locator("#facts")).to_contain_text("Our server cuts it out.")
        press(page.get_by_role("button", name="Make my model"))
        page.wait_for_url(f"{site.url}/jobs/*")
        sent = sorted(text for text in said if text.startswith("sent "))
        assert re.fullmatch(f"sent photo ({half})x{wide} image/jpeg", sent[0])
        assert sent[1:] == [f"sent photo_back {size(MUG)[0]}x{size(MUG)[1]} image/jpeg"]
        page.goto(f"{site.url}/create")
        choose(page, MUG)
        expect(page.get_by_role("button", name="Whole photo")).to_have_attribute("aria-pressed", "true")


def too_many(route: Route) -> None:
    """Answers as a server with no room, once."""
    route.fulfill(status=429, headers={"Retry-After": "1"}, content_type="application/problem+json", body="{}")


def test_a_model_each_waits_through_checkout_and_for_a_place(watched: Watched, site: RunningSite) -> None:
    page = watched.page
    page.set_viewport_size({"width": 390, "height": 844})
    join(page, site.url, "batch@example.org")
    page.evaluate("localStorage.setItem('mmi-cut-out', 'off')")
    photo = io.BytesIO()
    Image.open(VASE).resize((40, 40)).save(photo, "JPEG")
    tiny = {"name": "tiny.jpg", "mimeType": "image/jpeg", "buffer": photo.getvalue()}
    page.locator("#id_photo").set_input_files([MUG, BOAT])
    page.get_by_role("button", name="One model each").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("2 photos, one model each")
    page.locator("#id_photo").set_input_files([tiny] + [VASE_FILE] * 4)
    expect(page.get_by_role("button", name="Make 7 models · 7 credits")).to_be_enabled()
    page.locator('input[name="quality"][value="high"]').check(force=True)
    page.locator('input[name="keep"][value="10"]').check(force=True)

    # 14 credits are more than a new account has: nothing is sent, and all waits here.
    page.get_by_role("button", name="Make 7 models · 14 credits").click()
    expect(page.locator("#leave")).to_be_focused()
    expect(page.locator("#leave")).to_contain_text("This takes 14 credits, and you have fewer. Nothing was sent.")
    assert [url for url in watched.requests if "/jobs/" in url] == []
    assert objections(page) == []
    page.locator("#leave").get_by_role("link", name="Buy credits").click()
    page.locator("#pack-20").get_by_role("button").click()
    page.get_by_label(re.compile("4242")).check()
    page.get_by_role("button", name=re.compile("^Pay")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("20 credits are yours")
    page.get_by_role("link", name="Make a model", exact=True).click()

    # Back: everything is as it was left.
    expect(page.locator("#returned")).to_contain_text("Your 7 photos are here again")
    expect(page.get_by_role("button", name="Make 7 models · 14 credits")).to_be_enabled()
    assert page.locator('input[name="keep"]:checked').input_value() == "10"
    for _ in range(4):
        page.get_by_role("button", name="Remove vase.jpg").first.click()
    page.locator('input[name="quality"][value="draft"]').check(force=True)
    page.route("**/create", too_many, times=1)
    page.get_by_role("button", name="Make 3 models · 3 credits").click()
    rows = page.locator("#batch-list > li")
    expect(rows.filter(has_text="waiting for a place")).to_have_count(1)
    expect(rows.filter(has_text="tiny.jpg")).to_contain_text("Each side needs at least 64")
    expect(rows.filter(has_text="tiny.jpg")).to_contain_text("0 credits")
    for name in ("mug.jpg", "boat.jpg"):
        expect(rows.filter(has_text=name)).to_contain_text("ready")
        expect(rows.filter(has_text=name)).to_contain_text("1 credit")
    assert objections(page) == []
    page.get_by_role("button", name="Remove tiny.jpg").click()
    expect(rows).to_have_count(2)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Open mug.jpg").click()
    expect(opened.value.locator("#slip")).to_contain_text("Photo received")
    opened.value.close()

    # What was sent waits no more; a job's own page may take its photo from this device.
    assert page.evaluate(KEPT) == ["mmi-incoming"]
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose a photo")
    assert watched.off_origin(site.url)  # the bank's
    assert [text for text in watched.complaints if "responded with a status of" not in text] == []


VASE_FILE: dict[str, Any] = {"name": "vase.jpg", "mimeType": "image/jpeg", "buffer": VASE.read_bytes()}


def test_what_waits_can_be_forgotten_and_photos_come_from_elsewhere(watched: Watched, site: RunningSite) -> None:
    page = watched.page
    join(page, site.url, "elsewhere@example.org")
    page.evaluate("localStorage.setItem('mmi-cut-out', 'off')")

    # Signed out behind the page's back: the photo waits for whoever it belongs to.
    choose(page, MUG)
    expect(page.locator("#facts")).to_contain_text("×")
    (session,) = [cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "sessionid"]
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Make my model").click()
    expect(page.locator("#leave")).to_contain_text("You have been signed out.")
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": site.url}])
    page.reload()
    expect(page.locator("#returned")).to_contain_text("Your photo is here again")
    expect(page.locator("#preview")).to_be_visible()
    page.get_by_role("button", name="Forget it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose a photo")
    until(lambda: page.evaluate(KEPT) == [])

    # What another page of this device offers is taken once, and what is old never.
    page.evaluate(OFFER, list(BOAT.read_bytes()))
    page.goto(f"{site.url}/create#from=library:a%20b")
    page.reload()
    expect(page.locator("#preview")).to_be_visible()
    assert page.url == f"{site.url}/create"
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose a photo")
    page.goto(f"{site.url}/create#shared")
    page.reload()
    page.wait_for_timeout(300)
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose a photo")
    assert watched.off_origin(site.url) == []
