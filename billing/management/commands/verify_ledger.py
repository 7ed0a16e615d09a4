"""``manage.py verify_ledger``: print every broken invariant of the ledger; exit 1 when there is one."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from billing import ledger


class Command(BaseCommand):
    """Checks the ledger against its own rules."""

    help = "Check the ledger against its rules. Exits with 1 when one is broken."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the differences, or that there are none."""
        differences = ledger.verify()
        for line in differences:
            self.stdout.write(line)
        if differences:
            sys.exit(1)
        self.stdout.write("The ledger is sound.")
