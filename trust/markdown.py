"""Our documents' Markdown as HTML and as plain paragraphs. HTML within it is shown, never obeyed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

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
def page(text: str) -> Page:
    """The HTML of a text. Each heading can be linked to."""
    tokens, chapters = parsed(text)
    return Page(rendered(tokens), chapters)


def parsed(text: str) -> tuple[list[Token], list[tuple[str, str]]]:
    """A text's tokens, its headings with ids, and its chapters."""
    tokens = _READER.parse(text)
    chapters: list[tuple[str, str]] = []
    taken: set[str] = set()
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            title = plain(tokens[place + 1])
            name = slugify(title) or "part"
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
    return tokens, chapters


def rendered(tokens: list[Token]) -> SafeString:
    """The HTML of a text's tokens."""
    html: str = _READER.renderer.render(tokens, _READER.options, {})
    safe: SafeString = mark_safe(html)  # noqa: S308 - made from Markdown with HTML switched off
    return safe


def paragraphs(text: str) -> list[str]:
    """The text without its marks: one string for each heading, paragraph, list item and cell."""
    return [plain(token) for token in _READER.parse(text) if token.type == "inline"]


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
