"""Three services that take a file, give it back and forget it, each started on 127.0.0.1 with a folder of its own.

Whatever a service writes is in its folder: its state, its home, its temporary files. ``benchmarks/others.py`` says what
each does with a file, and how they differ.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks import wire
from benchmarks.remains import windows
from benchmarks.watching import Watched
from modelmyimage.local.children import Guard
from modelmyimage.local.ports import spare_port
from tests.environment import ROOT, bare
from tests.stack import launch, processes_of

READY_SECONDS = 120.0
PIECE = (1024 * 1024 - 8192) // 4 * 3
"""Of a file, so that bepasty's limit for a body is kept after base64."""
KEY = """
from accounts import keys
from accounts.models import User
from billing import ledger
user = User.objects.create_user("owner@example.com")
ledger.grant(user=user, credits=10_000, key="others", reason="benchmark")
print("KEY", keys.make(owner=user, name="others", scopes=["generate", "read"])[1])
"""


def until(condition: Callable[[], Any], seconds: float = READY_SECONDS) -> Any:
    """What the condition gives once it gives something. Raises ``TimeoutError``."""
    ends = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > ends:
            raise TimeoutError
        time.sleep(0.02)
    return found


class Service(ABC):
    """One service, from its start to its end. ``up`` is timed, and ``down``; nothing else is."""

    name: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def processes(self) -> list[int]:
        """Of its own: their environment or command line names its folder."""
        return processes_of(self.folder)

    @abstractmethod
    def start(self) -> None:
        """Make it ready."""

    @abstractmethod
    def up(self, data: bytes) -> Any:
        """Send a file; what ``down`` needs to know."""

    def between(self, sent: Any) -> Any:
        """What has to happen before it can be fetched; what ``down`` needs to know."""
        return sent

    def told(self, what: Any) -> list[bytes]:
        """By which pieces to know what will be fetched, where that is not what was sent. Costs a download."""
        return []

    @abstractmethod
    def down(self, what: Any) -> int:
        """Fetch it; how many bytes came."""

    def after(self, what: Any) -> None:  # noqa: B027  # most clients do nothing
        """What a client does when it has the whole file."""

    @abstractmethod
    def again(self, what: Any) -> str:
        """What a second download gets."""

    @abstractmethod
    def stop(self) -> None:
        """End it."""


class Other(Service):
    """Somebody else's, whose programs lie in a folder."""

    def __init__(self, folder: Path, programs: Path, guard: Guard) -> None:
        super().__init__(folder)
        self.programs, self.guard = programs, guard

    def spawn(self, program: str, *words: str, **environment: str) -> tuple[subprocess.Popen[bytes], Path]:
        """Start a program in its folder; the process and its log."""
        places = {"PATH": f"{self.folder}{os.pathsep}{os.environ['PATH']}", "PYTHONUNBUFFERED": "1",
                  "HOME": str(self.folder), "TMPDIR": str(self.folder)}  # fmt: skip
        log = self.folder / f"{uuid4().hex}.log"
        with log.open("wb") as output:
            command = [str(self.programs / program), *words]
            return self.guard.spawn(command, output=output, cwd=self.folder, env=places | environment), log


class Ours(Service):
    """The site as ``make run`` starts it, with a stand-in for Stability AI that answers with ``mesh``."""

    name = "ModelMyImage"

    def __init__(self, folder: Path, mesh: bytes) -> None:
        super().__init__(folder)
        self.mesh = mesh

    def start(self) -> None:
        """The site, an account with credits, and a key."""
        from sandbox.providers.stability import StabilitySimulator

        self.vendor = StabilitySimulator()
        self.vendor.__enter__()
        self.vendor.behaviour.mesh = self.mesh
        state = self.folder / "var"
        self.running = launch(
            state, PROVIDERS="stability-sf3d", STABILITY_API_KEY=self.vendor.key, STABILITY_URL=self.vendor.url,
            HOME=str(self.folder), TMPDIR=str(self.folder),
        )  # fmt: skip
        self.port = int(self.running.url.rpartition(":")[2])
        made = subprocess.run(
            [sys.executable, "manage.py", "shell", "-c", KEY],
            cwd=ROOT,
            env={**bare(), "STATE_DIR": str(state), "SITE_URL": self.running.url},
            capture_output=True,
            text=True,
            check=True,
        )
        self.headers = {"Authorization": f"Bearer {made.stdout.split('KEY ')[1].strip()}"}

    def up(self, data: bytes) -> str:
        """A photo as a body."""
        headers = {**self.headers, "Content-Type": "image/jpeg"}
        said, _ = wire.sent(self.port, "/api/v1/jobs?quality=draft", data, headers)
        return f"/api/v1/jobs/{json.loads(said)['id']}"

    def between(self, sent: str) -> str:
        """The mesh is made."""
        until(lambda: self._stage(sent) in ("deliver", "over"))
        return sent

    def told(self, what: str) -> list[bytes]:
        """The asset is a file of our own making."""
        data = bytearray()
        wire.fetched(self.port, f"{what}/asset", self.headers, data.extend)
        return windows(bytes(data))

    def down(self, what: str) -> int:
        """The asset."""
        return wire.fetched(self.port, f"{what}/asset", self.headers)

    def after(self, what: str) -> None:
        """Acknowledge it, and wait until the receipt is made."""
        with wire.answered(self.port, "DELETE", f"{what}/asset", headers=self.headers):
            pass
        until(lambda: self._stage(what) == "over")

    def again(self, what: str) -> str:
        """A problem document."""
        return _second(self.port, f"{what}/asset", self.headers)

    def stop(self) -> None:
        """The site, then the provider."""
        self.running.stop()
        self.vendor.__exit__(None, None, None)

    def _stage(self, job: str) -> str:
        with wire.answered(self.port, "GET", job, headers=self.headers) as answer:
            return str(json.loads(answer.read())["stage"])


