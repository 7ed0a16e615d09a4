"""Secrets that we have to know rest encrypted: a copy of the database alone makes nobody's codes, and signs nothing.

Those are the seeds of authenticator apps, and what webhooks are signed with; each purpose has keys of its own. They are
Fernet keys derived from SECRET_KEY; those in SECRET_KEY_FALLBACKS still open what they sealed.
"""

from __future__ import annotations

import base64
from typing import Any, Final

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts import sign_in_log
from accounts.code_hashes import BEGINS, Hashed

OWN: Final = "accounts.secrets"
"""The purpose of what allauth keeps about second factors."""


class Unreadable(Exception):
    """No configured key opens it: SECRET_KEY was changed without the old one in SECRET_KEY_FALLBACKS."""


def _fernet(secret: str | bytes, purpose: str) -> Fernet:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive
    key = derive(secret.encode() if isinstance(secret, str) else secret)
    return Fernet(base64.urlsafe_b64encode(key))


def _keys(purpose: str = OWN) -> MultiFernet:
    return MultiFernet([_fernet(secret, purpose) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def seal(text: str, *, purpose: str) -> str:
    """What is stored instead of ``text``; only ``unseal`` with the same purpose opens it."""
    return _keys(purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, *, purpose: str) -> str:
    """The text again. Raises ``Unreadable``."""
    try:
        return _keys(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Unreadable from None


def reseal(sealed: str, *, purpose: str = OWN) -> str:
    """The same text sealed by SECRET_KEY, so that no key of SECRET_KEY_FALLBACKS is needed. Raises ``Unreadable``."""
    try:
        return _keys(purpose).rotate(sealed.encode()).decode()
    except InvalidToken:
        raise Unreadable from None


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """allauth's hooks for what it keeps about second factors (settings.MFA_ADAPTER)."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _("That code is wrong or over. Enter the one that the app shows now."),
    }

    def validation_error(self, code: str, *args: Any) -> ValidationError:
        """What is said of a form; a proof that failed is logged, too."""
        return sign_in_log.noted(super().validation_error(code, *args))

    def encrypt(self, text: str) -> str:
        """What is stored instead of ``text``."""
        return _keys().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The text again; a recovery code's hash as ``Hashed``.

        Raises ``cryptography.fernet.InvalidToken`` when no configured key opens it.
        """
        text = _keys().decrypt(encrypted_text.encode()).decode()
        return Hashed(text) if text.startswith(BEGINS) else text
