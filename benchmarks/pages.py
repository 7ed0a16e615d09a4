"""What pages cost a browser, beside a plain static page from the same server in the same run.

``python -m benchmarks.pages [LOADS]`` (7): starts the site as ``make run`` does and loads each page in Chromium, on two
cores, turn by turn, with nothing cached. Counted through the browser's own protocol: bytes over the wire until the load
event, and with requests until the page is quiet; the first and the largest contentful paint; total blocking time (what
of each task after the first paint is over 50 ms); and, once it is quiet, how long a key pressed on the page's first
control takes until the next paint (event timing, to 8 ms: 0 is below 4). The plain page is a guide's text in one file
with one small style sheet, no script and no font. Prints medians, and each as a ratio to the plain page's. The landing
page's model is loaded when somebody asks for it, which nobody does here. Build nothing meanwhile: the plain page lies
in ``static/dist``.
"""

from __future__ import annotations

import gzip
import html
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
BUILT = ROOT / "static" / "dist"
PAGES = {"landing": "/", "create": "/create", "pricing": "/pricing", "trust": "/trust", "document": "/privacy"}
PLAIN = "plain page"
QUIET_MS = 1000
STYLE = "body{max-width:34em;margin:2em auto;font:16px/1.5 system-ui,sans-serif}"
CONTROLS = "main button:enabled, main a[href], main summary"
WATCH = """
  window.seen = { lcp: 0, long: [], delay: 0 };
  const watch = (type, each, more = {}) =>
    new PerformanceObserver((list) => list.getEntries().forEach(each)).observe({ type, buffered: true, ...more });
  watch("largest-contentful-paint", (entry) => { seen.lcp = entry.startTime; });
  watch("longtask", (entry) => seen.long.push([entry.startTime, entry.duration]));
  const took = (entry) => { seen.delay = Math.max(seen.delay, entry.duration); };
  watch("event", (entry) => { if (entry.interactionId) took(entry); }, { durationThreshold: 16 });
  watch("first-input", took);
  for (const name of ["click", "submit"]) addEventListener(name, (event) => event.preventDefault());
"""
READ = """() => {
  const first = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0;
  const over = seen.long.filter(([at]) => at >= first).map(([, took]) => took - 50);
  return [first, seen.lcp, over.reduce((sum, one) => sum + one, 0)];
}"""


@dataclass(frozen=True)
class Load:
    """One cold load; times in milliseconds since the page was asked for."""

    loaded: float
    kilobytes: float
    requests: float
    first_paint: float
    largest_paint: float
    blocking: float
    interaction: float


HEADS = {
    "loaded": "kB at load",
    "kilobytes": "kB when quiet",
    "requests": "requests",
    "first_paint": "FCP ms",
    "largest_paint": "LCP ms",
}
HEADS |= {"blocking": "TBT ms", "interaction": "key ms"}


@contextmanager
def plain_page() -> Iterator[str]:
    """The page to compare with, among the site's own files; its address. Gone afterwards."""
    text = (ROOT / "docs" / "printing.md").read_text().split("\n\n")
    body = "".join(f"<p>{html.escape(part)}</p>" for part in text)
    page = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Plain</title>'
    page += f'<link rel="stylesheet" href="plain.css"><main><p><a href="/">Start</a></p>{body}</main>'
    made = {"plain.html": page, "plain.css": STYLE}
    try:
        for name, content in made.items():
            (BUILT / name).write_text(content)
            (BUILT / f"{name}.gz").write_bytes(gzip.compress(content.encode()))
        yield "/static/dist/plain.html"
    finally:
        for name in made:
            (BUILT / name).unlink(missing_ok=True)
            (BUILT / f"{name}.gz").unlink(missing_ok=True)


def load(browser: Browser, url: str, state: Any) -> Load:
    """Load a page with nothing cached, and press a key on its first control."""
    with browser.new_context(viewport={"width": 1280, "height": 900}, storage_state=state) as context:
        page = context.new_page()
        page.add_init_script(WATCH)
        sizes: list[float] = []
        protocol = context.new_cdp_session(page)
        protocol.send("Network.enable")
        protocol.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        page.goto(url, wait_until="load")
        loaded = sum(sizes) / 1000
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(QUIET_MS)
        first, largest, blocking = page.evaluate(READ)
        cost = (loaded, sum(sizes) / 1000, float(len(sizes)))
        control = page.locator(CONTROLS).locator("visible=true").first
        control.focus()
        control.press("Enter")
        for _ in range(20):
            page.wait_for_timeout(100)
            if page.evaluate("seen.delay"):
                break
        return Load(*cost, first, largest, blocking, page.evaluate("seen.delay"))


def measure(browser: Browser, url: str, link: str, paths: dict[str, str], loads: int) -> dict[str, list[Load]]:
    """All loads by page; the first of each, which warms the server up, is not counted."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(link)
        page.locator("main button").click()
        page.wait_for_url(f"{url}/create")
        signed_in = context.storage_state()
    found: dict[str, list[Load]] = {name: [] for name in paths}
    for turn in range(loads + 1):
        for name, path in paths.items():
            one = load(browser, url + path, signed_in if name == "create" else None)
            found[name] += [one] if turn else []
    return found


def show(found: dict[str, list[Load]]) -> None:
    """Medians, and ratios to the plain page's; a dash where that has nothing."""
    medians = {
        name: [median(column) for column in zip(*map(astuple, loads), strict=True)] for name, loads in found.items()
    }
    columns = [HEADS[field.name] for field in fields(Load)]
    print(f"{'':<12}" + "".join(f"{head:>18}" for head in columns))
    for name, figures in medians.items():
        cells = (
            f"{figure:>9.1f}" + (f"{figure / base:>8.1f}×" if base else f"{'—':>9}")
            for figure, base in zip(figures, medians[PLAIN], strict=True)
        )
        print(f"{name:<12}" + "".join(cells))


def main() -> None:
    """Measure and print."""
    from tests.stack import launch

    loads = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])  # of this process and all that it starts
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with plain_page() as plain, tempfile.TemporaryDirectory(prefix="mmi-") as folder, sync_playwright() as playwright:
        running = launch(Path(folder) / "var")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            paths = {PLAIN: plain, **PAGES}
            print(f"load average {os.getloadavg()[0]:.1f}; medians of {loads} cold loads, and ratios to the plain page")
            show(measure(browser, running.url, running.link, paths, loads))
        finally:
            browser.close()
            running.stop()


if __name__ == "__main__":
    main()
