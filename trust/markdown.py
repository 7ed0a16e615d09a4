"""Our documents' Markdown as HTML and as plain paragraphs. HTML within it is shown, never obeyed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from markdown_it import MarkdownIt
from markdown_it.token import Token

_READER = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True)
class Page:
    """A text as HTML, and its chapters (the headings of the second rank) as id and title."""

    html: SafeString
    chapters: list[tuple[str, str]]


@lru_cache(maxsize=64)
def page(text: str, names: tuple[str, ...] = ()) -> Page:
    """The HTML of a text. Each heading can be linked to; ``names`` as in ``parsed``."""
    read, chapters = parsed(text, names)
    return Page(rendered(read), chapters)


def parsed(text: str, names: Sequence[str] = ()) -> tuple[list[Token], list[tuple[str, str]]]:
    """A text's tokens, its headings with ids, and its chapters.

    ``names`` are the ids of the headings in order, so that a translation is linked to as the English text is; a heading
    that has none there is named after its own words.
    """
    read = tokens(text)
    chapters: list[tuple[str, str]] = []
    taken: set[str] = set()
    given = iter(names)
    for place, token in enumerate(read):
        if token.type == "heading_open":
            title = plain(read[place + 1])
            name = next(given, "") or slugify(title) or "part"
            while name in taken:
                name += "-"
            taken.add(name)
            token.attrSet("id", name)
            if token.tag == "h2":
                chapters.append((name, title))
        elif token.type == "th_open":
            token.attrSet("scope", "col")
        elif token.type == "table_open":
            # What is wider than the screen scrolls by itself, for the keyboard, too.
            token.attrSet("class", "wide")
    return read, chapters


def tokens(text: str) -> list[Token]:
    """A text as it is read."""
    return _READER.parse(text)


@lru_cache(maxsize=64)
def names(text: str) -> tuple[str, ...]:
    """The ids of a text's headings, in order."""
    return tuple(str(token.attrGet("id")) for token in parsed(text)[0] if token.type == "heading_open")


def headings(text: str, deepest: int) -> list[tuple[str, int]]:
    """The headings down to a rank, each with the number of its line (the first is 0)."""
    return [
        (said.content, token.map[0])
        for token, said in pairwise(tokens(text))
        if token.type == "heading_open" and int(token.tag[1]) <= deepest and token.map
    ]


def rendered(read: list[Token]) -> SafeString:
    """The HTML of a text's tokens."""
    html: str = _READER.renderer.render(read, _READER.options, {})
    safe: SafeString = mark_safe(html)  # noqa: S308 - made from Markdown with HTML switched off
    return safe


def paragraphs(text: str) -> list[str]:
    """The text without its marks: one string for each heading, paragraph, list item and cell."""
    return [plain(token) for token in tokens(text) if token.type == "inline"]


def plain(token: Token) -> str:
    """What a piece of text says; a link to elsewhere with its address."""
    return "".join(_words(token.children or ()))


def _words(children: Sequence[Token]) -> list[str]:
    said, leads = [], ""
    for child in children:
        if child.type in {"text", "code_inline"}:
            said.append(child.content)
        elif child.type in {"softbreak", "hardbreak"}:
            said.append(" ")
        elif child.type == "link_open":
            leads = str(child.attrGet("href") or "")
        elif child.type == "link_close" and leads.startswith("http"):
            said.append(f" ({leads})")
    return said
