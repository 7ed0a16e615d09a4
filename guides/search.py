"""What a search in the guides finds, best first: the passages in which the words that were asked for stand.

All of it is in memory, made at the first question in a language; a word counts more the fewer passages have it, and
most in titles. What is searched is what is read in that language: translations, and English where there is none.
Nothing that is asked is kept or logged.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import Final

from guides.letters import plain, spans, words
from guides.text import Guide, Passage, guides
from trust.translations import ENGLISH

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

COMMON: Final = {
    language: frozenset(listed.split())
    for language, listed in {
        "en": "a an and are as at be by do for from how i in is it my of on or that the this to what with you",
        "de": "als am an auf aus bei das dem den der die ein eine es fur ich im in ist kann man mein mit oder und von "
        "was wie wo zu zum",
        "fr": "a au aux avec c ce comment d dans de des du en est et il j je l la le les ma mes mon n on ou par pour "
        "qu que quoi s sur un une",
        "es": "a al como con cual de del el en es esta la las lo los mi mis o para por puedo que se su un una y",
    }.items()
}
"""As ``plain`` writes them."""


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


def asked(question: str, language: str = ENGLISH) -> list[str]:
    """The words that are looked for: without common ones, unless there are no others."""
    common = COMMON.get(language, COMMON[ENGLISH])
    found = list(dict.fromkeys(words(question[:MOST_CHARACTERS], ends=False)))
    return ([word for word in found if word not in common] or found)[:MOST_WORDS]


@lru_cache(maxsize=16)
def index(language: str) -> Index:
    """The index of all guides, as they are read in a language."""
    shelf = guides(language).values()
    entries = [(guide, passage) for guide in shelf for passage in guide.passages]
    titles = {id(guide.passages[0]) for guide in shelf}
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


def search(question: str, language: str = ENGLISH) -> list[Hit]:
    """The best passages for a question; none where it has no words, or none that stands in a guide."""
    wanted = asked(question, language)
    made = index(language)
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
    marks = spans(plain(text), wanted)
    first = marks[0][0] if marks else 0
    start = max(0, first - EXCERPT // 3)
    if start:
        # Where words have spaces between them, it begins with a word.
        start = text.find(" ", start, first) + 1 or start
    end = start + EXCERPT
    if end < len(text):
        end = max(text.rfind(" ", start, end), start + EXCERPT // 2)
    pieces: list[tuple[str, bool]] = [("… ", False)] if start else []
    at = start
    for begins, ends in marks:
        if begins < start or ends > min(end, len(text)):
            continue
        pieces += [(text[at:begins], False), (text[begins:ends], True)]
        at = ends
    pieces.append((text[at:end] + (" …" if end < len(text) else ""), False))
    return [(piece, marked) for piece, marked in pieces if piece]
