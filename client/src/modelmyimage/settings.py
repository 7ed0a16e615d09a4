"""Which site and which key: what is given, else MMI_URL and MMI_KEY, else what ``mmi login`` wrote.

The key is kept in a file of the user's alone, and only ever sent encrypted, or to this very machine.
"""

from __future__ import annotations

import json
import os
import re
import string
import sys
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from modelmyimage.errors import NotSetUp
from modelmyimage.files import replacing

NAME = "modelmyimage"
KEY = re.compile(r"mmi_[0-9A-Za-z]{49}")
DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
HERE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Settings:
    """A site and a key, and where the key is from. The key is not shown by accident."""

    url: str
    key: str
    source: str = ""

    def __repr__(self) -> str:
        return f"Settings(url={self.url!r}, key=…{self.key[-4:]}, source={self.source!r})"


def folder(kind: str) -> Path:
    """The platform’s folder for our ``config`` or ``state``."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming") / NAME
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / NAME
    variable, usual = {"config": ("XDG_CONFIG_HOME", ".config"), "state": ("XDG_STATE_HOME", ".local/state")}[kind]
    return Path(os.environ.get(variable) or Path.home() / usual) / NAME


def file() -> Path:
    """Where ``mmi login`` writes."""
    return folder("config") / "login.json"


def written() -> Settings | None:
    """What ``mmi login`` wrote. Raises ``NotSetUp`` when that cannot be read."""
    try:
        kept = json.loads(file().read_bytes())
        return Settings(kept["url"], kept["key"], str(file()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise NotSetUp(f"{file()} cannot be read. Run: mmi login") from None


def write(settings: Settings) -> Path:
    """Keep them, for this user alone."""
    file().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with replacing(file(), mode=0o600) as kept:
        kept.write(json.dumps({"url": settings.url, "key": settings.key}).encode())
    return file()


def forget() -> bool:
    """Remove what ``mmi login`` wrote; whether there was anything."""
    with suppress(FileNotFoundError):
        file().unlink()
        return True
    return False


def found(url: str | None = None, key: str | None = None, *, insecure: bool = False) -> Settings:
    """The site and key to use. Raises ``NotSetUp``, saying what is missing."""
    kept = None if (url or os.environ.get("MMI_URL")) and (key or os.environ.get("MMI_KEY")) else written()
    address = url or os.environ.get("MMI_URL") or (kept.url if kept else "")
    if not address:
        raise NotSetUp("Which site? Run mmi login, set MMI_URL, or say --url https://…")
    address = checked_address(address, insecure=insecure)
    if key or os.environ.get("MMI_KEY"):
        return Settings(address, checked_key(key or os.environ["MMI_KEY"]), "" if key else "MMI_KEY")
    if kept is None:
        raise NotSetUp("No access key. Make one on the site, below /account/keys, and run mmi login, or set MMI_KEY.")
    if kept.url != address:
        raise NotSetUp(
            f"The key that mmi login kept is for {kept.url}, not for {address}. Run: mmi login --url {address}"
        )
    return Settings(address, checked_key(kept.key), kept.source)


def checked_address(url: str, *, insecure: bool = False) -> str:
    """The site’s address as we use it. Raises ``NotSetUp`` where a key would travel in the clear."""
    parts = urlsplit(url if "://" in url else f"https://{url}")
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise NotSetUp(f"{url!r} is no address of a site. Write it like https://models.example")
    if parts.scheme == "http" and parts.hostname not in HERE and not insecure:
        raise NotSetUp(f"{url} is not encrypted: anybody between could read the key and the photos. Use https://")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"


def checked_key(key: str) -> str:
    """The key, if it can be one; a typo is told without asking the site. Raises ``NotSetUp``."""
    key = key.strip()
    if KEY.fullmatch(key) and key[-6:] == _check(key[:-6]):
        return key
    raise NotSetUp("That is no access key: it is mistyped or cut off. A key is mmi_ and 49 letters and digits.")


def _check(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), []
    for _ in range(6):
        number, digit = divmod(number, len(DIGITS))
        digits.append(DIGITS[digit])
    return "".join(digits)
