"""``manage.py egress_list``: what the filtering proxy lets through, from the cards of the enabled providers."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generation import egress_list


class Command(BaseCommand):
    """Print the list, or write it where the proxy reads it."""

    help = "Write the filtering proxy's list (Squid) from the hosts on the enabled cards."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to, if not to the screen."""
        parser.add_argument("--out", type=Path, help="write to this file, in one step")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it whole or not at all. Raises ``CommandError``."""
        try:
            text = egress_list.squid()
        except egress_list.BadHost as bad:
            raise CommandError(f"{bad} is no host; nothing was written.") from None
        out: Path | None = options["out"]
        if out is None:
            self.stdout.write(text, ending="")
            return
        new = out.with_name(out.name + ".new")
        try:
            new.write_text(text)
            new.replace(out)
        except OSError as error:
            raise CommandError(f"{out}: {error.strerror}.") from None
