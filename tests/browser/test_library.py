"""The library on the device as a person uses it: kept by choice, seen, pinned, carried away, forgotten, brought back;
each account's own, and nothing of it sent."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS, Watched, join
from tests.browser.cutout import CUT_OUT
from tests.browser.looks import objections
from tests.browser.screens import TWO
from tests.browser.test_main_job import until
from tests.stack import RunningSite

pytestmark = [pytest.mark.browser, pytest.mark.stack]


HAND_ON = """async (job) => {
  const photo = await (await fetch("/static/samples/mug.jpg")).blob();
  const request = indexedDB.open("mmi-incoming", 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("files", { keyPath: "id" });
    request.result.createObjectStore("sent", { keyPath: "job" });
  };
  const database = await new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
  const transaction = database.transaction("sent", "readwrite");
  transaction.objectStore("sent").put({ job, photo, made: Date.now() });
  await new Promise((resolve) => { transaction.oncomplete = resolve; });
  database.close();
}"""
"""What the create page does once a job is made: it lays the photo that was sent ready for the job's page."""

LEFT = """async () => {
  const files = [];
  for await (const name of (await navigator.storage.getDirectory()).keys()) files.push(name);
  const databases = (await indexedDB.databases()).map((database) => database.name);
  return [...files, ...databases, ...Object.keys(localStorage), ...(await caches.keys())];
}"""

OFFERED = """async () => {
  const request = indexedDB.open("mmi-incoming");
  const database = await new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
  const asked = database.transaction("files").objectStore("files").getAll();
  const all = await new Promise((resolve) => { asked.onsuccess = () => resolve(asked.result); });
  database.close();
  return all.map(({ id, files }) => [id, files.map((file) => file.size)]);
}"""


def make(page: Page, site: RunningSite) -> str:
    """A job with its photo laid ready; its id, once the model is in the tab."""
    page.goto(f"{site.url}/create")
    page.locator("#id_photo").set_input_files(CUT_OUT)
    page.get_by_role("button", name="Make my model").click()
    page.wait_for_url(f"{site.url}/jobs/*")
    job = page.url.rpartition("/")[2]
    page.evaluate(HAND_ON, job)
    expect(page.locator("#save")).to_be_enabled()
    return job


def settled(page: Page) -> None:
    """The history page has looked at what is kept."""
    expect(page.locator("#library-body")).to_be_visible()
    page.wait_for_load_state("networkidle")


def said(page: Page, words: str) -> None:
    """The library says that."""
    expect(page.locator("#library-said")).to_contain_text(words)


def chosen(content: bytes) -> Any:
    """A file to be chosen in a page."""
    return {"name": "models.zip", "mimeType": "application/zip", "buffer": content}


