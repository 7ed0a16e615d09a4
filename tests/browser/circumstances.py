"""On which screen and over which line the flows are walked, where a test does not say so itself.

As they are, they are walked on a wide screen by clicks. ``SCREEN="phone dark"`` walks every flow by taps on a phone,
``LINE=slow`` over a line like slow 3G: `make test-long` does both.
"""

from __future__ import annotations

import os
from typing import Any
from weakref import WeakSet

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request

from tests.browser.screens import SCREENS

SCREEN = os.environ.get("SCREEN") or "wide light"
SLOW = os.environ.get("LINE") == "slow"
SLOW_3G = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
"""Milliseconds until an answer begins, and bytes a second."""
BECOMES_A_CLICK_MS = 100


def apply(browser: Browser) -> None:
    """Make every context of this browser begin in these circumstances; what a test asks for itself goes first."""
    made = browser.new_context
    by_touch: WeakSet[BrowserContext] = WeakSet()

    def new_context(**options: Any) -> BrowserContext:
        # A worker that keeps files would answer in place of the site; the test of it asks for it.
        screen = {} if "viewport" in options else SCREENS[SCREEN]
        context = made(**{"service_workers": "block", **screen, **options})
        if {**screen, **options}.get("has_touch"):
            by_touch.add(context)
        if SLOW:
            context.on("page", slow_down)
        return context

    browser.new_context = new_context  # type: ignore[method-assign]  # for this browser alone
    if not SCREENS[SCREEN].get("has_touch"):
        return
    clicked = Locator.click

    def tap(self: Locator, **options: Any) -> None:
        """What a click is for a finger; where a context has none, or a test wants another button, a click."""
        if self.page.context in by_touch and not options.keys() - {"force", "position", "timeout"}:
            opened: list[Request] = []

            def asked(request: Request) -> None:
                if request.is_navigation_request():
                    opened.append(request)

            self.page.on("request", asked)
            self.tap(**options)
            # The browser makes a click out of it a moment later; what that opens is waited for, as click() does.
            self.page.wait_for_timeout(BECOMES_A_CLICK_MS)
            while opened:
                opened.pop(0).response()
            self.page.wait_for_load_state()
            self.page.remove_listener("request", asked)
        else:
            clicked(self, **options)

    Locator.click = tap  # type: ignore[method-assign]  # for the whole run, which is on one screen


def slow_down(page: Page) -> None:
    """Put this page behind a line like slow 3G."""
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", SLOW_3G)
