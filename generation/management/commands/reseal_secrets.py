"""``manage.py reseal_secrets``: what the old SECRET_KEY sealed is sealed by the new one, so that the old one can go."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import resealing as accounts
from generation.notifications import resealing as notifications


class Command(BaseCommand):
    """May run while the site does, and again."""

    help = "Seal second factors and webhooks’ secrets by SECRET_KEY; exit 1 when no configured key opens some."

    def handle(self, *args: Any, **options: Any) -> None:
        """Go through both."""
        unreadable = 0
        for what, reseal in (("second factors", accounts.second_factors), ("webhooks", notifications.webhooks)):
            done, lost = reseal()
            unreadable += lost
            self.stdout.write(f"{what}: {done} resealed, {lost} that no key opens")
        if unreadable:
            raise CommandError(
                "Add the key that sealed these to SECRET_KEY_FALLBACKS, or their owners set them up anew."
            )
