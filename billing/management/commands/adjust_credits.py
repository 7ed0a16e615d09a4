"""``manage.py adjust_credits EMAIL ±N --reason … --actor EMAIL``: credits by hand, signed for."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from billing import adjustments, ledger


class Command(BaseCommand):
    """Give or take credits; the person reads the reason on their ledger."""

    help = "Give credits to an account, or take them (a negative number). The person reads the reason."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whom, how many, why, and who signs."""
        parser.add_argument("email", help="whose credits")
        parser.add_argument("credits", type=int, help="how many; negative: taken")
        parser.add_argument("--reason", required=True, help="why, in 10 to 200 characters")
        parser.add_argument("--actor", required=True, metavar="EMAIL", help="the operator who signs for it")
        parser.add_argument("--key", default="", help="any word: the same one again changes nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, and print what is there now."""
        user, actor = self._account(options["email"]), self._account(options["actor"])
        try:
            made = adjustments.adjust(
                user=user,
                credits=options["credits"],
                reason=options["reason"],
                actor=actor,
                key=options["key"] or str(uuid4()),
            )
        except (adjustments.NotSigned, ledger.LedgerError) as refused:
            raise CommandError(f"Nothing was changed: {type(refused).__name__}, {refused}.") from None
        now = ledger.balance(user)
        self.stdout.write(
            f"Adjustment {made.pk}: account {user.pk} has {now.available} available, {now.held} held, {now.owed} owed."
        )

    def _account(self, email: str) -> User:
        try:
            return User.objects.get(email__iexact=email)
        except User.DoesNotExist:
            raise CommandError(f"There is no account {email}.") from None