def forged(library: bytes, change: dict[str, bytes]) -> Any:
    """The same ZIP with some files changed or added, to be chosen in a page."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(library)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            new.writestr(name, change.pop(name, old.read(name)))
        for name, content in change.items():
            new.writestr(name, content)
    return chosen(buffer.getvalue())


def test_a_library_on_the_device(watched: Watched, chromium: Browser, site: RunningSite, tmp_path: Path) -> None:
    page, context = watched.page, watched.page.context
    sent: list[tuple[str, str, int]] = []
    context.on("request", lambda one: sent.append((one.method, one.url, len(one.post_data_buffer or b""))))
    join(page, site.url, "library@example.org")

    # Off until the person says yes, and asked once the model is saved.
    job = make(page, site)
    assert not page.locator("#keep").is_visible()
    with page.expect_download() as saved:
        page.locator("#save").click()
    glb = Path(saved.value.path()).read_bytes()
    expect(page.get_by_role("heading", name="Keep it on this device?")).to_be_visible()
    assert objections(page) == []
    assert "mmi-library" not in page.evaluate(LEFT)
    page.get_by_role("button", name="Keep models here").press("Enter")
    expect(page.locator("#keep-said")).to_contain_text("Kept on this device.")
    expect(page.locator("#keep-said")).to_be_focused()
    expect(page.locator("#claim")).to_contain_text("It is kept in this browser")
    until(lambda: "head" in page.request.get(f"{site.url}/jobs/{job}/receipt").json().get("log", {}))
    page.reload()
    expect(page.locator("#kept-here")).to_contain_text("This device keeps its model.")
    page.wait_for_load_state("networkidle")  # the receipt is kept anew, with its proof

    # History: the server's facts, joined with this device's picture; after a reload, too.
    quiet = len(sent)
    page.goto(f"{site.url}/history")
    row = page.locator(f'tr[data-job="{job}"]')
    for _ in range(2):
        expect(row.locator("a.thumbnail img")).to_be_visible()
        expect(row.locator(".whose")).to_have_text("kept here")
        page.reload()
    page.get_by_role("button", name="Pin:").click()
    expect(page.locator("#library-list")).to_contain_text("pinned")
    expect(page.get_by_role("button", name="Unpin:")).to_be_focused()
    assert objections(page) == []

    # Carried away: a ZIP that others can read and check.
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save all as ZIP").click()
    library = Path(saved.value.path()).read_bytes()
    said(page, "Saved as ZIP: 1 model")
    with zipfile.ZipFile(io.BytesIO(library)) as copy:
        assert copy.testzip() is None
        (listed,) = json.loads(copy.read("manifest.json"))["models"]
        assert listed["job"] == job
        assert listed["pinned"]
        assert set(listed["files"]) == {"model", "photo", "thumb", "receipt"}
        inside = {name: copy.read(name) for name in copy.namelist()}
        model = f"models/{job}/model.glb"
        assert inside[model] == glb
        for role, kind in listed["files"].items():
            (content,) = [inside[name] for name in inside if name.startswith(f"models/{job}/{role}.")]
            assert hashlib.sha256(content).hexdigest() == kind["sha256"]
            assert len(content) == kind["bytes"]
        assert "head" in json.loads(inside[f"models/{job}/receipt.json"])["log"]

    # Opened again: turned, named, checked, made again; the server does not learn which.
    row.locator("a.thumbnail").click()
    expect(page.locator(".viewer.shown")).to_be_visible()
    expect(page.locator("#tools")).to_be_visible()
    page.get_by_label("Name, on this device only").fill("Blue mug")
    page.get_by_role("button", name="Save name").click()
    expect(page.locator("#kept-name")).to_have_text("Blue mug")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save model.glb").click()
    assert Path(saved.value.path()).read_bytes() == glb
    page.get_by_role("button", name="Check it").click()
    expect(page.locator("#verdict h2")).to_have_text("This receipt holds")
    expect(page.locator("#verdict")).to_contain_text("in the public log")
    assert objections(page) == []
    kept_page = page.url
    assert kept_page == f"{site.url}/history/kept#{job}"
    page.get_by_role("link", name="Make again from this photo").click()
    page.wait_for_url(re.compile(r"/create#from=library:[0-9a-f-]{36}$"))
    assert not [url for method, url, length in sent[quiet:] if job in url or method != "GET" or length]

    # Another account in the same browser sees nothing of it, nor does the same account in another browser.
    state: Any = context.storage_state()
    context.clear_cookies()
    join(page, site.url, "neighbour@example.org")
    page.goto(kept_page)
    expect(page.locator("#kept-why")).to_contain_text("keeps no such model for this account")
    page.goto(f"{site.url}/history")
    settled(page)
    assert not page.locator("#library-on").is_checked()
    assert not page.locator("#library-list").is_visible()
    with chromium.new_context(**TWO["phone dark"], storage_state=state) as elsewhere:
        elsewhere.set_default_timeout(PATIENCE_MS)
        other = elsewhere.new_page()
        other.goto(f"{site.url}/history")
        expect(other.locator(f'tr[data-job="{job}"] .thumbnail.hatched')).to_be_visible()
        expect(other.locator(f'tr[data-job="{job}"] .whose')).to_have_text("not on this device")
        assert other.evaluate(LEFT) == []
        assert objections(other) == []

        # A copy is brought in there; forgeries are not, nor what there is no room for.
        given = other.locator("#library-file")
        for what, why in (
            (chosen(glb), "not a ZIP that can be read"),
            (forged(library, {"../elsewhere": b"x"}), "holds files that its list does not name"),
            (forged(library, {"manifest.json": b"[]"}), "no list of models"),
            (forged(library, {model: glb[:-1] + bytes([glb[-1] ^ 1])}), "not what the ZIP’s list says: 1 model"),
        ):
            given.set_input_files(what)
            said(other, why)
        assert not other.locator("#library-list").is_visible()
        other.evaluate("navigator.storage.estimate = async () => ({ quota: 1_000_000, usage: 999_999 })")
        given.set_input_files(chosen(library))
        said(other, "more than this device has room for")
        other.reload()
        settled(other)
        wire = elsewhere.new_cdp_session(other)
        usage = other.evaluate("navigator.storage.estimate().then(({ usage }) => usage)")
        wire.send("Storage.overrideQuotaForOrigin", {"origin": site.url, "quotaSize": usage + len(library) // 2})
        given.set_input_files(chosen(library))
        said(other, "The device ran out of space on the way.")
        assert not other.locator("#library-list").is_visible()
        wire.send("Storage.overrideQuotaForOrigin", {"origin": site.url, "quotaSize": usage + 2 * len(library)})
        given.set_input_files(chosen(library))
        said(other, "Added from the ZIP: 1 model.")
        expect(other.locator(f'tr[data-job="{job}"] a.thumbnail img')).to_be_visible()
        given.set_input_files(chosen(library))
        said(other, "Here already: 1 model.")

        # No room for a new model: what is pinned would stay, the oldest that is not goes, and the page says so.
        other.locator("#library-on").check()
        said(other, "New models will be kept here.")
        other.get_by_role("button", name="Unpin:").click()
        expect(other.get_by_role("button", name=re.compile("^Pin:"))).to_be_focused()
        usage = other.evaluate("navigator.storage.estimate().then(({ usage }) => usage)")
        wire.send("Storage.overrideQuotaForOrigin", {"origin": site.url, "quotaSize": usage + len(library) // 2})
        second = make(other, site)
        expect(other.locator("#keep-said")).to_contain_text("the oldest that were not pinned went: 1 model.")
        other.goto(f"{site.url}/history")
        expect(other.locator(f'tr[data-job="{second}"] a.thumbnail img')).to_be_visible()
        expect(other.locator(f'tr[data-job="{job}"] .whose')).to_have_text("not on this device")

    # Signing out can delete it; erasing the account says that it stays. Both are the person's choice.
    context.clear_cookies()
    context.add_cookies(state["cookies"])
    page.goto(f"{site.url}/account/erase")
    expect(page.locator("#device-library")).to_contain_text("1 model")
    assert objections(page) == []
    page.goto(f"{site.url}/account/logout/")
    expect(page.locator("#forget-choice")).to_contain_text("1 model")
    assert not page.get_by_role("checkbox").is_checked()

    # Everything is forgotten, of the neighbour's page, too, and nothing is left; what was carried away brings it back.
    page.goto(f"{site.url}/history")
    page.get_by_role("button", name="Forget this device").click()
    expect(page.locator("#library-ask")).to_be_focused()
    expect(page.locator("#library-ask")).to_contain_text("1 model")
    assert objections(page) == []
    page.get_by_role("button", name="Forget it all").click()
    said(page, "Forgotten: 1 model")
    assert page.evaluate(LEFT) == []
    expect(row.locator(".hatched")).to_be_visible()
    page.locator("#library-file").set_input_files(chosen(library))
    said(page, "Added from the ZIP: 1 model.")
    page.goto(f"{site.url}/account/logout/")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{site.url}/")
    context.add_cookies(state["cookies"])

    assert watched.off_origin(site.url) == []
    assert [(url, length) for method, url, length in sent if length > 2000 and not url.endswith("/create")] == []
    assert [text for text in watched.complaints if "responded with a status of" not in text] == []
