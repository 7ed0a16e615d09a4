"""A password says nothing of this site: whoever guesses tries its name first."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import User

OURS: Final = ("modelmyimage", "modelimage")
SHORTEST: Final = 4
"""Letters of a word; shorter ones are in too many passwords by chance."""


def own_words() -> set[str]:
    """The product's name, and the words of the site's address and of whoever runs it."""
    host = (urlsplit(settings.SITE_URL).hostname or "").rpartition(".")[0]
    found = re.findall(r"[^\W\d_]+", f"{host} {settings.OPERATOR_NAME}".lower())
    return {*OURS, *(word for word in found if len(word) >= SHORTEST)}


class OwnWords:
    """One of Django's password validators."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raises ``ValidationError`` where one of our words is in it."""
        if any(word in password.lower() for word in own_words()):
            raise ValidationError(_("The name of this site, or of who runs it, is in this password."), code="own_word")

    def get_help_text(self) -> str:
        """What is asked for."""
        return _("Your password can’t have the name of this site in it.")
