"""Chromium, watched: what it asks of whom, and what its console complains about."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import APIResponse, Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.browser import circumstances

FLAGS = [
    "--no-sandbox",  # tests may run as root
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--webgl-msaa-sample-count=0",  # without a graphics card, smooth edges are four times the work
    "--disable-gpu-compositing",  # pages are put together without a graphics card's imitation; WebGL has it
]
# WebGL without a graphics card is slow.
PATIENCE_MS = 60_000 * (4 if circumstances.SLOW else 1)
SEND = "#send:visible, #send-phone:visible"
"""The button that sends photos: beside the choices on a wide screen, at the foot of the screen on a phone."""


@dataclass
class Watched:
    """A page with everything it asked for and everything its console said in anger."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def off_origin(self, origin: str) -> list[str]:
        """Requests that went anywhere but to the site or to the page's own memory."""
        return [url for url in self.requests if not url.startswith((origin + "/", "blob:", "data:"))]


def sign_up(page: Page, address: str, email: str) -> None:
    """Make an account with the code that was mailed."""
    page.goto(f"{address}/account/signup/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Make my account").click()
    with page.expect_popup() as mailbox:
        page.locator("main").get_by_role("link", name="mailbox").click()
    mailbox.value.locator("tr", has_text=email).get_by_role("link").first.click()  # the newest
    mail = mailbox.value.locator("main", has_text="Enter it in the window").inner_text()
    mailbox.value.close()
    code = re.search(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b", mail)
    assert code, mail
    page.get_by_label("Code").fill(code[0])
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url(f"{address}/create")


def join(page: Page, address: str, email: str) -> None:
    """Make an account by the same forms, without showing them: for tests that are about what comes afterwards."""
    http = page.context.request

    def fill(path: str, **fields: str) -> APIResponse:
        form = http.get(address + path)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text())
        assert token, form.text()
        whole = {"csrfmiddlewaretoken": token[1], **fields}
        return http.post(form.url, form=whole, headers={"Referer": form.url})

    asked = fill("/account/signup/", email=email)
    assert "/account/confirm-email/" in asked.url, asked.text()
    mailbox = re.findall(r"<tr>(.*?)</tr>", http.get(f"{address}/mailbox").text(), re.DOTALL)
    newest = next(row for row in mailbox if f">{email}<" in row)
    mail = http.get(address + re.findall(r'href="([^"]+)"', newest)[0]).text()
    code = re.search(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b", mail)
    assert code, mail
    done = fill("/account/confirm-email/", code=code[0])
    assert done.url == f"{address}/create", done.text()
    page.goto(done.url)


def without_viewer(page: Page) -> None:
    """Show no model on this page, which offers it for saving: to draw one without a graphics card is long work."""
    page.route("**/dist/viewer*", lambda route: route.abort())


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """Playwright itself, ended with this folder: its event loop runs in this thread, where others need their own."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as running:
        # Django would take every query for one made from async code.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        yield running
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """The Chromium that ``make test`` found or installed."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        pytest.fail("There is no Chromium: `make test` installs one, or name one with CHROMIUM=…")
    browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
    circumstances.apply(browser)
    yield browser
    browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A fresh profile."""
    made = chromium.new_context(accept_downloads=True)
    made.set_default_timeout(PATIENCE_MS)
    yield made
    made.close()


@pytest.fixture
def watched(context: BrowserContext) -> Watched:
    """A page that is listened to."""
    watched = Watched(context.new_page())
    context.on("request", lambda request: watched.requests.append(request.url))
    watched.page.on(
        "console", lambda message: watched.complaints.append(message.text) if message.type == "error" else None
    )
    watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    return watched
