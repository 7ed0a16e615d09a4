"""The servers of the native stack with their real settings, and of our processes the web ones alone.

What is measured is run by the benchmark's own process, by one that it starts, or by a web process that it asks.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from scripts.stack.native import Stack

KEPT = ("postgres", "broker", "keystore", "s3", "migrate", "web")
TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def running(settings: Mapping[str, str]) -> Iterator[Stack]:
    """The servers, with Django set up as a process of that site; web processes run and may be asked."""
    stack = Stack({"GRANT_CREDITS": "0", **settings})
    environment = stack.environment
    stack.services = {name: stack.services[name] for name in stack.services if name in KEPT}
    stack.ports = {name: ports for name, ports in stack.ports.items() if name in KEPT}
    try:
        stack.start()
        os.environ |= environment
        os.environ["DJANGO_SETTINGS_MODULE"] = "modelmyimage.settings"
        import django

        django.setup()
        yield stack
    finally:
        stack.stop()


def cpu_seconds(process: int) -> float:
    """Processor seconds that a process has used, with those of its children that have ended."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def cpu_of_all(parent: int) -> float:
    """The same of a process and all its living children: Postgres has one for each connection."""
    found = cpu_seconds(parent)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                    found += cpu_seconds(int(entry.name))
            except OSError:
                continue  # it has ended meanwhile
    return found
