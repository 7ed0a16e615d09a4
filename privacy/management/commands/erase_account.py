"""``manage.py erase_account EMAIL [--now]``: what the person's own page does, for a request that came another way."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from privacy import erasure


class Command(BaseCommand):
    """Asks for the erasure; the workers do it. The person gets the same mails as if they had asked themselves."""

    help = "Erase an account, in seven days or at once. See first that it is the account's owner who asks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose, and when."""
        parser.add_argument("email", help="the account's address")
        parser.add_argument("--now", action="store_true", help="at once, with no way back")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask, and print where the certificate will be."""
        accounts = get_user_model()
        address = {f"{accounts.get_email_field_name()}__iexact": options["email"]}
        person = accounts._default_manager.filter(**address).first()
        if person is None:
            raise CommandError(f"There is no account {options['email']}.")
        try:
            row = erasure.request(person, grace=timedelta(0) if options["now"] else erasure.GRACE)
        except erasure.Refused as refused:
            raise CommandError(str(refused)) from None
        page = settings.SITE_URL.rstrip("/") + reverse("privacy:erasure", args=[row.token])
        self.stdout.write(
            f"It begins at {row.runs_at.isoformat(timespec='seconds')}. The certificate will be at {page}"
        )
