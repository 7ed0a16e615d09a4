"""What a word is for the search, in a script with spaces between words and in one without.

Letters are compared small and without accents. Japanese has no spaces, so a run of its letters counts as each two that
stand side by side, and its last one alone: whatever part of it is asked for is then found, without a dictionary.
"""

from __future__ import annotations

import re
import unicodedata

JAPANESE = "\u3005-\u3007\u3041-\u3096\u30a1-\u30fa\u30fc-\u30fe\u3400-\u4dbf\u4e00-\u9fff"
"""Kana, Chinese characters, and the marks that lengthen or repeat one."""

_RUN = re.compile(rf"[{JAPANESE}]+")
_WORD = re.compile(rf"[{JAPANESE}]+|[^\W{JAPANESE}]+(?:[-_.][^\W{JAPANESE}]+)*")


def plain(text: str) -> str:
    """Text as it is compared: small letters without accents, as many as there were."""
    return "".join(map(_plain, text))


def _plain(letter: str) -> str:
    if _RUN.match(letter):
        return letter  # its marks make another letter of it
    if "\uff01" <= letter <= "\uff5e":
        letter = chr(ord(letter) - 0xFEE0)  # Latin letters and digits as wide as Japanese ones
    return unicodedata.normalize("NFD", letter)[0].lower()[:1] or letter


def words(text: str, *, ends: bool = True) -> list[str]:
    """The words of a text, and the parts of those that are joined by dots, lines or hyphens.

    ``ends``: of a Japanese run also the last letter alone, by which it is found; nobody asks for it beside the others.
    """
    found = []
    for word in _WORD.findall(plain(text)):
        if _RUN.match(word):
            found += [word[at : at + 2] for at in range(max(1, len(word) - (not ends)))]
            continue
        parts = re.split(r"[-_.]", word)
        found += [word, *parts] if len(parts) > 1 else parts
    return found


def spans(text: str, wanted: list[str]) -> list[tuple[int, int]]:
    """Where words stand in a text (both ``plain``), as first and after the last letter; those that touch are one."""
    longest = sorted(wanted, key=len, reverse=True)
    latin = "|".join(re.escape(word) for word in longest if not _RUN.match(word))
    japanese = "|".join(re.escape(word) for word in longest if _RUN.match(word))
    ways = [rf"(?<![^\W{JAPANESE}])(?:{latin})[^\W{JAPANESE}]*" if latin else "", japanese]
    found: list[tuple[int, int]] = []
    # Looked for at each letter, since two Japanese letters overlap with the next two.
    for mark in re.finditer(f"(?=({'|'.join(filter(None, ways))}))", text):
        begins, ends = mark.span(1)
        if found and begins <= found[-1][1]:
            found[-1] = (found[-1][0], max(ends, found[-1][1]))
        else:
            found.append((begins, ends))
    return found
