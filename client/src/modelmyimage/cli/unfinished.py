"""What is begun and not finished, so that it can go on: which photo becomes which file, and by which job.

One small file for each photo, readable by its user alone, removed when its model is there or there will be none. It
holds names of files and a job's id, nothing of the picture. ``secret`` is random: with the photo's digest and the
wishes it makes the ``Idempotency-Key``, so sending the same photo again gives the same job, and the key tells the site
nothing.
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

    url: str
    photo: str
    target: str
    wishes: Wishes
    receipt: bool = False
    secret: str = field(default_factory=lambda: secrets.token_hex(16))
    job: str = ""

    @property
    def path(self) -> Path:
        """Where it is noted: by what was asked, so that asking the same again finds it, whatever else is asked."""
        said = json.dumps([self.url, self.photo, self.target, wishes_key(self.wishes)])
        return _folder() / f"{hashlib.sha256(said.encode()).hexdigest()[:32]}.json"

    def idempotency_key(self, photo: Photo) -> str:
        """The same for the same photo and wishes as long as this is unfinished, and never again."""
        said = hashlib.sha256(photo.data).digest() + wishes_key(self.wishes).encode()
        return hmac.new(self.secret.encode(), said, hashlib.sha256).hexdigest()

    def save(self) -> None:
        """Note how it stands."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with replacing(self.path, mode=0o600) as file:
            file.write(json.dumps(asdict(self)).encode())

    def close(self) -> None:
        """There is nothing more to do: the next time it begins anew."""
        with suppress(FileNotFoundError):
            self.path.unlink()

    def taken_up(self) -> Entry:
        """The same as it was left, or this one."""
        return _read(self.path) or self


def every(url: str) -> Iterator[Entry]:
    """All that was left unfinished at a site."""
    for path in sorted(_folder().glob("*.json")):
        entry = _read(path)
        if entry is not None and entry.url == url:
            yield entry


def _folder() -> Path:
    return folder("state") / "unfinished"


def _read(path: Path) -> Entry | None:
    """What is noted, unless there is nothing or another version wrote it."""
    try:
        return Entry(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
