"""The seeds of authenticator apps rest encrypted: a copy of the database alone cannot make anybody's codes.

Fernet keys derived from SECRET_KEY; those in SECRET_KEY_FALLBACKS still open what they sealed.
"""

from __future__ import annotations

import base64

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def _fernet(secret: str | bytes) -> Fernet:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"accounts.secrets").derive
    key = derive(secret.encode() if isinstance(secret, str) else secret)
    return Fernet(base64.urlsafe_b64encode(key))


def _keys() -> MultiFernet:
    return MultiFernet([_fernet(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """allauth's hooks for what it keeps about second factors (settings.MFA_ADAPTER)."""

    def encrypt(self, text: str) -> str:
        """What is stored instead of ``text``."""
        return _keys().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The text again. Raises ``cryptography.fernet.InvalidToken`` when no configured key opens it."""
        return _keys().decrypt(encrypted_text.encode()).decode()
