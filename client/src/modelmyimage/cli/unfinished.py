"""What a command has begun and not finished, so that it can go on: which photo becomes which file, and by which job.

One small file for each command, readable by its user alone, removed when nothing of it is open. It holds names of files
and ids of jobs, nothing of any picture. ``secret`` is random: with the photo's digest and the wishes it makes the
``Idempotency-Key``, so sending the same photo again gives the same job, and the key tells the site nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from modelmyimage.api import wishes_key
from modelmyimage.files import replacing
from modelmyimage.settings import folder
from modelmyimage.shapes import Wishes
from modelmyimage.tags import Photo


@dataclass
class Entry:
    """One photo and what becomes of it."""

    photo: str
    target: str
    secret: str = field(default_factory=lambda: secrets.token_hex(16))
    job: str = ""
    done: bool = False
    left: bool = False
    """It came to nothing, or was not wanted: the next time it begins anew."""

    @property
    def open(self) -> bool:
        """Whether there is something to do."""
        return not self.done and not self.left

    def idempotency_key(self, photo: Photo, wishes: Wishes) -> str:
        """The same for the same photo and wishes in this run, and in no other."""
        said = hashlib.sha256(photo.data).digest() + wishes_key(wishes).encode()
        return hmac.new(self.secret.encode(), said, hashlib.sha256).hexdigest()


@dataclass
class Run:
    """A command and its photos. ``save`` after each change."""

    url: str
    wishes: Wishes
    entries: list[Entry]
    receipts: bool = False

    @property
    def path(self) -> Path:
        """Where it is kept: by what was asked, so that asking the same again finds it."""
        said = json.dumps([self.url, wishes_key(self.wishes), [[each.photo, each.target] for each in self.entries]])
        return _folder() / f"{hashlib.sha256(said.encode()).hexdigest()[:24]}.json"

    def save(self) -> None:
        """Keep it as it is now, or remove it if all is done."""
        if not any(each.open for each in self.entries):
            with suppress(FileNotFoundError):
                self.path.unlink()
            return
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with replacing(self.path, mode=0o600) as file:
            file.write(json.dumps(asdict(self)).encode())

    def taken_up(self) -> Run:
        """The same command as it was left, or this one."""
        found = _read(self.path)
        if found is None:
            return self
        found.entries = [Entry(each.photo, each.target) if each.left else each for each in found.entries]
        return found


def every(url: str) -> Iterator[Run]:
    """All that was left unfinished at a site."""
    for path in sorted(_folder().glob("*.json")):
        run = _read(path)
        if run is not None and run.url == url:
            yield run


def _folder() -> Path:
    return folder("state") / "unfinished"


def _read(path: Path) -> Run | None:
    """A run, unless there is none or another version wrote it."""
    try:
        found = json.loads(path.read_bytes())
        return Run(**{**found, "entries": [Entry(**each) for each in found["entries"]]})
    except (OSError, ValueError, TypeError, KeyError):
        return None
