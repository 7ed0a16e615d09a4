"""Each proof of who somebody is, and each that failed, is a line in the log that says how, and never who.

Who it was is known where it was let in: the session with its address and browser, which its owner sees and which goes
with it; changes of keys, for a year. Of a try that failed nothing is kept: the address that was typed may be anybody's.
The line's request id ties it to the other lines of that request. By allauth's signals; nothing depends on them.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from allauth.account.signals import authentication_step_completed
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.core.exceptions import ValidationError
from django.dispatch import receiver

logger = logging.getLogger(__name__)

FAILURES: Final = frozenset(
    {
        "account_inactive",
        "email_password_mismatch",
        "enter_current_password",
        "incorrect_code",
        "incorrect_password",
        "invalid_password_reset",
        "rate_limited",
        "too_many_login_attempts",
    }
)
"""allauth's codes of what is no slip of the pen in a form, but a proof that did not hold."""


def noted(error: ValidationError) -> ValidationError:
    """The error, with a line in the log if it is a proof that failed."""
    if error.code in FAILURES:
        logger.warning("a proof of identity failed", extra={"failure": error.code})
    return error


@receiver(authentication_step_completed, dispatch_uid="accounts.sign_in_log")
def proved(method: str, **about: Any) -> None:
    """A factor was shown: ``part`` is its kind, ``outcome`` what it was shown for."""
    again = "again" if about.get("reauthenticated") else "first"
    logger.info("a proof of identity held", extra={"part": about.get("type") or method, "outcome": again})


@receiver(user_logged_in, dispatch_uid="accounts.sign_in_log")
def came(**about: Any) -> None:
    """All the proofs that were asked for were shown."""
    logger.info("somebody signed in")


@receiver(user_logged_out, dispatch_uid="accounts.sign_in_log")
def left(user: Any = None, **about: Any) -> None:
    """By their own wish."""
    if user is not None:
        logger.info("somebody signed out")
