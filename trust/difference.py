"""What changed between two versions, so that people can read it: whole paragraphs first, then words within them."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from trust.markdown import paragraphs

ALIKE = 0.5
"""How much of two paragraphs must be the same for them to be shown as one that was changed."""


class Kind(enum.StrEnum):
    """What became of a piece."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True)
class Piece:
    """Some words, and what became of them."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Change:
    """A paragraph in pieces; without pieces, how many paragraphs (``unchanged``) are left out here."""

    pieces: tuple[Piece, ...] = ()
    unchanged: int = 0


@lru_cache(maxsize=32)
def between(old: str, new: str) -> list[Change]:
    """The changes from one text to another, in the order of reading."""
    before, after = paragraphs(old), paragraphs(new)
    found: list[Change] = []
    for tag, from_, to, start, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(Change(unchanged=to - from_))
        else:
            found += _replaced(before[from_:to], after[start:end])
    return found


def _replaced(before: Sequence[str], after: Sequence[str]) -> list[Change]:
    """Pairs of paragraphs that are much alike as one; the others removed or added whole."""
    found, place = [], 0
    for old in before:
        match = next((at for at in range(place, len(after)) if _alike(old, after[at])), None)
        if match is None:
            found.append(Change((Piece(Kind.REMOVED, old),)))
            continue
        found += [Change((Piece(Kind.ADDED, new),)) for new in after[place:match]]
        found.append(Change(_words(old, after[match])))
        place = match + 1
    return found + [Change((Piece(Kind.ADDED, new),)) for new in after[place:]]


def _alike(old: str, new: str) -> bool:
    matcher = SequenceMatcher(None, old.split(), new.split(), autojunk=False)
    return matcher.real_quick_ratio() > ALIKE and matcher.ratio() > ALIKE


def _words(old: str, new: str) -> tuple[Piece, ...]:
    before, after = re.findall(r"\s*\S+", old), re.findall(r"\s*\S+", new)
    found: list[Piece] = []
    for tag, from_, to, start, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(Piece(Kind.SAME, "".join(before[from_:to])))
            continue
        if to > from_:
            found.append(Piece(Kind.REMOVED, "".join(before[from_:to])))
        if end > start:
            found.append(Piece(Kind.ADDED, "".join(after[start:end])))
    return tuple(found)
