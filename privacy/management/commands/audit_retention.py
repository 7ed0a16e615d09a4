"""``manage.py audit_retention``: exits 1 when rows, keys and objects differ, or anything is older than it may be."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from privacy import datamap
from privacy.audit import audit, too_old
from privacy.retention import PERIODS


class Command(BaseCommand):
    """Prints one line per difference; else what was asked, and what nothing was asked about."""

    help = "Compare rows with the store and the key store, both ways, and all rows with their periods; exit 1 on any."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the audit."""
        differences = audit() + too_old()
        for difference in differences:
            self.stdout.write(str(difference))
        if differences:
            raise CommandError(f"{len(differences)} differences.")
        self.stdout.write("Rows, keys and objects agree; nothing is overdue.")
        asked = datamap.older()
        for name, period in PERIODS.items():
            if name in asked:
                self.stdout.write(f"{name}: nothing is older than {period.longest} (and {period.grace} to come by).")
            elif period.by:
                self.stdout.write(f"{name}: {period.longest}, by {period.by}.")
            else:
                self.stdout.write(f"{name}: {period.words}; nothing runs by the clock.")
