"""The main job once, with no site running: two Valkey servers and a throw-away state folder around one command."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from modelmyimage.local import valkey
from modelmyimage.local.children import Guard
from modelmyimage.local.site import BASE_DIR
from modelmyimage.local.state import open_folder


def demo(arguments: Sequence[str]) -> int:
    """Run ``manage.py demo`` with ``arguments``; returns its exit code. Nothing of the job's state is left."""
    with tempfile.TemporaryDirectory(prefix="mmi-") as folder:
        state = Path(folder)
        open_folder(state)
        sockets = valkey.socket_folder(state)
        guard = Guard(removing=[state])
        servers = []
        try:
            for name, persistence in (("broker", valkey.REMEMBERING), ("keystore", valkey.FORGETTING)):
                path = sockets / f"{name}.sock"
                servers.append(valkey.start(guard, path, state / name, persistence, state / "log" / f"{name}.log"))
                valkey.wait(servers[-1], path)
            environment = {
                **os.environ,
                "MODE": "local",
                "STATE_DIR": str(state),
                "DATABASE_URL": "sqlite:///" + str(state / "db.sqlite3"),
                "STORE_URL": f"file://{state / 'blobs'}",
                **valkey.addresses(sockets),
            }
            for command in (["migrate", "--verbosity", "0"], ["demo", *arguments]):
                done = subprocess.run(
                    [sys.executable, str(BASE_DIR / "manage.py"), *command], env=environment, check=False
                )
                if done.returncode:
                    return done.returncode
        finally:
            guard.stop(servers, patience=5)
            guard.close()
    return 0
