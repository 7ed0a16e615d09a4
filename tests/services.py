"""Pytest plugin: real Postgres and Valkey for the test run, started before Django reads its settings.

Loaded by ``-p tests.services`` (pyproject.toml). Everything listens on unix sockets in a private folder and ends
with the run, even when the run is killed. Under ``pytest -n`` the workers share one Postgres, where pytest-django
gives each its own database; each worker has its own two Valkeys and its own state folder.
``TEST_DATABASE=sqlite`` runs the same suite on SQLite.
"""

import atexit
import base64
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from modelmyimage.local import valkey
from modelmyimage.local.children import Guard, signal_group
from scripts import postgres

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


def start_postgres() -> str:
    """A Postgres server of this run's own; returns a DATABASE_URL. Raises ``PostgresError``."""
    server, socket = postgres.start(GUARD, FOLDER, POSTGRES_SETTINGS)
    SERVERS.append(server)
    return f"postgres://postgres@/{socket}/postgres"


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
        # Tests start threads of their own, which nobody tells to give connections back.
        DATABASE_CONNECTIONS="0",
    )
    if made := os.environ.get("TEST_SQLITE"):  # with --reuse-db
        shutil.copyfile(made, state / "test.sqlite3")
    os.environ.setdefault("TEST_RUN", str(FOLDER))  # workers of `pytest -n` inherit it from their starter
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
except (postgres.PostgresError, valkey.ValkeyError) as error:
    sys.exit(f"The tests need Postgres and Valkey. {error}")
