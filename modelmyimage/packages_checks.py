"""A system check of how old the locked packages are: `make lock` writes down the day on which they were resolved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.apps import AppConfig
from django.core.checks import CheckMessage, Info, Tags, register

STAMP: Final = Path(__file__).with_name("packages_locked_on.txt")
"""Holds one date; it goes with the image, which the lock files do not."""
MONTHLY: Final = timedelta(days=31)


@register(Tags.security, deploy=True)
def packages_are_of_this_month(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """By docs/security.md, newer ones are looked for every month."""
    locked = date.fromisoformat(STAMP.read_text(encoding="ascii").strip())
    if datetime.now(UTC).date() - locked <= MONTHLY:
        return []
    text = f"Nobody has looked for newer packages since {locked}."
    hint = "Take a newer release; in a checkout, make audit, then make lock ARGS=--upgrade."
    return [Info(text, hint=hint, id="modelmyimage.I001")]
