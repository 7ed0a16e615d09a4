"""The keys of one machine, made on its first start and kept in ``local.env`` of the state folder, mode 0600."""

import base64
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path


def _named_key() -> str:
    """A key of 32 random bytes under a random name, as MASTER_KEYS and SIGNING_KEYS want it."""
    return f"local-{secrets.token_hex(3)}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


MAKERS: dict[str, Callable[[], str]] = {
    "MODE": lambda: "local",
    "SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "MASTER_KEYS": _named_key,
    "SIGNING_KEYS": _named_key,
}


def ensure_keys(path: Path) -> list[str]:
    """Add to the file at ``path`` each variable that it lacks; returns their names.

    What is there is never changed: a replaced key would make receipts unverifiable. The file is replaced in one
    step, so that a crash leaves the old one. Raises ``OSError`` when the folder cannot be written.
    """
    text = path.read_text() if path.exists() else ""
    present = set(re.findall(r"^(?:export )?(\w+)=", text, flags=re.MULTILINE))
    missing = [name for name in MAKERS if name not in present]
    if missing:
        lines = [f"{name}={MAKERS[name]()}" for name in missing]
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("\n".join([*text.splitlines(), *lines, ""]))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    path.chmod(0o600)
    return missing
