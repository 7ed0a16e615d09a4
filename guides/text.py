"""A guide's Markdown as a page of the site: links lead to pages, pictures are served, what is wide scrolls by itself.

In another language it is the translation, as long as that was made from the English text as it is now.

Raw HTML is switched off where the Markdown is read (``trust/markdown.py``).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import override, pgettext
from markdown_it.token import Token
from PIL import Image

from guides.shelf import DOCS, ROOT, TITLES, Part, Place, places
from trust import markdown, translations
from trust.translations import ENGLISH

IMAGES: Final = (DOCS / "images").relative_to(ROOT).as_posix() + "/"
"""The pictures' folder; ``settings.STATICFILES_DIRS`` serves it as ``guides/``."""

SHOWN: Final = "(max-width: 719px) 50vw, 222px"
"""How wide pictures are shown, three beside each other or two; ``frontend/styles/guides.css`` says so."""

SENTENCE: Final = re.compile(r"(?<=[.:]) (?=[¿¡]?[A-ZÀ-Ý])|(?<=。)(?=.)")
"""Between two sentences."""

Lead = Callable[[str], str]
"""From a link as it is written to where it leads on the site."""


class Broken(ValueError):
    """A link leads to a file that is no guide, or a picture is not there."""


@dataclass(frozen=True)
class Passage:
    """A piece of a guide that a search can find: the heading it stands under, by id and words, and its own words."""

    anchor: str
    heading: str
    words: str

    @property
    def is_heading(self) -> bool:
        """Whether it is the heading itself."""
        return self.words == self.heading


@dataclass(frozen=True)
class Guide:
    """One page. ``chapters`` are the second headings as id and title; ``lead`` is the first sentence."""

    name: str
    language: str
    part: Part | None
    title: str | Promise
    lead: str
    html: SafeString
    chapters: list[tuple[str, str]]
    passages: list[Passage]
    broken: tuple[str, ...] = ()
    """Links to guides that are not there. They lead to the list of all; a test fails for them."""

    @property
    def title_language(self) -> str:
        """Of the title: a name that lists give it is in the language that is read."""
        return translations.language() if isinstance(self.title, Promise) else self.language


def guides(language: str = ENGLISH) -> dict[str, Guide]:
    """Every page by its name, in the shelf's order; in English what has no translation that is current."""
    return _guides(language)


@lru_cache(maxsize=16)
def _guides(language: str) -> dict[str, Guide]:
    """Read once: the files are a part of the program."""
    found = places()
    names = {_seen(place.path): place.name for place in found}
    if language == ENGLISH:
        return {place.name: _guide(place, place.path, place.text, names) for place in found}
    translated = {place.name: path for place in found if (path := place.translation(language))}
    names |= {_seen(path): name for name, path in translated.items()}
    made = dict(_guides(ENGLISH))
    for place in found:
        path = translated.get(place.name)
        text = translations.current(path, place.text) if path else None
        if path and text is not None:
            with override(language):
                made[place.name] = _guide(place, path, text, names, language)
    return made


def _seen(path: Path) -> str:
    """A path as seen from the project's folder."""
    return path.relative_to(ROOT).as_posix()


def _guide(place: Place, path: Path, text: str, names: dict[str, str], language: str = ENGLISH) -> Guide:
    tokens, chapters = markdown.parsed(text, markdown.names(place.text))
    _no_empty_headings(tokens)
    passages = _passages(tokens)
    folder = _seen(path.parent)

    broken: list[str] = []

    def leads(target: str) -> str:
        return _address(target, folder, names)

    def linked(target: str) -> str:
        try:
            return leads(target)
        except Broken:
            broken.append(target)
            return reverse("guides:contents")

    tokens = [changed for token in tokens for changed in _changed(token, leads, linked, folder)]
    lead = next((passage.words for passage in passages if not passage.is_heading), "")
    title = TITLES.get(place.name, passages[0].words)
    return Guide(
        name=place.name,
        language=language,
        part=place.part,
        title=title,
        lead=SENTENCE.split(lead, 1)[0],
        html=markdown.rendered(tokens),
        chapters=chapters,
        passages=passages,
        broken=tuple(broken),
    )


def _passages(tokens: list[Token]) -> list[Passage]:
    """Each heading, paragraph, item, row and piece of code, under its heading."""
    passages: list[Passage] = []
    anchor, heading, opened = "", "", False
    row: list[str] | None = None
    for token in tokens:
        if token.type == "heading_open":
            anchor, opened = str(token.attrGet("id")), True
        elif token.type == "inline":
            words = markdown.plain(token)
            if opened:
                heading, opened = words, False
            if row is not None:
                row.append(words)
            elif words:
                passages.append(Passage(anchor, heading, words))
        elif token.type == "tr_open":
            row = []
        elif token.type == "tr_close":
            passages.append(Passage(anchor, heading, ": ".join(filter(None, row or ()))))
            row = None
        elif token.type in {"fence", "code_block"}:
            passages.append(Passage(anchor, heading, " ".join(token.content.split())))
    return passages


