"""What allauth says and where it leads, where its own words or ways are not ours."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts import sign_in_log
from accounts.models import User
from privacy import mail


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """allauth's own, in our voice; whoever changes something of an account comes back to the account."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": _("This account is switched off."),
        "email_password_mismatch": _("This address and this password do not go together."),
        "enter_current_password": _("Type the password you have now."),
        "incorrect_code": _("That is not the code we sent. Look at the newest mail."),
        "incorrect_password": _("That is not the password."),
        "invalid_password_reset": _("This link is used up or too old. Ask for a new one."),
        "too_many_login_attempts": _("Too many tries in a short time. Wait some minutes, then try again."),
        "same_as_current": _("That is what it is already."),
        "rate_limited": _("Too many requests in a short time. Wait a minute, then try again."),
    }

    def validation_error(self, code: str, *args: Any) -> ValidationError:
        """What is said of a form; a proof that failed is logged, too."""
        return sign_in_log.noted(super().validation_error(code, *args))

    def new_user(self, request: HttpRequest) -> User:
        """A new account gets its mail in the language of the page on which it was made."""
        return User(language=mail.reader_language())

    def render_mail(
        self,
        template_prefix: str,
        email: str | list[str],
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> EmailMessage:
        """A mail of allauth's, written like all of ours."""
        return mail.written(
            to=[email] if isinstance(email, str) else email,
            subject=f"{template_prefix}_subject.txt",
            text=f"{template_prefix}_message.txt",
            about=context,
            language=mail.reader_language(),
            headers=headers,
        )

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """After a password was set or changed."""
        return reverse("accounts:home")

    def get_email_verification_redirect_url(self, email_address: EmailAddress) -> str:
        """After a changed address was confirmed; who is signing up is not signed in yet and goes on elsewhere."""
        if self.request.user.is_authenticated:
            return reverse("accounts:home")
        return str(super().get_email_verification_redirect_url(email_address))
