"""``manage.py keys_in_use``: which keys there are and what still needs them, so that none is taken away too early."""

from collections import Counter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count

from privacy import named_keys, signing
from privacy.models import Blob, LogHead, Receipt


class Command(BaseCommand):
    """One line for each key; exit 1 when something needs a key that is not there."""

    help = "List master and signing keys with what needs them; exit 1 when one that is needed is not there."

    def handle(self, *args: Any, **options: Any) -> None:
        """Count, then compare with the settings."""
        missing = [*self._masters(), *self._signers()]
        if missing:
            raise CommandError(f"Needed and not there: {', '.join(missing)}.")

    def _masters(self) -> list[str]:
        living = Blob.objects.exclude(state=Blob.State.DESTROYED).values_list("master_key_id").annotate(Count("pk"))
        needed = dict(living.order_by())
        names = list(named_keys.parse("MASTER_KEYS", settings.MASTER_KEYS))
        for name in names:
            role = "wraps new blobs" if name == names[0] else "opens only"
            self.stdout.write(f"master   {name}: {role}; {needed.get(name, 0)} blobs alive need it")
        return [f"master key {name} for {count} blobs" for name, count in needed.items() if name not in names]

    def _signers(self) -> list[str]:
        needed: Counter[str] = Counter()
        for model in (Receipt, LogHead):
            needed.update(dict(model.objects.values_list("key_id").annotate(Count("pk")).order_by()))
        known = signing.public_keys()
        for name, key in known.items():
            until = f" until {key['until']}" if "until" in key else ""
            self.stdout.write(f"signing  {name}: {key['status']}{until}; {needed[name]} receipts and heads need it")
        return [
            f"signing key {name} for {count} receipts and heads" for name, count in needed.items() if name not in known
        ]
