"""Pages of the stand-in for Stripe as a browser reads and uses them."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import httpx

from sandbox.stripe import Sandbox
from tests.sandbox.stripes import buying, client

VOID = {"meta", "link", "input", "br"}


class Structure(HTMLParser):
    """Open elements, labelled fields and headings of a page; fails on what does not close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.unlabelled: list[dict[str, str | None]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One more is open."""
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag in ("input", "select") and given.get("type") != "hidden" and "label" not in self.open:
            self.unlabelled.append(given)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """The one opened last is closed."""
        assert self.open.pop() == tag

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of all elements of this name."""
        return [given for name, given in self.tags if name == tag]


def look(answer: httpx.Response) -> str:
    """The page, once it is seen to be one that everybody can read."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    page = Structure(answer.text)
    assert [given["lang"] for given in page.named("html")] == ["en"]
    assert len(page.named("h1")) == 1
    assert page.unlabelled == []
    assert not [1 for _, given in page.tags if "style" in given or any(name.startswith("on") for name in given)]
    assert "Test mode: no money moves." in answer.text
    assert "<script" not in answer.text
    return answer.text


def begin(running: Sandbox, **options: Any) -> Any:
    return client(running).v1.checkout.sessions.create(buying(**options))


def press(browser: httpx.Client, path: str, **form: str) -> httpx.Response:
    return browser.post(path, data=form)
