"""A session ends its period after the signing-in that it began with, whatever was done in it since."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.utils import timezone

BEGAN: Final = "began"
"""When somebody signed in, as a Unix time; absent before that."""


class SessionStore(db.SessionStore):
    """Django's sessions in the database, which otherwise last for as long again after each change."""

    def __setitem__(self, key: str, value: Any) -> None:
        """Keep a value; who signs in begins the time anew."""
        super().__setitem__(key, value)
        if key == SESSION_KEY:
            super().__setitem__(BEGAN, timezone.now().timestamp())

    def get_expiry_age(self, **how: Any) -> int:
        """Seconds until the end."""
        age = super().get_expiry_age(**how)
        end = self._end()
        return age if end is None else max(0, min(age, int((end - timezone.now()).total_seconds())))

    def get_expiry_date(self, **how: Any) -> datetime:
        """When the end is."""
        date, end = super().get_expiry_date(**how), self._end()
        return date if end is None else min(date, end)

    def _end(self) -> datetime | None:
        began = self.get(BEGAN)
        return began and datetime.fromtimestamp(began, timezone.get_default_timezone()) + timedelta(
            seconds=settings.SESSION_COOKIE_AGE
        )
