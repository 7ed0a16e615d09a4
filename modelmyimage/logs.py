"""Logs without personal data: JSON lines that say what happened and where, never about what.

A line holds the *template* of a message and only those of its arguments that cannot carry anybody's data: numbers and
identifiers. It says which request, task and job it is about (``observe/facts.py``). Of an exception it holds the type
and the places in the code, never its text, since that may quote a provider's answer, a path or an address. Our own
modules log ``logger.info("job settled", extra={"job": job.id})``.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import traceback
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from observe import facts
from observe.facts import HIDDEN, harmless

OURS = ("trust", "generation", "billing", "accounts", "privacy", "modelmyimage", "observe", "sandbox")
BASE_DIR = Path(__file__).resolve().parent.parent

# What a library may have put into a message that is no template: quotations, addresses, paths.
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\S+@\S+|(?:\w+:/)?/\S+")


def event(record: logging.LogRecord) -> str:
    """The message with only harmless arguments filled in; at most 300 characters."""
    # Whatever is no text may be an exception, whose text is what it says.
    template = QUOTED.sub(HIDDEN, record.msg) if isinstance(record.msg, str) else HIDDEN
    if record.args:
        args: Any = record.args
        try:
            if isinstance(args, dict):
                template %= {name: harmless(value) for name, value in args.items()}
            else:
                template %= tuple(map(harmless, args))
        except (TypeError, ValueError):  # a %d whose argument was hidden
            template = re.sub(r"%(\(\w+\))?[-+ #0]*[\d.*]*[a-zA-Z]", HIDDEN, template)
    return template[:300]


def places(trace: TracebackType | None) -> list[str]:
    """Where an exception passed, outermost first, as ``file:line function``; the last 30 places."""
    found = []
    for frame in traceback.extract_tb(trace)[-30:]:
        path = Path(frame.filename)
        short = path.relative_to(BASE_DIR) if path.is_relative_to(BASE_DIR) else Path(*path.parts[-3:])
        found.append(f"{short}:{frame.lineno} {frame.name}")
    return found


def chain(error: BaseException | None) -> list[dict[str, Any]]:
    """The exception and what led to it, without their texts."""
    found: list[dict[str, Any]] = []
    while error is not None and len(found) < 5:
        found.append({"type": type(error).__qualname__, "at": places(error.__traceback__)})
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return found


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for one record, without its newline."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": event(record),
        }
        line |= facts.about()
        for name in facts.NAMES:
            if hasattr(record, name):
                line[name] = facts.fact(getattr(record, name))
        status = getattr(record, "status_code", None)
        if isinstance(status, int):
            line["status"] = status
            match = getattr(getattr(record, "request", None), "resolver_match", None)
            line["route"] = match.route if match else None  # the pattern, not the path, which may hold a token
        if record.exc_info:
            line["exception"] = chain(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def config(*, dsn: str = "") -> dict[str, Any]:
    """Django's LOGGING: all to standard error, libraries from WARNING, ours from INFO; errors to ``dsn``, too."""
    reports = {"reports": {"()": "modelmyimage.error_tracking.Reports", "dsn": dsn}} if dsn else {}
    quiet = ("django", "django.server", "celery", "uvicorn", "uvicorn.error", "uvicorn.access")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": "modelmyimage.logs.JsonLines"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}, **reports},
        "root": {"handlers": ["stderr", *reports], "level": "WARNING"},
        "loggers": {
            **{name: {"handlers": [], "level": "WARNING", "propagate": True} for name in quiet},
            **{name: {"handlers": [], "level": "INFO", "propagate": True} for name in OURS},
        },
    }


def hush_crashes() -> None:
    """In a server process, log exceptions that nobody caught by the same rule instead of printing their text."""
    logger = logging.getLogger("modelmyimage.crash")

    def process(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        logger.critical("process ended by an exception", exc_info=(kind, error, trace))

    def thread(args: threading.ExceptHookArgs) -> None:
        error = args.exc_value
        logger.error("thread ended by an exception", exc_info=error if error is not None else None)

    sys.excepthook = process
    threading.excepthook = thread
    sys.unraisablehook = lambda args: logger.error("exception in a destructor", exc_info=args.exc_value)
    logging.captureWarnings(True)
