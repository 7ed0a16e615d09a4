"""The site that the load is sent to: the native stack, or the one of ``make run``; and the people who may use it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from scripts.stack.native import ROOT, Stack

PEOPLE = """
from accounts import keys
from accounts.scopes import USUAL
from accounts.models import User
from billing import ledger
for number in range({count}):
    user = User.objects.create_user(f"load{{number}}@example.com")
    ledger.grant(user=user, credits=100000, key=f"load-{{number}}", reason="benchmark")
    print("KEY", keys.make(owner=user, name="load", scopes=list(USUAL))[1])
"""


class Site(Protocol):
    """A running site."""

    addresses: list[str]
    headers: dict[str, str]

    def environment(self) -> dict[str, str]:
        """What a process of the site is given."""

    def processes(self) -> dict[str, list[int]]:
        """The ids of its processes, by kind, without what these have started."""

    def stop(self) -> None:
        """End all of it."""


class NativeSite:
    """Two web processes, four workers, beat, Postgres, two Valkeys, S3: what the compose file describes."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        # Whoever sends is the proxy here, and says for whom.
        self.stack = Stack({**settings, "FORWARDED_ALLOW_IPS": "127.0.0.1"})
        try:
            self.stack.start()
        except BaseException:
            self.stack.stop()
            raise
        self.addresses, self.headers = self.stack.addresses, self.stack.headers

    def environment(self) -> dict[str, str]:
        """See ``Site``."""
        return self.stack.environment

    def processes(self) -> dict[str, list[int]]:
        """See ``Site``."""
        found: dict[str, list[int]] = {}
        for one in self.stack.running.values():
            assert one.process is not None
            found.setdefault(one.service.name.removeprefix("worker-"), []).append(one.process.pid)
        assert self.stack.database is not None
        return {**found, "postgres": [self.stack.database.pid]}

    def tell_of_requests(self) -> Path:
        """Have the S3 server started anew, and log each request; the log."""
        server = self.stack.running["s3"]
        assert server.process is not None
        server.environment["RCLONE_LOG_LEVEL"] = "DEBUG"
        server.process.terminate()
        server.process.wait(10)
        self.stack.tend()
        time.sleep(1)
        return server.log

    def stop(self) -> None:
        """See ``Site``."""
        self.stack.stop()


class LocalSite:
    """What ``make run`` starts: SQLite, two Valkeys, files; one web process, two workers."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        from tests.stack import launch

        self._folder = tempfile.TemporaryDirectory(prefix="mmi-")
        self._running = launch(Path(self._folder.name) / "var", **{**settings, "FORWARDED_ALLOW_IPS": "127.0.0.1"})
        self._settings = settings
        self.addresses, self.headers = [self._running.url], dict[str, str]()

    def environment(self) -> dict[str, str]:
        """See ``Site``."""
        from modelmyimage.local import valkey
        from tests.environment import bare

        state = self._running.state
        places = valkey.addresses(valkey.socket_folder(state))
        return {**bare(), **self._settings, **places, "STATE_DIR": str(state), "SITE_URL": self._running.url}

    def processes(self) -> dict[str, list[int]]:
        """See ``Site``."""
        from tests.stack import processes_of

        words = {"modelmyimage.web": "web", "engine@": "engine", "default@": "worker", "broker.sock": "broker",
                 "keystore.sock": "keystore"}  # fmt: skip
        found: dict[str, list[int]] = {}
        for process in processes_of(self._running.state):
            line = Path(f"/proc/{process}/cmdline").read_text()
            for word, kind in words.items():
                if word in line:
                    found.setdefault(kind, []).append(process)
        return found

    def stop(self) -> None:
        """See ``Site``."""
        self._running.stop()
        self._folder.cleanup()


def keys_of_people(site: Site, count: int) -> list[str]:
    """Access keys of so many new accounts, each with credits for all that a benchmark may ask."""
    environment = site.environment()
    command = [sys.executable, str(ROOT / "manage.py"), "shell", "-c", PEOPLE.format(count=count)]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return [line.removeprefix("KEY ").strip() for line in done.stdout.splitlines() if line.startswith("KEY ")]


def join(site: Site) -> None:
    """Make this process one of the site's, which can look at its database, keys and objects."""
    os.environ |= site.environment()
    os.environ["DJANGO_SETTINGS_MODULE"] = "modelmyimage.settings"
    import django

    django.setup()
