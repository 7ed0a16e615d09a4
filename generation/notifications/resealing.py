"""After a change of SECRET_KEY: webhooks' secrets sealed by the key before are sealed by the new one."""

from __future__ import annotations

from django.db import transaction

from accounts.secrets import Unreadable, reseal
from generation.models import Webhook
from generation.notifications.signing import PURPOSE


def webhooks() -> tuple[int, int]:
    """Reseal all; returns how many rows, and how many of them no configured key opens. Row by row under its lock."""
    done = lost = 0
    for pk in Webhook.objects.values_list("pk", flat=True).iterator():
        with transaction.atomic():
            row = Webhook.objects.select_for_update().filter(pk=pk).first()
            if row is None:
                continue  # gone meanwhile
            try:
                row.secret = reseal(row.secret, purpose=PURPOSE)
                row.old_secret = reseal(row.old_secret, purpose=PURPOSE) if row.old_secret else ""
            except Unreadable:
                lost += 1
                continue
            row.save(update_fields=["secret", "old_secret"])
            done += 1
    return done, lost
