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
class Part:
    """Readers, and the names of the guides for them: files of ``docs/`` without ``.md``, or of ``ELSEWHERE``."""

    name: str
    title: str | Promise
    lead: str | Promise
    files: tuple[str, ...]
    translated: bool = False


PARTS: Final = (
    Part(
        "people",
        _("Making models"),
        _("From a photo to a model that you keep, print or show."),
        ("start", "photos", "formats", "printing", "library", "receipts"),
        translated=True,
    ),
    Part(
        "developers",
        _("For programs"),
        _("The same job by one request, and what your program is told."),
        ("api", "client", "webhooks"),
    ),
    Part(
        "operators",
        _("Running a site"),
        _("For whoever runs ModelMyImage, or wants to know how it works."),
        (
            "configuration",
            "providers",
            "deploy",
            "backup",
            "operations",
            "observe",
            "security",
            "incidents",
            "privacy",
            "architecture",
            "engine",
            "glossary",
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
