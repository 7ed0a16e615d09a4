"""How a page looks on a wide and on a narrow screen, light and dark: what axe and our own rules hold against it.

A page is loaded once and shown on one screen after the other, as when a window is made narrow or a phone is emulated
in the browser's tools: to load each page and to walk each flow once a screen costs four times as much.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.browser.circumstances import SCREEN
from tests.browser.screens import SCREENS, TWO

AXE = (Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js").read_text()
EVERYTHING = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
THUMB = 44
PATIENCE_SECONDS = 10.0
RULES = {
    "wide contrast": {"type": "rule", "values": ["color-contrast"]},
    "small phone": {"type": "rule", "values": ["target-size", "scrollable-region-focusable"]},
}
"""What axe has to look for where it is not everything: what is the same on each screen is seen on two."""
OURS = """
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) found.push("the page is wider than the screen");
  if (window.matchMedia("(pointer: coarse)").matches) {
    for (const control of document.querySelectorAll("main button, main .button, .tabs a, main select")) {
      const box = control.getBoundingClientRect();
      const low = box.height > 0 && box.height < thumb;
      if (low) found.push(`too low for a thumb: ${control.outerHTML.slice(0, 90)}`);
    }
  }
"""


def objections(page: Page, rules: Mapping[str, Any] = EVERYTHING) -> list[str]:
    """What axe and our own rules for small screens hold against the page, on the screen that it is shown on."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found: list[str] = page.evaluate(
        f"""async ([rules, thumb]) => {{
          const ended = (one) => Number.isFinite(one.effect.getComputedTiming().endTime) && one.finished;
          await Promise.allSettled(document.getAnimations().map(ended)); // colours on their way have no contrast
          const report = await axe.run(document, {{ runOnly: rules, resultTypes: ["violations"] }});
          const nodes = report.violations.flatMap((rule) => rule.nodes.map((node) => [rule.id, node.target]));
          const found = nodes.map(([rule, target]) => `${{rule}}: ${{target.join(" ")}}`);
          {OURS}
          return found;
        }}""",
        [rules, THUMB],
    )
    return found


class Looks:
    """Shows one page on several screens.

    ``looks()`` gives the objections on all of them. The page stays on the screen that was the last, and the next look
    begins with that: so the steps of a flow between looks are walked now on the one, now on the other. Where the flows
    are to be walked on one screen (``circumstances.SCREEN``), the page goes back to that after each look.
    """

    def __init__(self, page: Page, screens: Mapping[str, dict[str, Any]] = TWO) -> None:
        self.page = page
        self.order = sorted(screens, key=lambda name: name != SCREEN)
        self.devtools = page.context.new_cdp_session(page)
        self.show(self.order[0])

    def show(self, name: str) -> None:
        """Put the page on this screen; fails the test when the browser does not."""
        screen = SCREENS[name]
        size, phone = screen["viewport"], screen.get("is_mobile", False)
        # Playwright tells a context at its beginning alone what a phone is beside its size.
        self.devtools.send(
            "Emulation.setDeviceMetricsOverride",
            {**size, "screenWidth": size["width"], "screenHeight": size["height"], "deviceScaleFactor": 1,
             "mobile": phone},
        )  # fmt: skip
        self.devtools.send("Emulation.setTouchEmulationEnabled", {"enabled": screen.get("has_touch", False)})
        self.page.emulate_media(
            color_scheme=screen.get("color_scheme", "light"), contrast=screen.get("contrast", "no-preference")
        )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.page.evaluate("[screen.width, matchMedia('(pointer: coarse)').matches]") != [size["width"], phone]:
            assert time.monotonic() < deadline, f"the page is not shown on a screen that is {name}"

    def __call__(self) -> list[str]:
        """Objections on each screen, with its name."""
        found = []
        for name in list(self.order):
            if name != self.order[0]:
                self.show(name)
            found += [f"{name}: {said}" for said in objections(self.page, RULES.get(name, EVERYTHING))]
        if SCREEN == "wide light":
            self.order.reverse()
        else:
            self.show(self.order[0])
        return found
