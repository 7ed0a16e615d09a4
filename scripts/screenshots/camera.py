"""One kind of screen goes through all pages: each in light and in dark, from top to bottom."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any, Final, Literal

from playwright.sync_api import BrowserContext, Error, Page, Route, sync_playwright

from scripts.screenshots import doing
from scripts.screenshots import pages as places
from scripts.screenshots.people import Cast

SCREENS: Final[dict[str, dict[str, Any]]] = {
    "wide": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
FLAGS: Final = (
    "--no-sandbox",  # the machine may be a container, and we its root
    "--disable-background-networking",
    "--disable-component-update",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-gpu-compositing",
)
STOPPED: Final = Event()
"""Set: whoever walks ends after the page they are at."""
PATIENCE_MS: Final = 60_000
TALLEST: Final = 8000
"""Of a screen that is made as high as its page, in pixels."""


@dataclass(frozen=True)
class Shot:
    """One picture that was taken."""

    group: str
    label: str
    screen: str
    scheme: str
    file: Path


@dataclass
class Taken:
    """What came of one walk: pictures, and pages that were not what the list says."""

    shots: list[Shot] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def walk(
    screen: str, url: str, cast: Cast, *, chromium: str, out: Path, letters: Callable[[], dict[str, str]]
) -> Taken:
    """Photograph every page on one kind of screen, and then what was mailed meanwhile (HTML by subject)."""
    taken = Taken()
    names = {**cast.names, "ready": cast.names[f"ready-{screen}"]}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        contexts: dict[str, BrowserContext] = {}
        for number, page in enumerate(places.PAGES):
            if STOPPED.is_set():
                break
            if page.who not in contexts or (page.does and page.who == places.NOBODY):
                context = browser.new_context(**SCREENS[screen], reduced_motion="reduce")
                context.set_default_timeout(PATIENCE_MS)
                if page.who in cast.sessions:
                    context.add_cookies([{"name": "sessionid", "value": cast.sessions[page.who], "url": url}])
                contexts[page.who] = context
            tell(f"{screen}: {page.label}")
            try:
                with _opened(contexts[page.who], page, url, names, cast) as (shown, problem):
                    taken.wrong += [f"{page.label}, {screen}: {problem}"] if problem else []
                    taken.shots += _photograph(shown, page, screen, out / f"{number:03d}-{_slug(page)}-{screen}")
            except Error as error:
                taken.wrong.append(f"{page.label}, {screen}: {error.message.splitlines()[0]}")
        taken.shots += _letters(browser.new_context(**SCREENS[screen]).new_page(), letters(), screen, out)
        browser.close()
    return taken


@contextmanager
def _opened(
    context: BrowserContext, page: places.Page, url: str, names: dict[str, str], cast: Cast
) -> Iterator[tuple[Page, str]]:
    """The page as it is to be photographed, and what is wrong with it, if anything is."""
    shown = context.new_page()
    try:
        path = page.path.format_map(names)
        if page.posted:
            shown.route(url + path, _post)
        answer = shown.goto(url + path)
        status = answer.status if answer else 0
        if page.does:
            getattr(doing, page.does)(shown, cast)
        shown.wait_for_load_state("load")
        shown.evaluate("document.fonts.ready.then(() => null)")
        wanted = (page.lands or page.path).format_map(names).partition("?")[0]
        here = "/" + shown.url.split("/", 3)[3].partition("?")[0].partition("#")[0]
        problem = f"answered {status}, not {page.status}" if status != page.status else ""
        yield shown, problem or (f"led to {here}" if here != wanted else "")
    finally:
        shown.close()


def _post(route: Route) -> None:
    route.continue_(method="POST", post_data="")


def _photograph(shown: Page, page: places.Page, screen: str, stem: Path) -> list[Shot]:
    """Light and dark; the page is not loaded again between them."""
    shots = []
    # What is fixed to the screen's foot would otherwise lie across the middle of the picture.
    height = shown.evaluate("document.documentElement.scrollHeight")
    shown.set_viewport_size({"width": SCREENS[screen]["viewport"]["width"], "height": min(height, TALLEST)})
    for scheme in SCHEMES:
        shown.emulate_media(color_scheme=scheme)
        file = stem.with_name(f"{stem.name}-{scheme}.png")
        shown.screenshot(path=file, full_page=True, animations="disabled", scale="css")
        shots.append(Shot(page.group, page.label, screen, scheme, file))
    return shots


def _slug(page: places.Page) -> str:
    """A file name's part."""
    said = f"{page.path.strip('/') or 'start'}-{page.who}-{page.does}"
    return re.sub(r"[^a-z0-9]+", "-", said.lower()).strip("-")[:80]


def _letters(blank: Page, letters: dict[str, str], screen: str, out: Path) -> list[Shot]:
    """Mails as mail programs show them: each kind once, by its subject."""
    shots = []
    for number, (subject, html) in enumerate(sorted(letters.items())):
        blank.set_content(html)
        for scheme in SCHEMES:
            blank.emulate_media(color_scheme=scheme)
            file = out / f"letter-{number:02d}-{screen}-{scheme}.png"
            blank.screenshot(path=file, full_page=True)
            shots.append(Shot("letters", subject, screen, scheme, file))
    return shots


def tell(text: str) -> None:
    """A line of progress for whoever waits."""
    print(text, file=sys.stderr, flush=True)
