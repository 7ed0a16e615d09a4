"""What a document says now: a file of ``trust/documents``, whose values come from the code (``trust/facts.py``).

A file begins with lines ``name: value`` between two lines of dashes. ``substance`` is a number, raised by whoever
changes what the document promises or allows; ``summary`` says in a sentence what changed. The rest is Markdown as a
Django template. A name that nothing fills is an error, never a blank. In a folder for each other language lie the
translations, which have no such head but say from which English text they were made (``trust/translations.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

from django.template import Context, Engine, Template
from django.template.backends.django import get_installed_libraries

from trust import translations

FOLDER: Final = Path(__file__).resolve().parent / "documents"
UNKNOWN: Final = "\N{WARNING SIGN}unknown:"


class UnknownName(Exception):
    """A document uses a value that does not exist."""


class Headless(Exception):
    """A document does not begin as it has to."""


@dataclass(frozen=True)
class Source:
    """A document's file: its head, and its text with the values still open."""

    substance: int
    summary: str
    body: str

    @cached_property
    def template(self) -> Template:
        """The text, ready to be filled."""
        return _engine().from_string(self.body)


@cache
def _engine() -> Engine:
    return Engine(libraries=get_installed_libraries(), string_if_invalid=f"{UNKNOWN} %s")


@cache
def source(name: str) -> Source:
    """A document as it lies in the repository. Raises ``Headless``."""
    return parse((FOLDER / f"{name}.md").read_text())


def parse(written: str) -> Source:
    """The same from a file's text."""
    _, _, rest = written.partition("---\n")
    head, found, body = rest.partition("\n---\n")
    values = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
    if not found or not values.get("substance", "").isdecimal() or not values.get("summary"):
        raise Headless
    return Source(int(values["substance"]), values["summary"], body)


@cache
def translated(name: str, language: str) -> Template | None:
    """The same document in another language, made from the English text as it lies there now; else ``None``."""
    text = translations.current(FOLDER / language / f"{name}.md", source(name).body)
    return None if text is None else _engine().from_string(text)


def render(template: Template, values: dict[str, Any]) -> str:
    """The text with its values, as Markdown. Raises ``UnknownName``."""
    # No escaping: it is Markdown, and becomes HTML where no HTML in it is let through.
    said = template.render(Context(values, autoescape=False))
    if UNKNOWN in said:
        raise UnknownName(said.partition(UNKNOWN)[2].split()[0])
    lines = (line.rstrip() for line in said.strip().splitlines())
    paragraphs: list[str] = []
    for line in lines:
        if line or (paragraphs and paragraphs[-1]):
            paragraphs.append(line)
    return "\n".join(paragraphs) + "\n"
