"""``manage.py signin_link EMAIL [--create]``: print a link that signs in once. On a laptop only."""

from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse

from accounts import signin_links
from accounts.models import User


class Command(BaseCommand):
    """Prints the address and nothing else, so that a script can use it."""

    help = "Print a one-time sign-in link (MODE=local only)."

    def add_arguments(self, parser: CommandParser) -> None:
        """One address, and whether it may be new."""
        parser.add_argument("email")
        parser.add_argument("--create", action="store_true", help="make the account if there is none")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the link. Raises ``CommandError`` in production, for a bad address and for nobody's address."""
        if not settings.LOCAL:
            raise CommandError("Sign-in links exist with MODE=local only.")
        email = options["email"].lower()
        try:
            validate_email(email)
        except ValidationError:
            raise CommandError("That is not an e-mail address.") from None
        with transaction.atomic():
            user = User.objects.filter(email=email).first()
            if user is None:
                if not options["create"]:
                    raise CommandError("Nobody has that address. With --create, the account is made.")
                user = User.objects.create_user(email)
            if not user.is_active:
                raise CommandError("That account is switched off.")
            address, _ = EmailAddress.objects.get_or_create(user=user, email=email, defaults={"primary": True})
            if not address.verified:
                address.verified = True
                address.save(update_fields=["verified"])
        self.stdout.write(settings.SITE_URL.rstrip("/") + reverse("accounts:link", args=[signin_links.make(user)]))
