"""The main job in other ways than by mouse on a good line: the server dies under the open page, the browser runs no
scripts, the person has a keyboard only."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import PATIENCE_MS, SEND, Watched, join, sign_up
from tests.browser.cutout import CUT_OUT
from tests.generation.khronos import errors
from tests.stack import RunningSite, processes_of

pytestmark = [pytest.mark.browser, pytest.mark.stack]
SAMPLE = Path(__file__).resolve().parents[2] / "static" / "samples" / "mug.jpg"
MOST_TABS = 60


def web_server(site: RunningSite) -> int:
    """The process that answers requests."""
    for process in processes_of(site.state):
        with contextlib.suppress(OSError):
            if b"modelmyimage.web" in Path(f"/proc/{process}/cmdline").read_bytes():
                return process
    return pytest.fail("the site has no web server")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="finds the server's process in /proc")
def test_page_catches_up_after_the_server_died(watched: Watched, site: RunningSite) -> None:
    """The site starts its web server again by itself; the tests that follow have it back."""
    page = watched.page
    join(page, site.url, "line@example.org")
    page.locator("#id_photo").set_input_files(CUT_OUT)
    page.locator(SEND).click()
    page.wait_for_url(f"{site.url}/jobs/*")
    expect(page.locator("#timeline")).to_contain_text("Photo received")
    os.kill(web_server(site), signal.SIGKILL)
    expect(page.locator("#connection")).to_be_visible()

    expect(page.get_by_role("heading", level=1)).to_contain_text("We no longer have it")
    expect(page.locator("#connection")).to_be_hidden()
    expect(page.locator("#save")).to_be_enabled()
    expect(page.locator("#slip")).to_contain_text("Destroyed")


def test_without_scripts(chromium: Browser, site: RunningSite) -> None:
    with chromium.new_context(java_script_enabled=False, accept_downloads=True) as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        sign_up(page, site.url, "plain@example.org")
        page.get_by_text("More options").click()
        page.get_by_label("Mirrored").check(force=True)
        page.get_by_label("Size for a 3D printer").fill("5000")
        page.locator("#id_photo").set_input_files(SAMPLE)
        page.get_by_role("button", name="Make my model").click()
        expect(page.locator("#print_size_mm-error")).to_be_visible()
        page.get_by_label("Size for a 3D printer").fill("")
        page.locator("#id_photo").set_input_files(SAMPLE)
        page.get_by_role("button", name="Make my model").click()
        page.wait_for_url(f"{site.url}/jobs/*")
        expect(page.locator("#slip")).to_contain_text("Photo received")

        # The page asks again by itself until the model is there.
        with page.expect_download() as download:
            page.get_by_role("link", name="Download model.glb").click()
        assert errors(download.value.path().read_bytes()) == []

        page.get_by_role("button", name="Destroy yours now").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("It’s gone")
        expect(page.locator("main")).to_contain_text("mirrored")
        page.get_by_role("button", name="Check it").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("holds")


def tab_to(target: Locator) -> None:
    """Press Tab until the element has the focus, and make sure that one sees where one is."""
    for _ in range(MOST_TABS):
        if target.evaluate("element => element === document.activeElement"):
            assert target.evaluate("element => getComputedStyle(element).outlineStyle") != "none"
            return
        target.page.keyboard.press("Tab")
    pytest.fail(f"{target} is not reached by Tab")


def test_by_keyboard_alone(watched: Watched, site: RunningSite, tmp_path: Path) -> None:
    page: Page = watched.page
    join(page, site.url, "keys@example.org")
    tab_to(page.locator("[data-sample]").first)
    page.keyboard.press("Enter")
    expect(page.locator("#preview")).to_be_visible()
    tab_to(page.locator(SEND))
    page.keyboard.press("Space")
    page.wait_for_url(f"{site.url}/jobs/*")

    expect(page.get_by_role("heading", level=1)).to_contain_text("We no longer have it")
    tab_to(page.locator("#save"))
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert errors(download.value.path().read_bytes()) == []
    assert watched.off_origin(site.url) == []
    assert watched.complaints == []
