"""The exit codes; ``main.py`` says what each means."""

from __future__ import annotations

from typing import Final

from modelmyimage.errors import Error

FAILED: Final = 1
USAGE: Final = 2
KEY: Final = 3
CONNECTION: Final = 4
STOPPED: Final = 130


class WrongUse(Error):
    """It cannot be meant like that; the message says what to change."""
