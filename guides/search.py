"""What a search in the guides finds, best first: the passages in which the words that were asked for stand.

All of it is in memory, made at the first question; a word counts more the fewer passages have it, and most in titles.
Nothing that is asked is kept or logged.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import Final

from guides.text import Guide, Passage, guides

MOST_CHARACTERS: Final = 100
"""Of a question; what follows is not looked at."""
MOST_WORDS: Final = 8
MOST_HITS: Final = 20
MOST_OF_ONE: Final = 3
"""Passages of one guide, so that others are seen."""
EXCERPT: Final = 170
"""Characters of a passage that are shown."""

IN_TITLE: Final = 6.0
IN_HEADING: Final = 3.0
DECISION: Final = 0.5
"""What a passage of a decision is worth beside one of a guide."""
USUAL: Final = 25
"""Words of a passage."""
BEGINNING: Final = 0.6
"""What a word is worth that only begins with what was asked."""

COMMON: Final = frozenset(
    re.findall(
        "[a-z]+", "a an and are as at be by do for from how i in is it my of on or that the this to what with you"
    )
)

_WORD = re.compile(r"\w+(?:[-_.]\w+)*")


@dataclass(frozen=True)
class Hit:
    """A passage that was found. ``excerpt`` is its text in pieces, each with whether it is what was asked for."""

    guide: Guide
    passage: Passage
    excerpt: list[tuple[str, bool]]


@dataclass(frozen=True)
class Index:
    """``places[word]`` are the passages (by number) that have it, and its weight there; ``words`` are sorted."""

    entries: list[tuple[Guide, Passage]]
    words: list[str]
    places: dict[str, dict[int, float]]


def plain(text: str) -> str:
    """Text as it is compared: small letters without accents, as many as there were."""
    return "".join(unicodedata.normalize("NFD", letter)[0].lower()[:1] or letter for letter in text)


def words(text: str) -> list[str]:
    """The words of a text, and the parts of those that are joined by dots, lines or hyphens."""
    found = []
    for word in _WORD.findall(plain(text)):
        parts = re.split(r"[-_.]", word)
        found += [word, *parts] if len(parts) > 1 else parts
    return found


def asked(question: str) -> list[str]:
    """The words that are looked for: without common ones, unless there are no others."""
    found = list(dict.fromkeys(words(question[:MOST_CHARACTERS])))
    return ([word for word in found if word not in COMMON] or found)[:MOST_WORDS]


@lru_cache(maxsize=1)
def index() -> Index:
    """The index of all guides."""
    entries = [(guide, passage) for guide in guides().values() for passage in guide.passages]
    titles = {id(guide.passages[0]) for guide in guides().values()}
    weights: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for number, (_guide, passage) in enumerate(entries):
        said = words(passage.words)
        for word, times in Counter(said).items():
            # A word that stands there often says little more than one that stands there once; in a long passage, less.
            weights[word][number] = min(3.0, times) * 2 / (1 + len(said) / USUAL)
        for word in set(said) if passage.is_heading else set(words(passage.heading)):
            title = id(passage) in titles
            weights[word][number] += IN_TITLE if title else IN_HEADING if passage.is_heading else 1.0
    return Index(entries, sorted(weights), {word: dict(places) for word, places in weights.items()})


def search(question: str) -> list[Hit]:
    """The best passages for a question; none where it has no words, or none that stands in a guide."""
    wanted = asked(question)
    made = index()
    scores: dict[int, float] = defaultdict(float)
    met: dict[int, int] = defaultdict(int)
    for word in wanted:
        for number, score in _scores(made, word).items():
            scores[number] += score
            met[number] += 1
    whole = max(met.values(), default=0)
    # Only passages with the most of the words: one of three says little.
    ranked = sorted((number for number in scores if met[number] == whole), key=lambda number: (-scores[number], number))
    hits: list[Hit] = []
    of_one: dict[str, int] = defaultdict(int)
    for number in ranked:
        guide, passage = made.entries[number]
        of_one[guide.name] += 1
        if of_one[guide.name] <= MOST_OF_ONE:
            # Of a heading one reads what follows.
            follows = made.entries[min(number + 1, len(made.entries) - 1)][1]
            shown = follows if passage.is_heading and follows.anchor == passage.anchor else passage
            hits.append(Hit(guide, passage, excerpt(shown.words, wanted)))
        if len(hits) == MOST_HITS:
            break
    return hits


def _scores(made: Index, word: str) -> dict[int, float]:
    """What each passage is worth for one word that was asked for, or that only begins with it."""
    found: dict[int, float] = {}
    for known in made.words[bisect_left(made.words, word) :]:
        if not known.startswith(word):
            break
        places = made.places[known]
        rare = log(1 + len(made.entries) / len(places)) * (1.0 if known == word else BEGINNING)
        for number, weight in places.items():
            worth = rare * weight * (1.0 if made.entries[number][0].part else DECISION)
            found[number] = max(found.get(number, 0.0), worth)
    return found


def excerpt(text: str, wanted: list[str]) -> list[tuple[str, bool]]:
    """The part of a text around the first word that was asked for, in pieces."""
    if not wanted:
        return [(text[:EXCERPT], False)]
    marks = re.compile(r"\b(?:" + "|".join(map(re.escape, sorted(wanted, key=len, reverse=True))) + r")\w*")
    folded = plain(text)
    first = marks.search(folded)
    start = max(0, first.start() - EXCERPT // 3) if first else 0
    if start:
        start = text.find(" ", start) + 1
    end = start + EXCERPT
    if end < len(text):
        end = max(text.rfind(" ", start, end), start + EXCERPT // 2)
    pieces: list[tuple[str, bool]] = [("… ", False)] if start else []
    at = start
    for mark in marks.finditer(folded, start, min(end, len(text))):
        pieces += [(text[at : mark.start()], False), (text[mark.start() : mark.end()], True)]
        at = mark.end()
    pieces.append((text[at:end] + (" …" if end < len(text) else ""), False))
    return [(piece, marked) for piece, marked in pieces if piece]
