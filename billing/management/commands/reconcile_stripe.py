"""``manage.py reconcile_stripe``: compare the books with Stripe and repair what no event told us."""

import sys
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from billing import reconciliation
from billing.stripe_client import BillingOff, Unavailable


class Command(BaseCommand):
    """Looks at Stripe's objects of some days, or at all."""

    help = "Compare the books with Stripe and repair them. Exits with 1 when something could not be repaired."

    def add_arguments(self, parser: CommandParser) -> None:
        """How far back."""
        parser.add_argument("--days", type=int, default=reconciliation.USUAL.days, help="how far back to look")
        parser.add_argument("--all", action="store_true", help="look at everything there ever was")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what was repaired. Raises ``CommandError`` when there is no key, or no answer."""
        since = None if options["all"] else timezone.now() - timedelta(days=options["days"])
        try:
            report = reconciliation.reconcile(since=since)
        except BillingOff:
            raise CommandError("Nothing is for sale here: STRIPE_SECRET_KEY is not set.") from None
        except Unavailable:
            raise CommandError("Stripe does not answer, or refuses our key. Run this again later.") from None
        for kind, object_id in report.repaired:
            self.stdout.write(f"repaired: {kind} {object_id}")
        for kind, object_id in report.failed:
            self.stdout.write(f"NOT repaired: {kind} {object_id}")
        self.stdout.write(f"{report.looked_at} objects looked at, {len(report.repaired)} repaired.")
        if report.failed:
            sys.exit(1)
