"""``manage.py verify_receipt FILE``: exits 1 when the receipt does not hold."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from privacy import receipts


class Command(BaseCommand):
    """Prints one line per check."""

    help = "Check a receipt against the signing keys; exit 1 when it does not hold."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file."""
        parser.add_argument("file", type=Path, help="The receipt as it was downloaded.")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        """Check it."""
        try:
            with file.open("rb") as stream:
                document = stream.read(receipts.LARGEST_DOCUMENT + 1)
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}.") from None
        verification = receipts.verify(document)
        for check in verification.checks:
            self.stdout.write(f"{'holds' if check.ok else 'fails'}  {check.name}: {check.detail}")
        if not verification.ok:
            raise CommandError("The receipt does not hold.")
        if not verification.logged:
            self.stdout.write("open   inclusion: the file does not say where in the log the receipt is.")
        self.stdout.write(f"Receipt {verification.receipt_id} of {verification.issued_at} holds.")
