"""The public pages as a browser meets them: how they look, how much they weigh, what they set and whom they ask."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import redis
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import PATIENCE_MS, Watched, join, sign_up
from tests.browser.looks import Looks, objections
from tests.browser.test_pages_look import ANONYMOUS, PICTURED
from tests.stack import RunningSite, launch_ready

pytestmark = [pytest.mark.browser, pytest.mark.stack]

DOCUMENTS = ["/privacy", "/terms", "/security", "/sub-processors", "/faq", "/about"]
PUBLIC = [*DOCUMENTS, "/contact", "/terms/versions", "/terms/difference"]
MOST_BYTES = 100_000
OURS = {"sessionid", "csrftoken", "messages", "django_language", "theme"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A site whose operator says who they are, with a hosted provider."""
    who = {"OPERATOR_NAME": "Example GmbH", "CONTACT_EMAIL": "hello@models.example", "MESHY_API_KEY": "x"}
    running = launch_ready(tmp_path_factory.mktemp("documents") / "var", **who)
    try:
        assert running.link
        yield running
    finally:
        running.drop()


class Scales:
    """Weighs pages: all bytes that come over the wire into an empty cache, headers and all."""

    def __init__(self, context: BrowserContext) -> None:
        self.page = context.new_page()
        wire = context.new_cdp_session(self.page)
        wire.send("Network.enable")
        wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
        self.begun: set[str] = set()
        self.asked: set[str] = set()
        self.sizes: dict[str, int] = {}
        wire.on("Network.requestWillBeSent", self.begin)
        wire.on(
            "Network.loadingFinished", lambda event: self.sizes.update({event["requestId"]: event["encodedDataLength"]})
        )

    def begin(self, event: Any) -> None:
        """Wait for what the page asks; what is for the tab and for installing, the browser may ask for and leave."""
        self.asked.add(event["requestId"])
        if not event["request"]["url"].endswith(("/favicon.svg", "/manifest.webmanifest", "/app/touch.png")):
            self.begun.add(event["requestId"])

    def weigh(self, url: str) -> int:
        """How much a page comes to once everything it asked for is there."""
        self.begun.clear()
        self.asked.clear()
        self.sizes.clear()
        self.page.goto(url)
        deadline = time.monotonic() + 30
        while self.begun - set(self.sizes):
            assert time.monotonic() < deadline, f"{url} is still loading"
            self.page.wait_for_timeout(20)
        # What the page before had asked for may still come in: it is not this one's.
        return int(sum(size for request, size in self.sizes.items() if request in self.asked))


def test_every_page_is_light(chromium: Browser, site: RunningSite) -> None:
    """All that a browser without scripts loads: page, style sheet, fonts, pictures. Two pages with them, too."""
    with chromium.new_context(java_script_enabled=False) as context:
        scales = Scales(context)
        weights = {path: scales.weigh(site.url + path) for path in [*ANONYMOUS, *PICTURED, *PUBLIC]}
        scales.page.goto(site.link)
        scales.page.locator("main button").click()
        scales.page.wait_for_url(f"{site.url}/create")
        weights |= {path: scales.weigh(site.url + path) for path in ("/create", "/history", "/billing", "/account/")}
    with chromium.new_context() as context:
        scales = Scales(context)
        weights |= {f"{path} with its scripts": scales.weigh(site.url + path) for path in ("/", "/guides/photos")}
    assert {path: weight for path, weight in weights.items() if weight > MOST_BYTES} == {}
    assert min(weights.values()) > 50_000  # style sheet and fonts were counted


def cookies(context: BrowserContext) -> set[str]:
    """The names of all that a browser holds."""
    return {cookie["name"] for cookie in context.cookies()}


def kept(page: Page) -> list[str]:
    """What pages keep in the browser beside cookies."""
    found: list[str] = page.evaluate("[...Object.keys(localStorage), ...Object.keys(sessionStorage)]")
    found += page.evaluate("indexedDB.databases().then((all) => all.map((one) => one.name))")
    return found