def _no_empty_headings(tokens: list[Token]) -> None:
    """The corner of a table that heads nothing is a plain cell."""
    for opened, said, closed in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opened.type == "th_open" and not said.content:
            opened.tag = closed.tag = "td"
            opened.attrs.pop("scope", None)


def _changed(token: Token, leads: Lead, linked: Lead, folder: str) -> list[Token]:
    """A token as pages have it, with what goes around it. ``leads`` raises for what is no guide, ``linked`` not."""
    if token.type in {"fence", "code_block"}:
        token.content = token.content.replace("$SITE", settings.SITE_URL.rstrip("/"))  # so that it can be copied
    if token.type == "inline":
        token.children = [
            changed for child in token.children or () for changed in _inline(child, leads, linked, folder)
        ]
    elif token.type in {"fence", "code_block"}:
        return [_scrolling(pgettext("in a guide", "Code")), token, _closed("div")]
    elif token.type == "table_open":
        return [_scrolling(pgettext("in a guide", "Table")), token]
    elif token.type == "table_close":
        return [token, _closed("div")]
    return [token]


def _inline(token: Token, leads: Lead, linked: Lead, folder: str) -> list[Token]:
    if token.type == "link_open":
        token.attrSet("href", linked(str(token.attrGet("href") or "")))
    elif token.type == "image":
        return _picture(token, folder)
    elif token.type == "code_inline" and token.content.endswith(".md"):
        # A guide that is named in the text can be gone to, as seen from where it stands or from the project's folder.
        for seen_from in ("", "/"):
            try:
                link = Token("link_open", "a", 1, {"href": leads(seen_from + token.content)})
            except Broken:
                continue  # a file that is no guide
            return [link, token, _closed("a", "link_close")]
    return [token]


def _address(target: str, folder: str, names: dict[str, str]) -> str:
    """Where a link leads on the site. A link to a file that is no page is a mistake."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or not parts.path.endswith(".md"):
        return target
    # A path that begins with a slash is one from the project's folder.
    name = names.get(posixpath.normpath(posixpath.join(folder, parts.path)).lstrip("/"))
    if name is None:
        raise Broken(target)
    return reverse("guides:guide", args=[name]) + (f"#{parts.fragment}" if parts.fragment else "")


def _picture(token: Token, folder: str) -> list[Token]:
    """Its address, and its size, so that nothing moves as it comes; lighter ones for browsers that take them.

    Pictures that are out of sight are loaded ahead by the screenful; without scripts all of a guide's are, at once.
    """
    source = posixpath.normpath(posixpath.join(folder, str(token.attrGet("src") or "")))
    if not source.startswith(IMAGES) or not (ROOT / source).is_file():
        raise Broken(source)
    with Image.open(ROOT / source) as picture:
        width, height = picture.size
    name = source.removeprefix(IMAGES)
    token.attrSet("src", static(f"guides/{name}"))
    token.attrSet("width", str(width))
    token.attrSet("height", str(height))
    token.attrSet("loading", "lazy")
    stem = name.rpartition(".")[0]
    choices: list[tuple[list[str], dict[str, str]]] = [
        ([f"light/{stem}.avif"], {"media": "(scripting: none)"}),
        ([f"small/{stem}.avif", f"{stem}.avif"], {"sizes": SHOWN}),
    ]
    sources = []
    for files, when in choices:
        if all((ROOT / IMAGES / file).is_file() for file in files):
            found = Token("source", "source", 0)
            srcset = ", ".join(_candidate(file) for file in files)
            found.attrs = {**when, "type": "image/avif", "srcset": srcset}
            sources.append(found)
    if not sources:
        return [token]
    return [Token("picture_open", "picture", 1), *sources, token, _closed("picture", "picture_close")]


def _candidate(file: str) -> str:
    """A picture to choose from: its address and its width."""
    with Image.open(ROOT / IMAGES / file) as picture:
        return f"{static(f'guides/{file}')} {picture.width}w"


def _scrolling(label: str) -> Token:
    """What is wider than the screen scrolls by itself, for the keyboard, too."""
    return Token(
        "scrolling_open", "div", 1, {"class": "scrolling", "tabindex": "0", "role": "group", "aria-label": label}
    )


def _closed(tag: str, kind: str = "scrolling_close") -> Token:
    return Token(kind, tag, -1)
