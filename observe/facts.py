"""What may be said of a request, a task or a job to whoever watches: numbers, identifiers, and our own codes.

Whatever else is offered is left out, so that nothing of a photo and nobody's data reaches a log, a trace or a report.
What is known of the work at hand (``about``) follows it: from a request into its threads and, by the headers of
messages, into the tasks that it sends.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

HIDDEN: Final = "…"
"""Stands where something was left out."""

NAMES: Final = (
    "job",
    "blob",
    "group",
    "receipt",
    "stage",
    "outcome",
    "failure",
    "provider",
    "attempt",
    "webhook",
    "count",
    "seconds",
    "part",
)
"""Names under which our own modules may add facts; each holds a number, an identifier or one of our own codes."""
NOTHING: Final[Mapping[str, str]] = {}
ABOUT: Final = ("request", "task", "job")
"""What may be known of the work at hand; each is an identifier."""

WORD: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
IDENTIFIER: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""A UUID's two usual forms."""
CODE_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,99}")

_about: ContextVar[Mapping[str, str]] = ContextVar("about")


def harmless(value: object) -> object:
    """The value itself when it is a number or an identifier, else a mark that something was left out."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value) if isinstance(value, str | uuid.UUID) else ""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return HIDDEN


def fact(value: object) -> object:
    """The value when it is a number, an identifier or a word that looks like one of our codes, else the mark."""
    word = isinstance(value, str) and WORD.fullmatch(value)
    return value if word else harmless(value)


def code_name(value: str) -> str:
    """A name that comes from code (a route, a task, a class), or ``other`` for what cannot be one."""
    return value if CODE_NAME.fullmatch(value) else "other"


def about() -> Mapping[str, str]:
    """What is known of the work at hand, by the names in ``ABOUT``."""
    return _about.get(NOTHING)


def begin(**known: object) -> None:
    """Forget what was known in this thread or task, and know this; values that are no identifiers are left out."""
    _about.set(_identifiers(known))


@contextmanager
def telling(**known: object) -> Iterator[None]:
    """Know this, too, for as long as the block runs."""
    token = _about.set({**about(), **_identifiers(known)})
    try:
        yield
    finally:
        _about.reset(token)


def _identifiers(known: Mapping[str, object]) -> dict[str, str]:
    found = {name: str(value) for name, value in known.items() if name in ABOUT}
    return {name: value for name, value in found.items() if IDENTIFIER.fullmatch(value)}