def test_cookies_storage_and_hosts(watched: Watched, site: RunningSite) -> None:
    """Signed out, signing up, signed in, buying: only the cookies that the policy names, none before it is needed."""
    page, context = watched.page, watched.page.context
    for path in [*ANONYMOUS, *PUBLIC]:
        page.goto(site.url + path, wait_until="domcontentloaded")
        form = page.locator('form input[name="csrfmiddlewaretoken"]').count() > 0
        assert cookies(context) == ({"csrftoken"} if form else set()), path
        context.clear_cookies()
        assert kept(page) == [], path
    page.goto(f"{site.url}/privacy")
    named = page.locator("table tbody td:first-child").all_inner_texts()
    assert set(named) == OURS

    sign_up(page, site.url, "cookies@example.org")
    for path in ("/create", "/history", "/billing", "/account/", "/account/data", "/pricing"):
        page.goto(site.url + path)
        assert {"sessionid"} <= cookies(context) <= OURS, path
        assert kept(page) == [], path
    by_name = {cookie["name"]: cookie for cookie in context.cookies()}
    assert by_name["sessionid"]["httpOnly"]
    assert {cookie["sameSite"] for cookie in by_name.values()} <= {"Lax", "Strict"}

    # What the page that checks receipts keeps, it keeps when told to.
    page.goto(f"{site.url}/verify")
    page.get_by_text("Compare with an older head of the log").click()
    page.get_by_role("button", name="Keep today’s head in this browser").click()
    expect(page.locator("#remembered")).not_to_be_empty()
    assert len(kept(page)) <= 1
    assert watched.off_origin(site.url) == []

    # The way to the bank's and back; what its own pages set is its own.
    page.goto(f"{site.url}/pricing")
    page.locator("#pack-20").get_by_role("button").click()
    page.get_by_role("button", name=re.compile("^Pay")).wait_for()
    page.get_by_role("link", name=re.compile("Back")).first.click()
    page.wait_for_url(re.compile(re.escape(site.url) + "/billing/orders/"))
    assert cookies(context) <= OURS
    assert [text for text in watched.complaints if "responded with a status of" not in text] == []


@pytest.fixture(scope="module")
def change(site: RunningSite, chromium: Browser) -> None:
    """A second version of the terms, of substance, that takes effect in some days."""
    with chromium.new_context() as context:
        context.request.get(f"{site.url}/terms")
    with closing(sqlite3.connect(site.state / "db.sqlite3", timeout=20, isolation_level=None)) as database:
        database.execute(
            "INSERT INTO trust_version (document, number, text, mark, substance, summary, published_at, effective_at)"
            " SELECT document, 2, replace(text, 'Credits never expire', 'Credits last for ever'), mark, 1,"
            " 'Credits are named anew.', published_at, datetime('now', '+9 days') FROM trust_version"
            " WHERE document = 'terms' AND number = 1"
        )
    # Which changes there are is looked up once a minute.
    redis.Redis(unix_socket_path=str(next(site.state.rglob("broker.sock"))), db=1).flushdb()


def test_their_looks(chromium: Browser, site: RunningSite, change: None) -> None:
    with chromium.new_context() as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        looks = Looks(page)
        narrow = {"/privacy", "/terms/versions", "/terms/difference"}  # one of each kind
        for path in sorted({*PUBLIC, "/terms/versions/2"} - narrow):
            page.goto(site.url + path)
            assert objections(page) == [], path
        for path in sorted(narrow):
            page.goto(site.url + path)
            assert looks() == [], path
        page.goto(f"{site.url}/terms/difference")
        expect(page.locator(".difference del")).to_contain_text("never expire")
        expect(page.locator(".difference ins")).to_contain_text("last for ever")
        page.goto(f"{site.url}/contact")
        page.get_by_label("Your words").fill("How long does it take?")
        page.get_by_role("button", name="Send it").click()
        expect(page.locator(".error")).to_contain_text("Without an address nobody can answer.")
        expect(page.get_by_label("Your words")).to_have_value("How long does it take?")
        assert looks() == []
        page.get_by_label("Your e-mail address").fill("visitor@example.org")
        page.get_by_role("button", name="Send it").click()
        expect(page.locator("h1")).to_have_text("It is on its way")
        assert looks() == []

        # A note of the change, on every page until it is put away; what is on the page is not lost by that.
        join(page, site.url, "reader@example.org")
        note = page.get_by_role("form", name="Changes to our documents")
        expect(note).to_contain_text("Credits are named anew.")
        assert looks() == []
        page.get_by_label("Keep everything").evaluate("field => { field.checked = true; }")
        note.get_by_role("button", name="I have read it").click()
        expect(note).to_have_count(0)
        assert page.get_by_label("Keep everything").is_checked()
        page.goto(f"{site.url}/history")
        expect(page.locator("h1")).to_be_visible()
        expect(note).to_have_count(0)
        assert [text for text in complaints if "responded with a status of" not in text] == []


def test_a_note_is_put_away_without_scripts(chromium: Browser, site: RunningSite, change: None) -> None:
    with chromium.new_context(java_script_enabled=False) as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        join(page, site.url, "plain@example.org")
        page.goto(f"{site.url}/history")
        page.get_by_role("button", name="I have read it").click()
        page.wait_for_url(f"{site.url}/history")
        expect(page.get_by_role("form", name="Changes to our documents")).to_have_count(0)
