"""A job that is watched: what is left is said, a reload and a lost line lose nothing, whoever looks elsewhere is told,
and the receipt is checked in the browser."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from tests.browser.conftest import SEND, Watched, join
from tests.browser.cutout import CUT_OUT
from tests.browser.looks import objections
from tests.stack import RunningSite

pytestmark = [pytest.mark.browser, pytest.mark.stack]

ELSEWHERE = """
  window.elsewhere = false;
  window.told = [];
  Object.defineProperty(document, "hidden", { get: () => window.elsewhere });
  window.Notification = class extends EventTarget {
    static permission = "default";
    static async requestPermission() { return (this.permission = "granted"); }
    constructor(title, how) { super(); window.told.push([title, how.body]); }
    static {
      if (sessionStorage.getItem("asked")) this.permission = "granted";
      sessionStorage.setItem("asked", "yes");
    }
  };
"""
"""A browser whose tab can be out of sight, and whose notifications are written down."""


class Slow:
    """Between the page and the site: the job is still being built, as its page and state say, until it may go on."""

    def __init__(self, context: BrowserContext) -> None:
        self.holds, self.forges = True, True
        self.page: bytes | None = None
        context.route("**/jobs/*/events", lambda route: route.abort() if self.holds else route.continue_())
        context.route("**/jobs/*/state", self.state)
        context.route("**/jobs/*/receipt", self.receipt)
        context.route(re.compile(r"/jobs/[0-9a-f-]{36}$"), self.document)

    def document(self, route: Route) -> None:
        """The page as it was when the job had just been sent."""
        if not self.holds:
            return route.continue_()
        self.page = self.page or route.fetch().body()
        return route.fulfill(body=self.page, content_type="text/html; charset=utf-8")

    def state(self, route: Route) -> None:
        """The job's state, in the middle of the building, which usually takes a minute."""
        answer = route.fetch()
        if not self.holds:
            return route.fulfill(response=answer)
        now = datetime.now(UTC)
        job: dict[str, Any] = answer.json()
        job.update(stage="watch", percent=42, asset=None, queue_position=None, waiting=None)
        for number, line in enumerate(job["timeline"]):
            began = (now - timedelta(seconds=20 - number * 5)).isoformat()
            line.update(state="done", began=began if number else None, at=(now - timedelta(seconds=15)).isoformat())
            if number >= 2:
                line.update(state="next", began=None, at=None, usual=30.0 if number == 3 else None)
        job["timeline"][2].update(state="now", label="Building the model", began=began_at(now), usual=60.0)
        return route.fulfill(json=job)

    def receipt(self, route: Route) -> None:
        """The receipt's file, with one letter changed."""
        text = route.fetch().text()
        assert '"outcome":"done"' in text
        route.fulfill(body=text.replace('"outcome":"done"', '"outcome":"done."') if self.forges else text)


def began_at(now: datetime) -> str:
    """When the building began."""
    return (now - timedelta(seconds=10)).isoformat()


def test_watched_from_the_middle_to_a_receipt_that_is_checked(
    watched: Watched, context: BrowserContext, site: RunningSite
) -> None:
    context.add_init_script(ELSEWHERE)
    page = watched.page
    join(page, site.url, "watch@example.org")
    slow = Slow(context)
    page.locator("#id_photo").set_input_files(CUT_OUT)
    page.locator(SEND).click()
    page.wait_for_url(f"{site.url}/jobs/*")

    # What is done has its time, what runs is counted, what comes is estimated; the tab's title says how far it is.
    expect(page.locator("#to-go")).to_contain_text(re.compile(r"About (2 min|\d\d s) to go\."))
    expect(page.locator("#timeline .now")).to_contain_text(re.compile(r"1\d s …"))
    expect(page.locator("#timeline .next").first).to_contain_text("~ 30 s")
    expect(page).to_have_title(re.compile(r"^42 % · Building your model · "))

    # Whoever wants to be told is, and the wish outlives a reload.
    page.get_by_role("button", name="Tell me when it is ready").click()
    expect(page.locator("#tell")).to_contain_text("This browser tells you")
    page.reload()
    expect(page.locator("#slip")).to_contain_text("Photo received")
    expect(page.get_by_role("button", name="Do not tell me")).to_be_visible()
    expect(page.locator("#tell")).to_contain_text("This browser tells you")
    expect(page).to_have_title(re.compile(r"^42 % · "))

    context.unroute("**/jobs/*/state")
    context.set_offline(True)
    expect(page.locator("#connection")).to_be_visible()
    expect(page.locator("#live")).to_contain_text(re.compile(r"last seen \d\d:\d\d:\d\d"))
    expect(page).to_have_title(re.compile(r"^No connection · "))
    names = "[...document.querySelector('#words').content.querySelectorAll('[data-word]')].map((e) => e.dataset.word)"
    assert page.evaluate(f"{names}.filter((name, at, all) => all.indexOf(name) < at)") == []
    assert objections(page) == []

    # Back on the line, the page catches up; it is out of sight meanwhile.
    page.evaluate("window.elsewhere = true")
    slow.holds = False
    context.set_offline(False)
    expect(page.locator("#save")).to_be_enabled()
    expect(page.locator("#connection")).to_be_hidden()
    ((title, body),) = page.evaluate("window.told")
    assert title == "Your model is ready"
    assert re.fullmatch(r"It waits for you until .*\d\d:\d\d\.", body)
    page.evaluate("window.elsewhere = false")

    # A receipt with a changed letter does not pass, and the page does not claim what it does not prove.
    checked = page.locator("#checked")
    expect(checked).to_contain_text("This receipt does not hold.")
    expect(checked).to_contain_text("It was changed after it was signed")
    expect(page.get_by_role("heading", level=1)).to_have_text("It is yours. The receipt does not hold.")
    assert objections(page) == []

    # The receipt as it is passes.
    slow.forges = False
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_contain_text("It’s gone")
    expect(checked).to_contain_text("Checked in this browser: signed by us, nothing changed")
    expect(checked).to_contain_text("we can neither change nor deny")
    said = [text for text in watched.complaints if "ERR_FAILED" not in text and "ERR_INTERNET" not in text]
    assert said == []
    assert watched.off_origin(site.url) == []
    assert json.dumps(page.evaluate("Object.keys(sessionStorage)")).count("tell:") == 1
