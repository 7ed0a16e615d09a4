"""By what name a browser knows an account, so that accounts on one device do not see what it keeps of each other.

The name is a keyed digest: it says nothing about the person to whoever looks into the browser, and differs from site to
site. When the site's secret changes, pages give the names of retired secrets too, as long as they are in
``SECRET_KEY_FALLBACKS``, so that nothing on a device is lost by it.
"""

from __future__ import annotations

from django.conf import settings
from django.utils.crypto import salted_hmac

from accounts.models import User

SALT = "accounts.devices"


def names(user: User) -> list[str]:
    """The account's names, hexadecimal, today's first."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [salted_hmac(SALT, str(user.pk), secret=secret, algorithm="sha256").hexdigest()[:32] for secret in secrets]
