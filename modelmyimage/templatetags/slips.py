"""What is printed on a slip of paper: a job's running lines, a receipt's lines, its stamp and its seal.

A receipt may be anybody's file (the verify page shows what was pasted), so nothing here trusts a receipt's content:
what is not text of the expected form is printed as unknown or left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from django.utils.translation import ngettext

from privacy import receipts

register = template.Library()

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_SHOWN_LINES = 12
TENTHS_BELOW, SECONDS_BELOW, MINUTES_BELOW = 60, 90, 5400
"""So many seconds are said in tenths, in seconds, in minutes; more, in hours."""

EXPIRES = later("it goes by itself then, as the provider says")
SWEPT = later("no way to delete; the operator’s sweeper removes it")
KEPT = later("it offers no way to delete")
UNSAID = later("nobody could confirm what became of it")


@dataclass(frozen=True)
class Line:
    """One line of a slip: what, and what became of it; ``at`` is ISO 8601 or empty, on another ``day`` perhaps.

    ``why`` explains a line that is not as one would wish.
    """

    label: str
    word: str
    at: str = ""
    unknown: bool = False
    day: bool = False
    why: str | Promise = ""


@register.simple_tag
def phase(snapshot: dict[str, Any]) -> str:
    """What the job page shows: ``waiting``, ``running``, ``ready``, ``ending`` or the final outcome."""
    if snapshot["final"]:
        return str(snapshot["outcome"])
    if snapshot["outcome"] or not snapshot["can_cancel"]:
        return "ending"
    if snapshot["asset"]:
        return "ready"
    if snapshot["stage"] in ("deliver", "purge"):
        return "ending"
    in_line = snapshot.get("waiting") or (snapshot["queue_position"] or 0) > 1
    return "waiting" if in_line else "running"


@register.filter
def lasted(line: dict[str, Any]) -> str:
    """How long a done line of a timeline took: ``4.1 s``; empty where that is not known."""
    if not line["at"] or not line["began"]:
        return ""
    seconds = (datetime.fromisoformat(line["at"]) - datetime.fromisoformat(line["began"])).total_seconds()
    return "" if seconds < 0 else f"{seconds:.1f} s" if seconds < TENTHS_BELOW else span(seconds)


@register.filter
def span(seconds: float) -> str:
    """A time as people say it, roughly: ``8 s``, ``3 min``, ``2 h``; the same rule as ``frontend/spans.js``."""
    if seconds < SECONDS_BELOW:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < MINUTES_BELOW else f"{round(seconds / 3600)} h"


@register.filter
def working(snapshot: dict[str, Any]) -> str:
    """What happens at this moment: the label of the line that is ``now``, empty when the job is over."""
    return next((str(line["label"]) for line in snapshot["timeline"] if line["state"] == "now"), "")


@register.filter
def short(identifier: object) -> str:
    """An id as people say it: its first eight digits, in two groups."""
    text = str(identifier)
    return f"{text[:4]}-{text[4:8]}" if len(text) >= 8 else text[:8]


@register.filter
def groups(text: str) -> str:
    """Hex digits in groups of four."""
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


@register.filter
def clock(moment: str) -> str:
    """The time of day (UTC) in an ISO 8601 text; the page's script turns it into the reader's own."""
    return moment[11:19] if _MOMENT.match(moment or "") else ""


@register.filter
def day(moment: str) -> str:
    """The date (UTC) in an ISO 8601 text."""
    return moment[:10] if _MOMENT.match(moment or "") else ""


@register.filter
def weight(size: int) -> str:
    """Bytes as people say them: ``45 kB``, ``2.1 MB``."""
    return f"{size / 1e6:.1f} MB" if size >= 950_000 else f"{max(1, round(size / 1e3))} kB"


@register.filter
def canonical(document: dict[str, Any]) -> str:
    """A receipt as the text to check."""
    return receipts.encode(document).decode()


@register.filter
def made_in(job: Any) -> str:
    """Seconds from a job's photo to its model, as text."""
    return f"{(job.ready_at - job.created_at).total_seconds():.1f}"


