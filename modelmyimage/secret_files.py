"""Any variable may be given as a file: ``SECRET_KEY_FILE=/run/secrets/key`` is as good as ``SECRET_KEY=…``.

That is how containers are handed secrets, which then stand in no list of a process's environment. The file wins over
the variable; line ends after its text do not count.
"""

from __future__ import annotations

import environ
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping


class SecretFiles(FileAwareMapping):  # type: ignore[misc] # the library has no types
    """The environment; ``NAME`` is read from the file that ``NAME_FILE`` names, if there is one."""

    def __getitem__(self, key: str) -> str:
        """The value. Raises ``KeyError``, or ``ImproperlyConfigured`` for a file that cannot be read."""
        try:
            return str(super().__getitem__(key)).rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(
                f"{key}_FILE names a file that cannot be read ({type(error).__name__})."
            ) from None


class Env(environ.Env):  # type: ignore[misc] # the library has no types
    """django-environ's reader over both."""

    ENVIRON = SecretFiles()
