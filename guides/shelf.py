"""Which file is for whom, and in which order. A file of ``docs/`` that is in no list here fails a test.

A part may be translated: then each language has a folder below ``docs/`` with files of the same names.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ROOT: Final = Path(settings.BASE_DIR)
DOCS: Final = ROOT / "docs"
ELSEWHERE: Final = {"client": ROOT / "client" / "README.md"}
"""Guides that lie beside what they are about."""
TITLES: Final = {"client": _("Python and the terminal")}
"""What lists call a guide whose own title says too little there."""
DECISIONS: Final = "adr"
"""The folder of decisions, each a page of its own, listed by number."""


@dataclass(frozen=True)
class Group:
    """Guides that one has in hand together: files of ``docs/`` without ``.md``, or of ``ELSEWHERE``."""

    files: tuple[str, ...]
    title: str | Promise = ""
    """Empty where the part's own says it."""
    lead: str | Promise = ""


@dataclass(frozen=True)
class Part:
    """Readers, and the guides for them in the order in which they need them."""

    name: str
    title: str | Promise
    lead: str | Promise
    groups: tuple[Group, ...]
    translated: bool = False

    @property
    def files(self) -> tuple[str, ...]:
        """The names of all its guides."""
        return tuple(name for group in self.groups for name in group.files)


PARTS: Final = (
    Part(
        "people",
        _("Making models"),
        _("From a photo to a model that you keep, print or show."),
        (Group(("start", "photos", "formats", "printing", "library", "receipts")),),
        translated=True,
    ),
    Part(
        "developers",
        _("For programs"),
        _("The same job by one request, and what your program is told."),
        (Group(("api", "client", "webhooks")),),
    ),
    Part(
        "operators",
        _("Running a site"),
        _("For whoever runs ModelMyImage, or wants to know how it works."),
        (
            Group(
                ("deploy", "configuration", "providers", "capacity"),
                _("Set it up"),
                _("On one machine or on many, for as many people as come."),
            ),
            Group(
                ("operations", "observe", "backup", "incidents"),
                _("Keep it running"),
                _("What to look at, what to copy, what to do when something breaks."),
            ),
            Group(
                ("security", "privacy"),
                _("Answer for it"),
                _("What is defended and how, what is held of people and for how long."),
            ),
            Group(
                ("architecture", "engine", "glossary"),
                _("Understand it"),
                _("What is built where, and in which words."),
            ),
        ),
    ),
)


@dataclass(frozen=True)
class Place:
    """A file's place: ``name`` is its address below ``/guides/``, ``part`` is ``None`` for decisions."""

    name: str
    path: Path
    part: Part | None

    @cached_property
    def text(self) -> str:
        """The Markdown."""
        return self.path.read_text(encoding="utf-8")

    def translation(self, language: str) -> Path | None:
        """Where its translation lies, if there is one; ``None`` for what is not to be translated."""
        return self.path.parent / language / self.path.name if self.part and self.part.translated else None


def places() -> list[Place]:
    """Every page, the lists first and then the decisions by number."""
    listed = [Place(name, ELSEWHERE.get(name, DOCS / f"{name}.md"), part) for part in PARTS for name in part.files]
    decisions = [Place(f"{DECISIONS}/{path.stem}", path, None) for path in sorted((DOCS / DECISIONS).glob("*.md"))]
    return [place for place in listed if place.path.is_file()] + decisions