@register.inclusion_tag("slips/receipt.html")
def receipt_slip(document: dict[str, Any], *, large: bool = False, verified: bool = False) -> dict[str, Any]:
    """A receipt as paper. ``large`` adds the big seal; ``verified`` stamps that its signature holds."""
    body = document["receipt"]
    erased = body["format"] == receipts.ERASURE
    lines = _destroyed(body["destroyed"], keys=not erased) + _kept(body.get("kept", [])) + _elsewhere(body["elsewhere"])
    moments = [_moment(line.get("destroyed_at")) for line in body["destroyed"]]
    return {
        "id": _text(body["id"]),
        "job": _text(body["job"]),
        "erased": erased,
        "issued_at": _moment(body["issued_at"]),
        "lines": lines[:_SHOWN_LINES],
        "left_out": max(0, len(lines) - _SHOWN_LINES),
        "unknown": sum(line.unknown for line in lines),
        "last": max(moments, default=""),
        "key_id": _text(document["signature"]["key_id"]),
        "digest": receipts.digest(document),
        "large": large,
        "verified": verified,
    }


def _kept(tables: list[dict[str, Any]]) -> list[Line]:
    """What a certificate says stays; a line of it is as it should be, and still not what one would wish."""
    return [Line(f"{_text(table.get('kind'))}, {_rows(table)}", _("stays"), unknown=True) for table in tables]


def _rows(table: dict[str, Any]) -> int:
    rows = table.get("rows")
    return rows if type(rows) is int else 1


def _destroyed(blobs: list[dict[str, Any]], *, keys: bool) -> list[Line]:
    names = {
        "upload": _("photo, as it came"),
        "source": _("work copy"),
        "raw_mesh": _("mesh, as built"),
        "asset": _("model.glb"),
    }
    several = {"source": _("work copies")}
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for blob in blobs:
        by_kind.setdefault(_text(blob.get("kind")), []).append(blob)
    lines = []
    for kind in sorted(by_kind, key=lambda kind: list(names).index(kind) if kind in names else len(names)):
        found = by_kind[kind]
        label = names.get(kind) or kind or _("something unnamed")
        count = len(found) if len(found) > 1 else _rows(found[0])
        if count > 1:
            label = f"{several.get(kind, label)}, {count}"
        moments = [_moment(blob.get("destroyed_at")) for blob in found]
        if all(moments):
            lines.append(Line(label, _("gone"), max(moments)))
        else:
            lines.append(Line(label, _("unknown"), unknown=True))
    if blobs and keys:
        label = ngettext("key, %(count)d", "keys, %(count)d", len(blobs)) % {"count": len(blobs)}
        observed = [blob.get("observed") for blob in blobs]
        dropped = all(isinstance(seen, dict) and seen.get("key") == "absent" for seen in observed)
        lines.append(Line(label, _("dropped") if dropped else _("unknown"), unknown=not dropped))
    return lines


def _elsewhere(attempts: list[dict[str, Any]]) -> list[Line]:
    lines = []
    calls: dict[str, int] = {}
    for attempt in attempts:
        provider = _text(attempt.get("provider"))
        calls[provider] = calls.get(provider, 0) + 1
        if calls[provider] == 1:
            label = _("copy at %(provider)s") % {"provider": provider}
        else:
            label = _("copy at %(provider)s, call %(n)d") % {"provider": provider, "n": calls[provider]}
        match attempt.get("result"):
            case "nothing_kept":
                continue
            case "erased":
                lines.append(Line(label, _("erased"), _moment(attempt.get("at"))))
            case "expires":
                until = _moment(attempt.get("until"))
                if until:
                    lines.append(Line(label, _("until"), until, unknown=True, day=True, why=EXPIRES))
                else:
                    lines.append(Line(label, _("unknown"), unknown=True, why=UNSAID))
            case "swept":
                lines.append(Line(label, _("to be swept"), unknown=True, why=SWEPT))
            case "unsupported":
                lines.append(Line(label, _("kept"), unknown=True, why=KEPT))
            case _:
                lines.append(Line(label, _("unknown"), unknown=True, why=UNSAID))
    return lines or [Line(_("copies elsewhere"), _("none"))]


def _text(value: object) -> str:
    return value[:80] if isinstance(value, str) else ""


def _moment(value: object) -> str:
    return value[:40] if isinstance(value, str) and _MOMENT.match(value) else ""