class Bepasty(Other):
    """bepasty under gunicorn, one process of four threads."""

    name = "bepasty"

    def start(self) -> None:
        """With a folder for files, open to anybody."""
        (self.folder / "files").mkdir()
        settings = {"SECRET_KEY": uuid4().hex, "STORAGE_FILESYSTEM_DIRECTORY": str(self.folder / "files"),
                    "DEFAULT_PERMISSIONS": "create,read,delete"}  # fmt: skip
        config = self.folder / "bepasty.conf"
        config.write_text("".join(f"{name} = {value!r}\n" for name, value in settings.items()))
        self.port = spare_port()
        self.process, _ = self.spawn(
            "gunicorn", "--workers", "1", "--threads", "4", "--bind", f"127.0.0.1:{self.port}",
            "bepasty.wsgi:application", BEPASTY_CONFIG=str(config),
        )  # fmt: skip
        Watched(self.process.pid).listens(self.port)

    def up(self, data: bytes) -> str:
        """In pieces, each of which names the transfer after the first; to be kept for ten minutes."""
        headers = {"Content-Type": "image/jpeg", "Content-Filename": "photo.jpg", "maxlife-unit": "MINUTES",
                   "maxlife-value": "10"}  # fmt: skip
        answer = None
        for start in range(0, len(data), PIECE):
            piece = data[start : start + PIECE]
            headers["Content-Range"] = f"bytes {start}-{start + len(piece) - 1}/{len(data)}"
            _, answer = wire.sent(self.port, "/apis/rest/items", base64.b64encode(piece), headers)
            headers["Transaction-ID"] = answer["Transaction-ID"]
        assert answer is not None
        return f"{answer['Content-Location']}/download"

    def down(self, what: str) -> int:
        """The file."""
        return wire.fetched(self.port, what)

    def again(self, what: str) -> str:
        """The file once more."""
        return _second(self.port, what, {})

    def stop(self) -> None:
        """The server."""
        self.guard.stop([self.process], patience=5)


class OnionShare(Other):
    """OnionShare's two programs, one after the other, without Tor."""

    name = "OnionShare"

    def start(self) -> None:
        """The one that receives. It looks for a program named ``tor``, and without Tor never runs it."""
        tor = self.folder / "tor"
        tor.write_text("#!/bin/sh\nexit 1\n")
        tor.chmod(0o700)
        self.receiving, self.port = self._run("--receive", "--data-dir", str(self.folder / "files"))
        self.sharing: subprocess.Popen[bytes] | None = None

    def up(self, data: bytes) -> Path:
        """As its page's form does."""
        boundary = uuid4().hex
        head = (f'--{boundary}\r\nContent-Disposition: form-data; name="file[]"; filename="{boundary}.jpg"\r\n'
                "Content-Type: image/jpeg\r\n\r\n")  # fmt: skip
        body = b"".join((head.encode(), data, f"\r\n--{boundary}--\r\n".encode()))
        wire.sent(self.port, "/upload-ajax", body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})
        return next((self.folder / "files").rglob(f"{boundary}.jpg"))

    def between(self, sent: Path) -> int:
        """The one that shares what came."""
        self.sharing, port = self._run(str(sent))
        return port

    def down(self, what: int) -> int:
        """The file; the program ends with it."""
        return wire.fetched(what, "/download")

    def again(self, what: int) -> str:
        """Asked once the program has ended, or has had time to."""
        sharing = self.sharing
        assert sharing is not None
        with suppress(TimeoutError):
            until(lambda: sharing.poll() is not None, 5)
        return _second(what, "/download", {})

    def stop(self) -> None:
        """Both."""
        self.guard.stop([one for one in (self.receiving, self.sharing) if one], patience=5)

    def _run(self, *words: str) -> tuple[subprocess.Popen[bytes], int]:
        process, log = self.spawn("onionshare-cli", "--local-only", "--public", *words)
        found = until(lambda: re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text(errors="replace")))
        Watched(process.pid).listens(int(found[1]))
        return process, int(found[1])


def _second(port: int, path: str, headers: dict[str, str]) -> str:
    """What is answered to a download, and how much of it."""
    try:
        with wire.answered(port, "GET", path, headers=headers) as answer:
            return f"{answer.status}, {len(answer.read()) / 1e6:.1f} MB"
    except ConnectionError:
        return "no connection"
