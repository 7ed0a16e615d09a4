"""The site's processes on one machine: started in order, started again when they die, stopped together."""

import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from modelmyimage.local import payments, valkey
from modelmyimage.local.children import Guard
from modelmyimage.local.ports import listen_briefly, spare_port
from modelmyimage.local.state import empty_folder, lock, log_file, open_folder, open_log

BASE_DIR = Path(__file__).resolve().parent.parent.parent
DEMO_ACCOUNT = "demo@localhost"
START_SECONDS = 90.0
STOP_SECONDS = 8.0
LONGEST_DELAY_SECONDS = 30.0
STEADY_SECONDS = 60.0
SERVERS = {"broker", "keystore", "stripe"}


class StartError(Exception):
    """The site cannot start; the message says why in one line."""


class Stopping(KeyboardInterrupt):
    """We were told to stop."""


@dataclass
class Service:
    """One child: how to start it, and how its last start went."""

    name: str
    start: Callable[[Path], subprocess.Popen[bytes]]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    delay: float = 0.5
    again_at: float = field(default=0.0)

    def launch(self) -> None:
        """Start it now."""
        self.process = self.start(self.log)
        self.started_at = time.monotonic()


class Site:
    """All children of one ``make run``. ``state`` is the folder that holds everything the site keeps."""

    def __init__(self, *, state: Path, host: str, port: int) -> None:
        open_folder(state)
        self.state = state
        held = lock(state)
        self.port = port = free_port(host, port)
        self.sockets = valkey.socket_folder(state)
        elsewhere = [] if self.sockets.is_relative_to(state) else [self.sockets]
        self.guard = Guard(holding=[held], removing=elsewhere)
        os.close(held)  # the guard has it: the folder stays ours until the last child is gone
        self.url = address(host, port)
        self.environment = {
            **os.environ,
            "MODE": "local",
            "STATE_DIR": str(state),
            "HOST": host,
            "PORT": str(port),
            "SITE_URL": self.url,
            "PYTHONUNBUFFERED": "1",
            **valkey.addresses(self.sockets),
        }
        if urlsplit(self.url).hostname not in {"127.0.0.1", "localhost", "::1"}:
            self.environment.setdefault("ALLOWED_HOSTS", f"127.0.0.1,localhost,[::1],{host}")
        if os.environ.get("METRICS_TOKEN"):
            # What every process counts comes together here, and the web server tells all of it.
            self.environment["PROMETHEUS_MULTIPROC_DIR"] = str(empty_folder(state / "metrics"))
        self.stand_in = payments.stand_in(state, port)
        self.environment |= self.stand_in
        self.services: list[Service] = []

    def python(self, *arguments: str) -> Callable[[Path], subprocess.Popen[bytes]]:
        """How to start a Python module of the site."""

        def start(log: Path) -> subprocess.Popen[bytes]:
            with open_log(log) as output:
                command = [sys.executable, "-m", *arguments]
                return self.guard.spawn(command, output=output, cwd=BASE_DIR, env=self.environment)

        return start

    def valkey(self, name: str, persistence: tuple[str, ...]) -> Callable[[Path], subprocess.Popen[bytes]]:
        """How to start one of the two Valkey servers."""
        socket_path, data = self.sockets / f"{name}.sock", self.state / name
        return lambda log: valkey.start(self.guard, socket_path, data, persistence, log)

    def worker(self, queue: str, *options: str) -> Callable[[Path], subprocess.Popen[bytes]]:
        """How to start a Celery worker for a queue, or for several with commas between."""
        alone = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        name = f"{queue.partition(',')[0]}@localhost"
        return self.python("celery", "-q", "-A", "modelmyimage", "worker", "-Q", queue, "-n", name, *alone, *options)

    def launch(self, name: str, start: Callable[[Path], subprocess.Popen[bytes]]) -> Service:
        """Start a child and keep it."""
        service = Service(name, start, log_file(self.state, name))
        self.services.append(service)
        service.launch()
        return service

    def start(self) -> str:
        """Start everything; returns the demo account's sign-in link once the site answers. Raises ``StartError``."""
        for name, persistence in (("broker", valkey.REMEMBERING), ("keystore", valkey.FORGETTING)):
            server = self.launch(name, self.valkey(name, persistence)).process
            assert server is not None
            valkey.wait(server, self.sockets / f"{name}.sock")
        web = self.launch("web", self.python("modelmyimage.web"))  # loads while the database is brought up to date
        link = self.prepare()
        if self.stand_in:
            self.launch("stripe", self.python("sandbox.stripe"))
        beat = ("-B", "-s", str(self.state / "beat-schedule"))
        self.launch("worker", self.worker("default,calls,webhooks,privacy", "-P", "threads", "-c", "8", *beat))
        self.launch("engine", self.worker("engine", "-P", "prefork", "-c", "1"))
        self.wait_for(web)
        return link

    def prepare(self) -> str:
        """Migrate and make the sign-in link. Raises ``StartError`` with the last line of what went wrong."""
        log = log_file(self.state, "prepare")
        with open_log(log) as errors:
            done = subprocess.run(
                [sys.executable, "-m", "modelmyimage.local.prepare", DEMO_ACCOUNT],
                stdout=subprocess.PIPE,
                stderr=errors,
                stdin=subprocess.DEVNULL,
                cwd=BASE_DIR,
                env=self.environment,
                check=False,
            )
        if done.returncode:
            raise StartError(f"The database could not be prepared: {last_line(log)} ({log})")
        return done.stdout.decode().strip().splitlines()[-1]

    def wait_for(self, web: Service) -> None:
        """Return once the web server takes connections. Raises ``StartError`` when it ends or stays silent."""
        target = urlsplit(self.url)
        deadline = time.monotonic() + START_SECONDS
        while True:
            assert web.process is not None
            if web.process.poll() is not None:
                raise StartError(f"The web server did not start: {last_line(web.log)} ({web.log})")
            if time.monotonic() > deadline:
                raise StartError(f"The web server gave no answer for {START_SECONDS:.0f} s ({web.log}).")
            try:
                socket.create_connection((target.hostname, self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return

    def watch(self) -> None:
        """Start again what dies, waiting longer each time it dies young. Ends only by an exception."""
        while True:
            now = time.monotonic()
            for service in self.services:
                if service.process is None:
                    if now >= service.again_at:
                        service.launch()
                elif service.process.poll() is not None:
                    self.schedule_restart(service, now)
            if self.guard.process.poll() is not None:
                raise StartError("The process that guards the others has ended; stopping.")
            time.sleep(0.1)

    def schedule_restart(self, service: Service, now: float) -> None:
        """End what a dead child has left behind and say when it is started again."""
        process = service.process
        assert process is not None
        self.guard.forget(process)
        if now - service.started_at > STEADY_SECONDS:
            service.delay = 0.5
        service.process, service.again_at = None, now + service.delay
        print(
            f"{service.name} stopped ({how(process.returncode)}); starting it again in {service.delay:g} s. "
            f"See {service.log}",
            flush=True,
        )
        service.delay = min(service.delay * 2, LONGEST_DELAY_SECONDS)

    def stop(self) -> None:
        """End every child: those that work first, then the servers that they need."""
        servers = [s.process for s in self.services if s.process and s.name in SERVERS]
        workers = [s.process for s in self.services if s.process and s.name not in SERVERS]
        self.guard.stop(workers, patience=STOP_SECONDS)
        self.guard.stop(servers, patience=STOP_SECONDS)
        self.guard.close()


def free_port(host: str, port: int) -> int:
    """The port, or a free one for 0. Raises ``StartError`` when the address cannot be used."""
    try:
        if port == 0:
            return spare_port(host)
        listen_briefly(host, port)
        return port
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StartError(f"Port {port} on {host} is in use. Choose another: make run PORT={port + 1}") from error
        raise StartError(f"The site cannot listen on {host}, port {port}: {error.strerror}.") from error


def address(host: str, port: int) -> str:
    """The site's address as a browser on this machine writes it."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://{f'[{shown}]' if ':' in shown and '[' not in shown else shown}:{port}"


def how(code: int) -> str:
    """An exit code in words."""
    with contextlib.suppress(ValueError):
        if code < 0:
            return signal.Signals(-code).name
    return f"exit code {code}"


def last_line(log: Path) -> str:
    """The last line of a log, or an empty string."""
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""


def stop_on_signals() -> None:
    """Turn Ctrl-C, SIGTERM and a closed terminal into ``Stopping``; a second one leaves the rest to the guard."""

    def first(number: int, frame: FrameType | None) -> None:
        for again in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(again, lambda *_: os._exit(130))
        raise Stopping

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, first)
