"""What each account was shown of the documents, and when: written down once for each version and way."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from accounts.models import User
from trust.models import Shown, Version


def note(account: User, versions: Iterable[Version], how: Shown.How) -> None:
    """Write down that these were shown just now; what was written before stays as it is."""
    now = timezone.now()
    rows = [Shown(account=account, version=version, how=how, at=now) for version in versions]
    Shown.objects.bulk_create(rows, ignore_conflicts=True)
