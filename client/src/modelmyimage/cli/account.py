"""The commands that look and tell: login, history, usage, keys and the like."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from typing import Any, Final, TypeVar

from modelmyimage import settings
from modelmyimage.cli.exits import WrongUse
from modelmyimage.errors import NotAllowed, NotFound
from modelmyimage.shapes import AccessKey, UsageRow, UsageTotal
from modelmyimage.sync import Client

T = TypeVar("T")
STATES: Final = ("running", "ready", "done", "failed", "cancelled", "expired")


def opened(arguments: argparse.Namespace) -> Client:
    """The client that the options and the settings describe."""
    return Client(arguments.url, insecure=arguments.insecure)


def login(arguments: argparse.Namespace) -> int:
    """Ask for a key, try it, and keep it."""
    kept = settings.written()
    url = arguments.url or (kept.url if kept else "")
    if not url:
        if not sys.stdin.isatty():
            raise WrongUse("Which site? Say mmi login --url https://…")
        url = input("Address of the site: ").strip()
    url = settings.checked_address(url, insecure=arguments.insecure)
    if sys.stdin.isatty():
        print(f"Make a key at {url}/account/keys, then paste it here. It is not shown.")
        key = getpass.getpass("Access key: ")
    else:
        key = sys.stdin.readline()
    key = settings.checked_key(key)
    with Client(url, key, insecure=arguments.insecure) as client:
        try:
            client.providers()
        except NotAllowed as error:  # the key is good, but may not read
            if error.code != "scope_missing":
                raise
            print("This key may not read: mmi generate and mmi history need that. Its page can give it the scope.")
    where = settings.write(settings.Settings(url, key))
    print(f"Logged in at {url} with the key that ends with {key[-4:]}. Kept in {where}, readable by you alone.")
    return 0


def logout(arguments: argparse.Namespace) -> int:
    """Remove the file."""
    del arguments
    print(
        "Removed. The key itself still works: switch it off on the site." if settings.forget() else "Nothing is kept."
    )
    return 0


def history(arguments: argparse.Namespace) -> int:
    """The newest jobs."""
    with opened(arguments) as client:
        jobs = list(islice(client.jobs.list(arguments.state), max(0, arguments.limit)))
    if arguments.json:
        print(_json([asdict(job) for job in jobs]))
        return 0
    rows = [
        [_minute(job.created_at), job.id, job.state, job.quality, job.provider or "–",
         str(job.credits.charged), job.failure.message if job.failure else ""]
        for job in jobs
    ]  # fmt: skip
    _table(["when", "job", "state", "quality", "provider", "credits", ""], rows, "There are no jobs.")
    return 0


def cancel(arguments: argparse.Namespace) -> int:
    """Stop some jobs."""
    with opened(arguments) as client:
        for job in arguments.job:
            print(f"{client.jobs.cancel(job).id}: stopping; everything of it is destroyed.")
    return 0


def receipt(arguments: argparse.Namespace) -> int:
    """Save one."""
    with opened(arguments) as client:
        found = client.jobs.receipt(arguments.job)
    print(found.save(arguments.output))
    if not found.in_log:
        print("It is not in a signed head of the log yet: save it again in some minutes.", file=sys.stderr)
    return 0


def usage(arguments: argparse.Namespace) -> int:
    """How much, of what."""
    with opened(arguments) as client:
        try:
            found = client.usage(arguments.start, arguments.end, arguments.by)
        except NotFound:
            raise WrongUse("This site does not count usage.") from None
    if arguments.json:
        print(_json(asdict(found)))
        return 0
    calls = ("calls", "client_errors", "server_errors", "bytes_in", "bytes_out", "median_ms", "p95_ms")
    jobs = ("jobs", "done", "failed", "credits")
    lines: list[tuple[str, UsageRow | UsageTotal]] = [(each.label, each) for each in found.rows if _any(each)]
    rows = []
    for label, row in [*lines, ("all", found.total)]:
        cells = [getattr(row.calls, name, None) for name in calls] + [getattr(row.jobs, name, None) for name in jobs]
        rows.append([label, *("–" if cell is None else str(cell) for cell in cells)])
    _table([found.by, *(name.replace("_", " ") for name in (*calls, *jobs))], rows, "")
    return 0


def balance(arguments: argparse.Namespace) -> int:
    """What there is to spend."""
    with opened(arguments) as client:
        found = client.balance()
    limit = "" if found.monthly_limit is None else f" of the {found.monthly_limit} that you allow"
    rows = [["available", str(found.available)], ["reserved", str(found.held)], ["owed", str(found.owed)]]
    _table(["credits", ""], [*rows, ["this month", f"{found.spent_this_month}{limit}"]], "")
    return 0


def providers(arguments: argparse.Namespace) -> int:
    """Who, where, on what terms."""
    with opened(arguments) as client:
        found = client.providers()
    rows = []
    for each in found:
        keeps = "unknown" if each.keeps_seconds is None else f"{each.keeps_seconds:.0f} s"
        trains = {True: "yes", False: "no", None: "unknown"}[each.trains_on_input]
        price = ", ".join(f"{quality} {credits}" for quality, credits in each.credits.items())
        rows.append([each.name, each.place, keeps, trains, price, each.state or "ready", " ".join(each.excluded)])
    heads = ["name", "where", "keeps photos", "learns", "credits", "state", ""]
    _table(heads, rows, "No provider is set up at this site.")
    return 0


def keys(arguments: argparse.Namespace) -> int:
    """All keys, the one in use marked; where it may not see the others, that one and what it may do."""
    with opened(arguments) as client:
        found = client.settings
        listed: list[AccessKey] = []
        with suppress(NotFound):  # a site from before there was such a list
            listed = _unless_barred(client.keys) or []
        may = {} if listed else _probed(client)
    print(f"Site      {found.url}")
    print(f"Key       ends with {found.key[-4:]}, from {found.source or 'the options'}")
    if listed:
        rows = [
            [each.name, f"…{each.ends_with}", each.state, _minute(each.last_used_at), _minute(each.expires_at),
             str(each.calls), " ".join(each.scopes), "in use here" if each.current else ""]
            for each in listed
        ]  # fmt: skip
        _table(["name", "secret", "state", "last used", "expires", "calls", "may", ""], rows, "")
        return 0
    print(f"May       {', '.join(scope for scope, yes in may.items() if yes) or 'nothing of what was asked'}")
    print(f"May not   {', '.join(scope for scope, yes in may.items() if not yes) or '–'}")
    print("Not asked privacy and webhooks. To list all keys, a key needs usage:read; the page does, too:")
    print(f"          {found.url}/account/keys")
    return 0


def _probed(client: Client) -> dict[str, bool]:
    """What the key may do, by scope, as far as that can be asked without doing it."""
    nobody = str(uuid.UUID(int=0))
    asked = {
        "read": client.providers,
        "generate": lambda: client.jobs.cancel(nobody),
        "billing:read": client.balance,
        "usage:read": client.usage,
    }
    return {scope: _may(ask) for scope, ask in asked.items()}


def export(arguments: argparse.Namespace) -> int:
    """Everything that is held, in a ZIP."""
    with opened(arguments) as client:
        print(client.export(arguments.output))
    return 0


def _any(row: UsageRow) -> bool:
    return bool((row.calls and row.calls.calls) or (row.jobs and row.jobs.jobs))


def _may(ask: Callable[[], object]) -> bool:
    try:
        return _unless_barred(ask) is not None
    except NotFound:  # there is no such job, which is only said to keys that may ask
        return True


def _unless_barred(ask: Callable[[], T]) -> T | None:
    """The answer, or nothing where the key lacks the scope."""
    try:
        return ask()
    except NotAllowed as error:
        if error.code != "scope_missing":
            raise
        return None


def _minute(at: datetime | None) -> str:
    return "–" if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M")


def _json(value: Any) -> str:
    return json.dumps(value, default=str, indent=2, ensure_ascii=False)


def _table(heads: list[str], rows: list[list[str]], empty: str) -> None:
    if not rows:
        print(empty)
        return
    lines = [heads, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
