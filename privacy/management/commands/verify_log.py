"""``manage.py verify_log [--against FILE]``: exits 1 when the log is not what it must be."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from privacy import signing
from privacy.log_audit import audit, heads_in


class Command(BaseCommand):
    """Prints one line per difference."""

    help = "Recompute the whole transparency log and hold it against every head; exit 1 on any difference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take files with heads."""
        parser.add_argument(
            "--against",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="A head kept elsewhere, which the log must go on from; may be given several times.",
        )

    def handle(self, *args: Any, against: list[Path], **options: Any) -> None:
        """Run the audit."""
        documents = []
        for file in against:
            try:
                documents += heads_in(signing.read(file.read_bytes()))
            except OSError as error:
                raise CommandError(f"{file}: {error.strerror}.") from None
            except signing.Malformed as error:
                raise CommandError(f"{file}: {error}") from None
        found = audit(documents)
        for difference in found.differences:
            self.stdout.write(difference)
        if found.differences:
            raise CommandError(f"{len(found.differences)} differences.")
        self.stdout.write(f"The log of {found.size} entries and its {found.heads} heads agree.")
