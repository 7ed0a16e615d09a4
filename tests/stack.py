"""Pytest plugin: the whole site as ``make run`` starts it, on a free port and a state folder of its own.

``site`` is one running site for the whole run; ``start_site`` makes more, each ended with its test.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests import migrated
from tests.environment import ROOT, bare

START_SECONDS = 120.0
LINK = re.compile(r"^\s*(https?://\S+/in/\S+)\s*$")


@dataclass
class RunningSite:
    """One supervisor and what it has printed so far."""

    process: subprocess.Popen[str]
    state: Path
    lines: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Collect the supervisor's output until it ends."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)

    @property
    def link(self) -> str:
        """The printed sign-in link, waited for. Fails the test when the supervisor ends without one."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            found = next(filter(None, map(LINK.match, list(self.lines))), None)
            if found:
                return found[1]
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        return pytest.fail("the site did not start:\n" + "".join(self.lines))

    @property
    def url(self) -> str:
        """The site's address, without a slash at its end."""
        return "/".join(self.link.split("/")[:3])

    def link_of(self, email: str, **variables: str) -> str:
        """A sign-in link for an account of a test's own; ``link`` is good once only.

        The account has what ``variables`` (GRANT_CREDITS) give a new one. It takes a process of its own: in a browser,
        ``join`` costs a tenth.
        """
        environment = {**bare(), "STATE_DIR": str(self.state), "SITE_URL": self.url, **variables}
        command = [sys.executable, "manage.py", "signin_link", email, "--create"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def stop(self, how: int = signal.SIGINT) -> int:
        """Tell the supervisor to stop, as Ctrl-C does; returns its exit code once it is gone."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(30)

    def drop(self) -> None:
        """Let its guard end what it started, without waiting: for tests that are done with it, whatever it is at."""
        self.process.kill()
        self.process.wait()


def launch(state: Path, **variables: str) -> RunningSite:
    """Start the supervisor on ``state``; it goes on starting while this returns."""
    environment = {**bare(), "STATE_DIR": str(state), "PORT": "0", **variables}
    process = subprocess.Popen(
        [sys.executable, "-m", "modelmyimage.local"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    running = RunningSite(process, state)
    threading.Thread(target=running.listen, daemon=True).start()
    return running


def launch_ready(state: Path, **variables: str) -> RunningSite:
    """Start a site whose database need not be made first."""
    state.mkdir(mode=0o700)
    (state / "db.sqlite3").touch(0o600)
    (state / "db.sqlite3").write_bytes(migrated.sqlite().read_bytes())
    return launch(state, **variables)


@pytest.fixture
def start_site() -> Iterator[Callable[..., RunningSite]]:
    """``start_site(state, NAME=value…)`` starts a site; all are stopped when the test ends."""
    started: list[RunningSite] = []

    def start(state: Path, **variables: str) -> RunningSite:
        started.append(launch(state, **variables))
        return started[-1]

    yield start
    for running in started:
        running.drop()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """One running site with its real workers, shared by the tests that only use it."""
    # A head is due soon after each receipt, whoever caused the one before.
    running = launch_ready(tmp_path_factory.mktemp("site") / "var", LOG_HEAD_MINUTES="0.05")
    try:
        assert running.link
        yield running
    finally:
        running.drop()


def processes_of(state: Path) -> list[int]:
    """Processes that belong to a site: their environment or command line names its state folder."""
    if not os.path.isdir("/proc/self"):
        listing = subprocess.run(["ps", "axeww", "-o", "pid=,command="], capture_output=True, text=True, check=True)
        return [int(line.split()[0]) for line in listing.stdout.splitlines() if str(state) in line]
    needle, found = os.fsencode(state), []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            text = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if needle in text:
            found.append(int(entry.name))
    return found
