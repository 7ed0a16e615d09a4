"""The stand-in's memory across restarts: one JSON file, for its owner's eyes, replaced in one step."""

from __future__ import annotations

import heapq
import json
import os
from pathlib import Path

from sandbox.stripe.book import Book
from sandbox.stripe.hooks import MODES, Hooks

EVENTS_KEPT = 1000
ANSWERS_KEPT = 1000


class StoreError(Exception):
    """The file is there and cannot be read; the message says so in one line."""


def save(path: Path, book: Book, hooks: Hooks) -> None:
    """Write everything down. Of events and answers, the oldest are left out. Raises ``OSError``."""
    waiting = hooks.waiting()
    old = set(book.kinds["event"][:-EVENTS_KEPT]) - set(waiting)
    whole = {
        "base": book.base,
        "objects": [one for id, one in book.objects.items() if id not in old],
        "notes": book.notes,
        "answers": dict(list(book.answers.items())[-ANSWERS_KEPT:]),
        "agenda": book.agenda,
        "offset": book.offset,
        "mode": hooks.mode,
        "waiting": waiting,
    }
    new = path.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(whole, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def load(path: Path, book: Book, hooks: Hooks) -> None:
    """Read what was written, if anything was. What was on its way to the site is sent again. Raises ``StoreError``."""
    if not path.exists():
        return
    try:
        text = path.read_text()
        before = json.loads(text)["base"]
        whole = json.loads(text.replace(f"{before}/", f"{book.base}/"))  # the port may be another one
        for one in whole["objects"]:
            book.objects[one["id"]] = one
            book.kinds[one["object"]].append(one["id"])
        book.notes, book.answers, book.offset = whole["notes"], whole["answers"], whole["offset"]
        book.agenda = [(when, what, id) for when, what, id in whole["agenda"]]
        waiting = [book.objects[id] for id in whole["waiting"]]
        mode = next(known for known in MODES if known == whole["mode"])
    except (OSError, ValueError, KeyError, StopIteration) as error:
        raise StoreError(f"{path} cannot be read ({type(error).__name__}). Move it away to begin anew.") from error
    heapq.heapify(book.agenda)
    hooks.mode = mode
    for event in waiting:
        hooks.keep(event) if mode == "delayed" else hooks.queue(event)
