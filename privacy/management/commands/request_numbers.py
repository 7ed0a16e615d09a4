"""``manage.py request_numbers``: how data requests were dealt with in a month, without anybody's name."""

import csv
from dataclasses import asdict, fields
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from privacy.requests import numbers


class Command(BaseCommand):
    """Prints a line for each right and law."""

    help = "Numbers of requests in a month: received, answered, refused, extended, open, and days to the answer."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which month, and in which form."""
        parser.add_argument("--month", default="", help="such as 2026-11; without it, this one")
        parser.add_argument("--csv", action="store_true", help="as CSV")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print them."""
        try:
            day = numbers.parse_month(options["month"]) if options["month"] else timezone.localdate()
        except ValueError:
            raise CommandError(f"{options['month']!r} is no month such as 2026-11.") from None
        lines = numbers.monthly(day)
        names = [one.name for one in fields(numbers.Line)]
        if options["csv"]:
            writer = csv.DictWriter(self.stdout, names)
            writer.writeheader()
            writer.writerows(asdict(line) for line in lines)
            return
        self.stdout.write(f"{day:%Y-%m}")
        for line in lines:
            said = ", ".join(f"{name} {value}" for name, value in asdict(line).items() if value not in (None, 0))
            self.stdout.write(said)
        if not lines:
            self.stdout.write("no requests")
