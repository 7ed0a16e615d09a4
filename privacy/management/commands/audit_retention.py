"""``manage.py audit_retention``: exits 1 when rows, keys and objects differ, or anything is overdue."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from privacy.audit import audit


class Command(BaseCommand):
    """Prints one line per difference."""

    help = "Compare rows with the store and the key store, both ways; exit 1 on any difference or overdue blob."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the audit."""
        differences = audit()
        for difference in differences:
            self.stdout.write(str(difference))
        if differences:
            raise CommandError(f"{len(differences)} differences.")
        self.stdout.write("Rows, keys and objects agree; nothing is overdue.")
