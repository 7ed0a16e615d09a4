"""A photo becomes a model over a line like slow 3G, by touch on a phone, with a moment without any line."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.circumstances import SLOW_3G
from tests.browser.conftest import join
from tests.browser.looks import objections
from tests.browser.screens import SCREENS
from tests.long import LONG
from tests.stack import RunningSite

pytestmark = [
    pytest.mark.browser,
    pytest.mark.stack,
    pytest.mark.skipif(not LONG, reason="waiting is most of it: make test-long"),
]
SAMPLE = Path(__file__).resolve().parents[2] / "static" / "samples" / "mug.jpg"
PATIENCE_MS = 240_000


def test_a_model_over_a_slow_line(chromium: Browser, site: RunningSite) -> None:
    with chromium.new_context(**SCREENS["phone dark"], accept_downloads=True) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        join(page, site.url, "slow@example.org")
        line = context.new_cdp_session(page)
        line.send("Network.enable")
        line.send("Network.emulateNetworkConditions", SLOW_3G)

        page.goto(f"{site.url}/create")
        page.locator("#id_photo").set_input_files(SAMPLE)
        expect(page.locator("#preview, #picture img").first).to_be_visible(timeout=PATIENCE_MS)
        assert objections(page) == []
        page.locator('input[name="quality"][value="draft"]').check(force=True)
        page.locator("#send-phone").tap()
        page.wait_for_url(f"{site.url}/jobs/*")

        # No line at all for a while: the page says so, and catches up.
        line.send("Network.emulateNetworkConditions", {**SLOW_3G, "offline": True})
        page.evaluate("window.dispatchEvent(new Event('offline'))")
        expect(page.locator("body")).to_contain_text("No connection")
        line.send("Network.emulateNetworkConditions", SLOW_3G)
        page.evaluate("window.dispatchEvent(new Event('online'))")

        expect(page.locator("#save")).to_be_enabled(timeout=PATIENCE_MS)
        with page.expect_download() as saved:
            page.locator("#save").tap()
        assert saved.value.path().read_bytes()[:4] == b"glTF"
        expect(page.locator(".slip.receipt")).to_be_visible(timeout=PATIENCE_MS)
        assert objections(page) == []
