"""``manage.py make_key NAME [--service URI]``: an entry for MASTER_KEYS or SIGNING_KEYS, new and random."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from privacy import key_services, named_keys
from privacy.errors import Unavailable


class Command(BaseCommand):
    """Prints the entry, and keeps nothing of it."""

    help = "Make a key and print it as MASTER_KEYS and SIGNING_KEYS hold it, wrapped by a key service if one is named."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a name, and perhaps a service."""
        parser.add_argument("name", help="What the key is called from now on, such as 2026-11; 64 letters at most.")
        parser.add_argument(
            "--service", default="", metavar="URI", help="aws-kms://ARN or hcvault://HOST/MOUNT/keys/KEY"
        )

    def handle(self, *args: Any, name: str, service: str, **options: Any) -> None:
        """Make it, and see that what is printed opens again."""
        key = secrets.token_bytes(named_keys.KEY_BYTES)
        if service and not key_services.known(service):
            raise CommandError("--service is neither aws-kms://ARN nor hcvault://HOST/MOUNT/keys/KEY.")
        try:
            content = key_services.wrapped(service, name, key) if service else key
            entry = named_keys.NamedKey(name, service, content).written()
            if named_keys.parse("NAME", entry)[name].key() != key:
                raise CommandError("The key service opened something else than it wrapped.")
        except Unavailable as error:
            raise CommandError(str(error)) from None
        except (ImproperlyConfigured, KeyError):
            raise CommandError("The name must have 1 to 64 letters, without : and commas.") from None
        self.stdout.write(entry)
