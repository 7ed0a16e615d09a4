"""After a change of SECRET_KEY: second factors sealed by the key before are sealed by the new one."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.db import transaction

from accounts.secrets import Unreadable, reseal


def second_factors() -> tuple[int, int]:
    """Reseal all that allauth keeps; returns how many rows, and how many of them no configured key opens.

    Row by row under its lock, since a recovery code may be used meanwhile.
    """
    done = lost = 0
    for pk in Authenticator.objects.values_list("pk", flat=True).iterator():
        with transaction.atomic():
            row = Authenticator.objects.select_for_update().filter(pk=pk).first()
            if row is None or not {"secret", "seed", "migrated_codes"} & set(row.data):
                continue  # gone meanwhile, or a passkey, whose data is public
            try:
                for name in {"secret", "seed"} & set(row.data):
                    row.data[name] = reseal(row.data[name])
                if "migrated_codes" in row.data:
                    row.data["migrated_codes"] = [reseal(code) for code in row.data["migrated_codes"]]
            except Unreadable:
                lost += 1
                continue
            row.save(update_fields=["data"])
            done += 1
    return done, lost
