"""Times, sizes and parts as people say them, short enough for a table."""

from __future__ import annotations

from django import template

register = template.Library()

SECOND, MINUTE = 1000, 60_000


@register.filter
def within(ms: int | None) -> str:
    """The step that a time lies in: ``≤ 50 ms``, ``≤ 1.5 s``, ``≤ 2 min``; a dash of no time."""
    if ms is None:
        return "–"
    return f"≤ {took(ms)}"


@register.filter
def took(ms: int) -> str:
    """A time: ``50 ms``, ``1.5 s``, ``2 min``."""
    if ms < SECOND:
        return f"{ms} ms"
    if ms < 2 * MINUTE:
        return f"{ms / SECOND:.1f}".removesuffix(".0") + " s"
    return f"{round(ms / MINUTE)} min"


@register.filter
def size(count: int) -> str:
    """Bytes: ``0``, ``240 B``, ``45 kB``, ``2.1 MB``."""
    for unit, sign in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB")):
        if count >= 0.95 * unit:
            return f"{count / unit:.1f} {sign}"
    if count >= 950:
        return f"{round(count / 1000)} kB"
    return f"{count} B" if count else "0"


@register.filter
def percent(part: float | None) -> str:
    """A part of a whole: ``0 %``, ``0.3 %``, ``12 %``; a dash of nothing."""
    if part is None:
        return "–"
    hundredth = 100 * part
    return f"{hundredth:.1f} %" if 0 < hundredth < 10 else f"{hundredth:.0f} %"
