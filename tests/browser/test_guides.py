"""The first page and the guides: a model that comes alive, a photo that waits here, a search by keyboard alone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Watched
from tests.browser.looks import objections
from tests.browser.screens import SCREENS
from tests.browser.test_pages_look import SAMPLE
from tests.stack import RunningSite

pytestmark = [pytest.mark.browser, pytest.mark.stack]

WAITING = """async () => {
  const asked = indexedDB.open("mmi-incoming");
  const database = await new Promise((resolve) => { asked.onsuccess = () => resolve(asked.result); });
  const all = database.transaction("files").objectStore("files").getAll();
  const records = await new Promise((resolve) => { all.onsuccess = () => resolve(all.result); });
  database.close();
  return records.map(({ id, files, made }) => [typeof id, files.map((file) => file.size), Date.now() - made < 60000]);
}"""


def test_the_first_page_comes_alive_and_takes_a_photo(watched: Watched, site: RunningSite) -> None:
    """The picture first; the viewer only once it is asked for, though the line be good; then a photo, signed out."""
    page = watched.page
    page.goto(f"{site.url}/")
    expect(page.locator("img.object")).to_be_visible()
    page.wait_for_timeout(1500)
    assert [url for url in watched.requests if url.endswith((".glb", "viewer.js"))] == []
    wake = page.get_by_role("button", name="Turn it in 3D")
    page.route("**/boat*.glb", lambda route: route.abort())
    page.locator("img.object").click(position={"x": 200, "y": 200})
    expect(page.locator("#alive .hint")).to_contain_text("could not be fetched")
    expect(wake).to_be_enabled()
    assert objections(page) == []
    page.unroute("**/boat*.glb")
    watched.complaints.clear()  # of the request that we stopped
    wake.press("Enter")
    expect(page.locator("#alive.awake")).to_be_visible()
    expect(page.locator("#wake")).to_be_hidden()
    expect(page.locator("#alive canvas")).to_be_focused()
    expect(page.locator(".now")).to_contain_text(re.compile("alive|Nothing was made here yet"))
    assert objections(page) == []

    page.locator("#id_photo").set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no photo"})
    expect(page.locator("#photo-error")).to_contain_text("This is not a photo we can read.")
    assert page.url == f"{site.url}/"
    page.locator("#id_photo").set_input_files(SAMPLE)
    page.wait_for_url(re.compile("/account/signup/"))
    expect(page.locator("main")).to_contain_text("Your photo waits on this device")
    assert "next=/create%23shared" in page.url
    assert page.evaluate(WAITING) == [["string", [SAMPLE.stat().st_size], True]]
    assert watched.off_origin(site.url) == []
    assert watched.complaints == []


def test_a_search_by_keyboard(chromium: Browser, site: RunningSite) -> None:
    """`/` to the field, words, arrows, Enter; what is found is what the page without scripts shows."""
    with chromium.new_context(**SCREENS["wide light"]) as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(f"{site.url}/guides/printing")
        page.keyboard.press("/")
        expect(page.get_by_role("searchbox")).to_be_focused()
        page.keyboard.type("standard webhooks", delay=5)
        first = page.locator("#found a").first
        expect(first).to_contain_text("Webhooks")
        expect(page.locator("#announce")).to_have_text(re.compile(r"\d+ places?"))
        assert objections(page) == []
        page.keyboard.press("ArrowDown")
        expect(first).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_role("searchbox")).to_be_focused()
        expect(page.locator("#found")).to_be_hidden()
        page.keyboard.type("webhook-sig")
        expect(first).to_be_visible()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("/guides/webhooks#"))
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.get_by_role("button", name="Copy").nth(1).click()
        expect(page.get_by_role("button", name="Copied")).to_have_count(1)
        assert "from standardwebhooks import Webhook" in page.evaluate("navigator.clipboard.readText()")
        assert complaints == []
    with chromium.new_context(**SCREENS["phone dark"], java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{site.url}/guides")
        page.get_by_role("searchbox").fill("webhook-sig")
        page.get_by_role("button", name="Search").click()
        expect(page.locator("#found a").first).to_contain_text("Webhooks")
