"""Recovery codes are shown once. From then on we have hashes of them, sealed like all that allauth keeps.

allauth makes them from a sealed seed, and reads sealed codes where it finds those instead (``migrated_codes``). So
once they were shown, the seed gives way to hashes, which our adapter unseals as texts that are equal to their code.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.recovery_codes.views import view_recovery_codes
from allauth.mfa.utils import encrypt
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.code_hashes import hashed

UNSEEN: Final = timedelta(hours=1)
"""Whoever does not look at their codes for so long makes new ones."""
AT_ONCE: Final = 50
"""Accounts whose codes one round hashes; the next one takes others."""


def page(request: HttpRequest) -> HttpResponse:
    """allauth's page, which shows the codes once; after that there are hashes."""
    answer: Any = view_recovery_codes(request)
    for row in _readable().filter(user_id=request.user.pk, data__has_key="viewed_at"):
        hash_codes(row.pk)
    return answer  # type: ignore[no-any-return]  # allauth ships no types


def tend(now: datetime) -> None:
    """Hash what was shown, or not looked at for an hour. Repeating it is harmless."""
    shown = Q(data__has_key="viewed_at") | Q(created_at__lt=now - UNSEEN)
    for row in _readable().filter(shown)[:AT_ONCE]:
        hash_codes(row.pk)


def hash_codes(pk: int) -> None:
    """Put hashes of the unused codes in place of the seed. Under the row's lock: one may be used meanwhile."""
    with transaction.atomic():
        row = _readable().select_for_update().filter(pk=pk).first()
        if row is None:
            return
        row.data = {
            "migrated_codes": [encrypt(hashed(code)) for code in RecoveryCodes(row).get_unused_codes()],
            "viewed_at": row.data.get("viewed_at") or row.created_at.timestamp(),
        }
        row.save(update_fields=["data"])


def _readable() -> QuerySet[Authenticator]:
    found: QuerySet[Authenticator] = Authenticator.objects.filter(
        type=Authenticator.Type.RECOVERY_CODES, data__has_key="seed"
    )
    return found
