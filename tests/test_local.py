"""``make run``: one command starts everything, nothing is left when it ends, and refusals are one clear line."""

import http.cookiejar
import os
import re
import signal
import socket
import sqlite3
import stat
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modelmyimage.local.keys import ensure_keys
from modelmyimage.local.site import address
from modelmyimage.local.valkey import LONGEST_SOCKET_PATH, addresses, socket_folder
from tests.stack import RunningSite, processes_of

Start = Callable[..., RunningSite]


def wait_until(condition: Callable[[], object], *, seconds: float = 15.0) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())


def sign_in(link: str) -> urllib.request.OpenerDirector:
    """A browser of sorts that has pressed the button on the page behind a sign-in link."""
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = browser.open(link, timeout=30).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token, "the page behind the link has no form"
    browser.open(link, urllib.parse.urlencode({"csrfmiddlewaretoken": token[1]}).encode(), timeout=30)
    assert "sessionid" in {cookie.name for cookie in jar}
    return browser


def accounts(state: Path) -> list[tuple[int, str]]:
    """Accounts in a stopped or running site's database."""
    with sqlite3.connect(f"file:{state}/db.sqlite3?mode=ro", uri=True) as database:
        return list(database.execute("SELECT id, email FROM accounts_user ORDER BY id"))


def by_command(state: Path, part: str) -> list[int]:
    """Processes of a site whose command line has ``part``."""
    found = []
    for pid in processes_of(state):
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            if part.encode() in file.read():
                found.append(pid)
    return found


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state folder that no process may be left with."""
    folder = tmp_path / "var"
    yield folder
    assert wait_until(lambda: not processes_of(folder)), "processes are left"


@pytest.mark.stack
def test_started_killed_started_again_and_stopped(tmp_path: Path, start_site: Start) -> None:
    """In a long folder with spaces, whose sockets lie elsewhere; what dies is started again, and nothing is left."""
    state = tmp_path / ("a rather long folder name " * 4).strip() / "var"
    state.mkdir(parents=True)
    sockets = socket_folder(state)
    assert not sockets.is_relative_to(state)
    first = start_site(state)
    sign_in(first.link)
    with pytest.raises(urllib.error.HTTPError):  # the link was for once
        sign_in(first.link)
    before, keys = accounts(state), (state / "local.env").read_text()
    assert [email for _, email in before] == ["demo@localhost"]
    first.process.kill()
    first.process.wait()

    second = start_site(state)  # while the guard is still ending the first one's children
    browser = sign_in(second.link)
    assert browser.open(second.url + "/history", timeout=30).status == 200
    assert accounts(state) == before
    assert (state / "local.env").read_text() == keys

    assert len(processes_of(state)) >= 5  # us, the guard, the web server, two workers
    [web] = by_command(state, "modelmyimage.web")
    os.kill(web, signal.SIGKILL)
    assert wait_until(lambda: by_command(state, "modelmyimage.web") not in ([], [web]))
    assert any(line.startswith("web stopped (SIGKILL); starting it again in 0.5 s.") for line in second.lines)

    def answers() -> bool:
        try:
            return bool(urllib.request.build_opener().open(second.url, timeout=5).status == 200)
        except OSError:
            return False

    assert wait_until(answers, seconds=30)
    assert second.stop(signal.SIGTERM) == 0
    assert processes_of(state) == []
    assert not sockets.exists()


@pytest.mark.stack
def test_what_it_keeps_is_for_our_eyes_only(site: RunningSite) -> None:
    assert site.link
    assert stat.S_IMODE(site.state.stat().st_mode) == 0o700
    for path in ("local.env", "log/web.log", "lock", "db.sqlite3"):
        assert stat.S_IMODE((site.state / path).stat().st_mode) == 0o600, path
    sockets = [path for path in (site.state / "run").iterdir() if path.is_socket()]
    assert len(sockets) == 2
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o700 for path in sockets)


@pytest.mark.stack
def test_killed_while_starting_it_leaves_nothing(state: Path, start_site: Start) -> None:
    running = start_site(state)
    assert wait_until(lambda: by_command(state, "valkey-server"))
    running.process.kill()
    running.process.wait()
    assert wait_until(lambda: not processes_of(state))


@pytest.mark.stack
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGHUP])
def test_stopped_by_hand_or_with_its_terminal_it_leaves_nothing(
    how: signal.Signals, state: Path, start_site: Start
) -> None:
    running = start_site(state)
    assert wait_until(lambda: by_command(state, "valkey-server"))  # it need not be up for that
    assert running.stop(how) == 0
    assert processes_of(state) == []


@pytest.mark.stack
def test_a_second_one_on_the_same_folder_is_refused(site: RunningSite, start_site: Start) -> None:
    assert site.link
    line = refusal(start_site(site.state))
    assert f"already running on {site.state} (process {site.process.pid})" in line
    assert site.process.poll() is None


def refusal(running: RunningSite) -> str:
    """The one line that a start which was refused has printed."""
    assert running.process.wait(30) == 1
    assert wait_until(lambda: running.lines)
    [line] = running.lines
    return line


@pytest.mark.stack
def test_a_port_in_use_is_one_line(state: Path, start_site: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = refusal(start_site(state, PORT=str(port)))
    assert f"Port {port} on 127.0.0.1 is in use. Choose another: make run PORT={port + 1}" in line


@pytest.mark.stack
@pytest.mark.parametrize("port", ["http", "65536", "-1"])
def test_a_port_that_is_none_is_one_line(port: str, state: Path, start_site: Start) -> None:
    assert f"PORT is '{port}'; it must be a number up to 65535." in refusal(start_site(state, PORT=port))


@pytest.mark.stack
def test_an_address_that_is_not_ours_is_one_line(state: Path, start_site: Start) -> None:
    assert "cannot listen on 192.0.2.1" in refusal(start_site(state, HOST="192.0.2.1"))


@pytest.mark.stack
def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, start_site: Start) -> None:
    if os.getuid() == 0:  # nothing stops root but a file in the way
        (tmp_path / "closed").write_text("")
    else:
        (tmp_path / "closed").mkdir(mode=0o500)
    line = refusal(start_site(tmp_path / "closed" / "var"))
    assert f"The folder {tmp_path}/closed/var cannot be written" in line


def test_a_long_path_gets_short_sockets_of_its_own(tmp_path: Path) -> None:
    here, there = tmp_path / ("x" * 100) / "here", tmp_path / ("x" * 100) / "there"
    here.mkdir(parents=True)
    there.mkdir()
    folders = [socket_folder(here), socket_folder(there)]
    try:
        assert len(set(folders)) == 2
        assert socket_folder(here) == folders[0]
        for folder in folders:
            assert len(os.fsencode(folder / "keystore.sock")) <= LONGEST_SOCKET_PATH
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        for folder in folders:
            folder.rmdir()


def test_addresses_are_quoted() -> None:
    assert addresses(Path("/a b/run"))["KEYSTORE_URL"] == "unix:///a%20b/run/keystore.sock"


def test_keys_are_made_once(tmp_path: Path) -> None:
    path = tmp_path / "local.env"
    assert set(ensure_keys(path)) == {"MODE", "SECRET_KEY", "MASTER_KEYS", "SIGNING_KEYS"}
    text = path.read_text()
    assert ensure_keys(path) == []
    assert path.read_text() == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_missing_key_is_added_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "local.env"
    path.write_text("SECRET_KEY=mine\nSIGNING_KEYS=mine:too\n# a remark")
    assert set(ensure_keys(path)) == {"MODE", "MASTER_KEYS"}
    assert path.read_text().startswith("SECRET_KEY=mine\nSIGNING_KEYS=mine:too\n# a remark\nMODE=local\nMASTER_KEYS=")


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104 - how it is shown, nothing is bound
        ("::1", "http://[::1]:8000"),
        ("::", "http://[::1]:8000"),
    ],
)
def test_the_address_is_one_that_a_browser_can_open(host: str, shown: str) -> None:
    assert address(host, 8000) == shown
