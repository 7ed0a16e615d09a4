"""How keys are written in the environment: ``NAME:KEY,NAME2:KEY2,…``, each KEY as it is or wrapped by a key service.

As it is: 32 bytes in base64. Wrapped: ``URI#CIPHERTEXT``, where the URI names a key of a service that never shows it
(``privacy/key_services.py``), and the ciphertext, in base64, is what that service made of the 32 bytes. A wrapped key
is opened when it is first needed, once in the life of a process, and from then on is in its memory like any other.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Final

from django.core.exceptions import ImproperlyConfigured

from privacy import key_services

KEY_BYTES: Final = 32
LONGEST_NAME: Final = 64


@dataclass(frozen=True)
class NamedKey:
    """One entry; ``service`` is the URI of what wraps it, empty for a key as it is."""

    name: str
    service: str
    content: bytes = field(repr=False)

    def key(self) -> bytes:
        """The 32 bytes. Raises ``Unavailable`` when its service does not open it."""
        return key_services.opened(self.service, self.name, self.content) if self.service else self.content

    def written(self) -> str:
        """The entry as it stands in the environment."""
        encoded = base64.b64encode(self.content).decode()
        return f"{self.name}:{self.service}#{encoded}" if self.service else f"{self.name}:{encoded}"


def parse(setting: str, text: str) -> dict[str, NamedKey]:
    """Entries by name, in the order given; nothing is opened.

    Raises ``ImproperlyConfigured`` naming the setting, never showing its value.
    """
    keys: dict[str, NamedKey] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, rest = item.partition(":")
        service, _, encoded = rest.rpartition("#")
        try:
            content = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            content = b""
        if name in keys:
            raise ImproperlyConfigured(f"{setting}: the name {name!r} is there twice.")
        whole = key_services.known(service) and content if service else len(content) == KEY_BYTES
        if not whole or not 0 < len(name) <= LONGEST_NAME:
            raise ImproperlyConfigured(
                f"{setting}: each entry is NAME:KEY, where KEY is 32 bytes in base64, or URI#KEY from a key service."
            )
        keys[name] = NamedKey(name, service, content)
    if not keys:
        raise ImproperlyConfigured(f"{setting} holds no key.")
    return keys
