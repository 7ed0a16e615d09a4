"""Whoever signs up is told which terms and which privacy policy hold, and that they were is written down."""

from __future__ import annotations

from allauth.account.forms import SignupForm
from django.http import HttpRequest

from accounts.models import User
from trust import publishing, shown
from trust.models import Document, Shown, Version


def told() -> list[Version]:
    """The versions that the page of signing up names."""
    return [publishing.in_force(document) for document in (Document.TERMS, Document.PRIVACY)]


class SignUpForm(SignupForm):  # type: ignore[misc]  # allauth ships no types
    """allauth's own, named in the settings."""

    def save(self, request: HttpRequest) -> User:
        """The new account, with what it was shown."""
        user: User = super().save(request)
        shown.note(user, told(), Shown.How.SIGN_UP)
        return user
