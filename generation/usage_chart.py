"""Bars for figures in a row, as whole numbers that a template writes into an SVG: no script, no inline style.

What went wrong stands on top of what went well, hollow: told by its form, not by its colour alone. The axis ends at a
round number. Beside each chart there is its table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LEFT, RIGHT, TOP, BOTTOM = 76, 592, 16, 200
LABELS: Final = 5
"""So many bars are named at most."""
NARROWEST: Final = 2


@dataclass(frozen=True)
class Bar:
    """One bar: the solid part, the hollow part above it, and its name below, if it is one of those named."""

    x: int
    width: int
    y: int
    height: int
    hollow_y: int
    hollow_height: int
    name: str
    middle: int
    minor: bool
    """Whether its name is left out where there is little room."""


@dataclass(frozen=True)
class Chart:
    """All bars, and the end of the axis."""

    bars: list[Bar]
    top: str
    most: int
    """The highest value itself."""
    most_at: str
    total: int


def chart(values: Sequence[tuple[str, int, int]]) -> Chart:
    """Bars of these: a name, how many in all, and how many of those went wrong."""
    most = max((whole for _name, whole, _wrong in values), default=0)
    top = round_up(most)
    pitch = (RIGHT - LEFT) / max(1, len(values))
    named = {round(step * (len(values) - 1) / (LABELS - 1)) for step in range(LABELS)}
    minor = set(sorted(named)[1:-1:2])
    bars = []
    for place, (name, whole, wrong) in enumerate(values):
        x = round(LEFT + pitch * place + pitch * 0.15)
        high, hollow = _pixels(whole, top), _pixels(wrong, top)
        bars.append(
            Bar(
                x=x,
                width=max(NARROWEST, round(pitch * 0.7)),
                y=BOTTOM - high + hollow,
                height=high - hollow,
                hollow_y=BOTTOM - high,
                hollow_height=hollow,
                name=name if place in named else "",
                middle=min(RIGHT - 30, max(LEFT + 30, round(LEFT + pitch * (place + 0.5)))),
                minor=place in minor,
            )
        )
    most_at = next((name for name, whole, _wrong in values if whole == most), "")
    return Chart(bars, short(top), most, most_at, sum(whole for _name, whole, _wrong in values))


def _pixels(value: int, top: int) -> int:
    # What is there at all can be seen.
    return max(2, round((BOTTOM - TOP) * value / top)) if value else 0


def round_up(most: int) -> int:
    """The first of 1, 2, 5, 10, 20, 50 and so on that is no less."""
    scale = 1
    while True:
        for step in (1, 2, 5):
            if step * scale >= most:
                return step * scale
        scale *= 10


def short(number: int) -> str:
    """A round number in four characters or so: ``500``, ``20 k``, ``5 M``."""
    for size, sign in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number // size} {sign}"
    return str(number)
