"""Pages in plain HTML: everything that comes from outside is escaped here, and nothing needs a script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import escape
from http import HTTPStatus
from pathlib import Path

from sandbox.stripe.server import Answer

STYLE = Path(__file__).with_name("style.css").read_bytes()
WHOLE = {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"}
"""Currencies without a smaller unit."""
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def h(value: object) -> Markup:
    """The value as HTML text, quotes included; markup stays as it is."""
    return value if isinstance(value, Markup) else Markup(escape(str(value)))


def tag(name: str, /, *inside: object, **attributes: object) -> Markup:
    """One element. An attribute that is ``True`` stands alone, one that is ``False`` or ``None`` is left out.

    Write ``class_`` for ``class``, and underscores for hyphens.
    """
    shown = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{h(value)}"')
        for key, value in attributes.items()
        if value not in (None, False)
    )
    content = "".join(h(one) for one in inside)
    return Markup(f"<{name}{shown}>" if name in ("input", "br") else f"<{name}{shown}>{content}</{name}>")


def join(parts: Iterable[object]) -> Markup:
    """Parts after each other."""
    return Markup("".join(h(one) for one in parts))


def page(title: str, *body: object, status: int = 200, wide: bool = False) -> Answer:
    """A whole page with ``title`` as its heading."""
    shown = (
        Markup('<!doctype html><html lang="en"><head><meta charset="utf-8">')
        + Markup('<meta name="viewport" content="width=device-width, initial-scale=1">')
        + tag("title", f"{title} · Sandbox for Stripe")
        + Markup('<link rel="stylesheet" href="/style.css"></head><body>')
        + tag("p", "Test mode: no money moves.", class_="test")
        + tag("main", tag("h1", title), *body, class_="wide" if wide else None)
        + Markup("</body></html>")
    )
    return Answer(status, shown.encode(), dict(HEADERS))


def sorry(title: str, sentence: str, status: int) -> Answer:
    """A page that says why there is nothing else."""
    return page(title, tag("p", sentence), status=status)


def redirect(url: str) -> Answer:
    """Go on there, by GET."""
    return Answer(HTTPStatus.SEE_OTHER, b"", {"Location": url, "Cache-Control": "no-store"})


def note(sentence: str, kind: str = "bad") -> Markup:
    """A sentence that matters now."""
    return tag("p", sentence, class_=f"note {kind}", role="alert")


def button_form(action: str, words: str, *fields: object, first: bool = False, **hidden: object) -> Markup:
    """A form of one button, with fields before it and hidden ones."""
    kept = [tag("input", type="hidden", name=name, value=value) for name, value in hidden.items()]
    button = tag("button", words, class_="first" if first else None)
    return tag("form", *kept, *fields, button, method="post", action=action, class_=None if first else "inline")


def radios(legend: str, name: str, choices: Mapping[str, str], chosen: str) -> Markup:
    """A group of choices, by value."""
    return tag(
        "fieldset",
        tag("legend", legend),
        *(
            tag(
                "label",
                tag("input", type="radio", name=name, value=value, checked=value == chosen),
                words,
                class_="choice",
            )
            for value, words in choices.items()
        ),
    )


def money(amount: int, currency: str) -> str:
    """An amount as people write it, with the currency's code."""
    if currency in WHOLE:
        return f"{amount:,} {currency.upper()}"
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100:,}.{abs(amount) % 100:02} {currency.upper()}"


def moment(seconds: int | None) -> str:
    """A time as people read it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%d %b %Y, %H:%M UTC") if seconds else "–"


def slip(lines: Iterable[tuple[object, object]], total: tuple[object, object] | None = None) -> Markup:
    """A list of names and values, with the sum below a line."""
    rows = [tag("div", tag("dt", name), tag("dd", value)) for name, value in lines]
    last = [tag("div", tag("dt", total[0]), tag("dd", total[1]), class_="total")] if total else []
    return tag("div", tag("dl", *rows, *last), class_="slip")
