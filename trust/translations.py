"""A text in another language: a file whose first line says from which English text it was made.

The line has a digest for each section of the English text: the title with what follows it, and each second heading.
While these are the digests of the English text as it is now, readers get the translation; after a change of it they get
the English text, until somebody has looked again. ``python -m scripts.translations stamp`` writes the line.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from hashlib import sha256
from pathlib import Path
from typing import Final

from django.utils.translation import get_language

from trust import markdown

ENGLISH: Final = "en"
_LINE = re.compile(r"<!-- made from:((?: [0-9a-f]{8})*) -->\n+")
PREAMBLE: Final = "(before the first heading)"
GONE: Final = "(a section that is no longer there)"


def language() -> str:
    """The language that is read now, without a country: ``en``, ``de``."""
    return (get_language() or ENGLISH).partition("-")[0]


def digests(english: str) -> list[str]:
    """One for each section of an English text; lines may be broken elsewhere."""
    return [_digest(text) for _heading, text in sections(english)]


def sections(text: str) -> list[tuple[str, str]]:
    """The heading and the whole text of each section, in order."""
    lines = text.splitlines()
    found, heading, begins = [], PREAMBLE, 0
    for title, line in markdown.headings(text, deepest=2):
        if line > begins:
            found.append((heading, "\n".join(lines[begins:line])))
        heading, begins = title, line
    return [*found, (heading, "\n".join(lines[begins:]))]


def _digest(text: str) -> str:
    return sha256(" ".join(text.split()).encode()).hexdigest()[:8]


def made_from(written: str) -> list[str]:
    """The digests in the first line of a translation's file; none where it has no such line."""
    line = _LINE.match(written)
    return line[1].split() if line else []


def body(written: str) -> str:
    """A translation's text, without that line."""
    return _LINE.sub("", written, count=1)


def stamped(written: str, english: str) -> str:
    """The file with a line that says that it was made from this English text."""
    return f"<!-- made from: {' '.join(digests(english))} -->\n{body(written)}"


def changed(written: str, english: str) -> list[str]:
    """The sections of the English text, by heading, that are others than the translation was made from."""
    now, before = sections(english), made_from(written)
    found = []
    for what, from_, to, start, end in SequenceMatcher(None, before, digests(english), autojunk=False).get_opcodes():
        if what != "equal":
            found += [heading for heading, _text in now[start:end]] or [GONE] * (to - from_)
    return found


def current(path: Path, english: str) -> str | None:
    """The text of a translation that was made from just this English text; ``None`` where there is none."""
    if not path.is_file():
        return None
    written = path.read_text(encoding="utf-8")
    return body(written) if made_from(written) == digests(english) else None
