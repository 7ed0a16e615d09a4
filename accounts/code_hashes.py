"""A recovery code's hash is a text that is equal to that code alone: allauth looks for codes in lists of texts."""

from __future__ import annotations

from os import urandom
from typing import Final

from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa import app_settings
from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

SALT_BYTES: Final = 16
KIB: Final = 19_456
"""Memory for Argon2id, as OWASP has it for passwords; it takes some 40 ms."""
BEGINS: Final = "$argon2id$"


class Hashed(str):
    """The hash of a code, which is equal to that code and to no other."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, str) or isinstance(other, Hashed):
            return str.__eq__(self, other)
        code: str = normalize_user_code(other)
        if len(code) != app_settings.RECOVERY_CODE_DIGITS:
            return False  # an app's code, say: not worth 40 ms for each of ten
        try:
            Argon2id.verify_phc_encoded(code.encode(), str(self))
        except InvalidKey:
            return False
        return True

    __hash__ = str.__hash__


def hashed(code: str) -> str:
    """What is kept of a code, in PHC's form."""
    function = Argon2id(salt=urandom(SALT_BYTES), length=32, iterations=2, lanes=1, memory_cost=KIB)
    return function.derive_phc_encoded(code.encode())
