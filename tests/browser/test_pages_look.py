"""Every page, on a wide and on a narrow screen, light and dark: nothing that axe objects to, nothing cut off, no
control too small for a thumb, and a console without complaints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.stack import RunningSite

pytestmark = [pytest.mark.browser, pytest.mark.stack]

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SAMPLE = Path(__file__).resolve().parents[2] / "static" / "samples" / "mug.jpg"
THUMB = 44
SCREENS: dict[str, dict[str, Any]] = {
    "wide light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "wide contrast": {"viewport": {"width": 1280, "height": 900}, "contrast": "more"},
    "phone dark": {
        "viewport": {"width": 390, "height": 844},
        "color_scheme": "dark",
        "is_mobile": True,
        "has_touch": True,
    },
    "small phone": {"viewport": {"width": 320, "height": 640}, "is_mobile": True, "has_touch": True},
}
ANONYMOUS = [
    "/",
    "/providers",
    "/verify",
    "/account/login/",
    "/account/signup/",
    "/account/login/code/",
    "/account/password/reset/",
    "/in/used-up",
    "/nowhere",
]
SIGNED_IN = [
    "/create",
    "/account/photos",
    "/history",
    "/account/",
    "/account/email/",
    "/account/password/change/",
    "/account/2fa/",
    "/account/sessions/",
    "/account/logout/",
    "/mailbox",
]


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, site: RunningSite) -> Any:
    """The cookies of the demo account."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(site.link)
    page.locator("main button").click()
    page.wait_for_url(f"{site.url}/create")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture(params=SCREENS)
def screen(request: pytest.FixtureRequest) -> dict[str, Any]:
    """One kind of screen."""
    return SCREENS[request.param]


def objections(page: Page) -> list[str]:
    """What axe, our rules for small screens and the console hold against the page that is shown."""
    page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(
        """async (rules) => {
          const report = await axe.run(document, { runOnly: rules });
          return report.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.target.join(" ")}`));
        }""",
        RULES,
    )
    found += page.evaluate(
        """(thumb) => {
          const found = [];
          const root = document.documentElement;
          if (root.scrollWidth > root.clientWidth) found.push("the page is wider than the screen");
          if (window.matchMedia("(pointer: coarse)").matches) {
            for (const control of document.querySelectorAll("main button, main .button, .tabs a, main select")) {
              const box = control.getBoundingClientRect();
              const low = box.height > 0 && box.height < thumb;
              if (low) found.push(`too low for a thumb: ${control.outerHTML.slice(0, 90)}`);
            }
          }
          return found;
        }""",
        THUMB,
    )
    return found


def look(context: BrowserContext, site: RunningSite, paths: list[str]) -> dict[str, list[str]]:
    """Objections by path."""
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    found = {}
    for path in paths:
        complaints.clear()
        page.goto(site.url + path)
        # Chromium writes the status of a page that is an error into the console.
        said = [text for text in complaints if "responded with a status of" not in text]
        found[path] = objections(page) + said
    return {path: problems for path, problems in found.items() if problems}


def test_pages_for_everybody(chromium: Browser, site: RunningSite, screen: dict[str, Any]) -> None:
    with chromium.new_context(**screen) as context:
        assert look(context, site, ANONYMOUS) == {}


def test_pages_of_an_account(chromium: Browser, site: RunningSite, screen: dict[str, Any], signed_in: Any) -> None:
    with chromium.new_context(**screen, storage_state=signed_in) as context:
        assert look(context, site, SIGNED_IN) == {}


def test_options_of_a_job(chromium: Browser, site: RunningSite, screen: dict[str, Any], signed_in: Any) -> None:
    with chromium.new_context(**screen, storage_state=signed_in) as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.goto(f"{site.url}/create")
        size = page.get_by_label("Size for a 3D printer")
        assert not size.is_visible()
        page.get_by_text("More options").click()
        assert objections(page) == []

        page.get_by_label("Keep everything").check()
        size.fill("5000")
        page.get_by_text("More options").click()
        expect(page.locator("#options-chosen")).to_have_text("2 chosen")
        page.locator("#id_photo").set_input_files(SAMPLE)
        page.get_by_role("button", name="Make my model").click()
        expect(size).to_be_focused()
        expect(page.locator("#print_size_mm-error")).to_contain_text("10 to 1000")
        assert objections(page) == []
        assert page.url == f"{site.url}/create"


def test_keyboard_comes_to_the_content_first(chromium: Browser, site: RunningSite) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(site.url)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
