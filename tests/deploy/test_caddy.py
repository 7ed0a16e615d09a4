"""The Caddyfile, as Caddy itself reads it and runs it: what goes on to a web process, and what comes back."""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from accounts import problems
from modelmyimage.local.ports import LOOPBACK, spare_port
from scripts.stack import compose
from tests.deploy.test_compose import program

FILE = compose.FILE.with_name("Caddyfile")


class Web(BaseHTTPRequestHandler):
    """A web process that says what it was asked, and more of itself than ours do."""

    def do_GET(self) -> None:
        """Answer any path."""
        body = json.dumps({"path": self.path, "headers": dict(self.headers)}).encode()
        self.send_response(200)
        self.send_header("Via", "1.1 inside")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is said."""


@dataclass
class Caddy:
    """One that runs; ``web`` is what it asks."""

    address: str
    authority: Path
    web: ThreadingHTTPServer
    process: subprocess.Popen[bytes] = field(repr=False)

    @contextmanager
    def away(self) -> Iterator[None]:
        """The web process does not listen meanwhile."""
        address = self.web.server_address
        self.web.shutdown()
        self.web.server_close()
        try:
            yield
        finally:
            self.web = served(int(address[1]))

    def client(self) -> httpx.Client:
        """Asks by TLS, and believes the authority that this Caddy made."""
        return httpx.Client(base_url=self.address, verify=ssl.create_default_context(cafile=str(self.authority)))


def served(port: int) -> ThreadingHTTPServer:
    """A web process on a port of loopback, of its own choice where that is 0."""
    web = ThreadingHTTPServer((LOOPBACK, port), Web)
    threading.Thread(target=web.serve_forever, args=(0.02,), daemon=True).start()
    return web


def adapted(folder: Path, port: int, web: int) -> dict[str, Any]:
    """The Caddyfile, in Caddy's own terms, on a port of loopback, asking one web process there."""
    environment = {"SITE_HOST": "localhost", "PATH": os.defpath, "HOME": str(folder)}
    command = [program("caddy"), "adapt", "--config", str(FILE), "--adapter", "caddyfile"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "not formatted" not in done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    # Whatever is tried here stays here: no certificate into this machine's own store.
    said["apps"]["pki"] = {"certificate_authorities": {"local": {"install_trust": False}}}
    said["storage"] = {"module": "file_system", "root": str(folder)}
    (server,) = said["apps"]["http"]["servers"].values()
    server["listen"] = [f"{LOOPBACK}:{port}"]
    server["automatic_https"] = {"disable_redirects": True}
    (proxy,) = _proxies(server)
    assert proxy.pop("dynamic_upstreams")["name"] == "web"
    proxy["upstreams"] = [{"dial": f"{LOOPBACK}:{web}"}]
    # Nobody comes back here: the wait for that is cut, and a process that was not there once is asked again at once.
    proxy["load_balancing"]["try_duration"] = "10ms"
    del proxy["health_checks"]
    return json.loads(json.dumps(said).replace('"/etc/caddy"', json.dumps(str(FILE.parent))))  # type: ignore[no-any-return]


def _proxies(said: object) -> list[dict[str, Any]]:
    if isinstance(said, dict):
        own = [said] if said.get("handler") == "reverse_proxy" else []
        return own + [found for one in said.values() for found in _proxies(one)]
    return [found for one in said for found in _proxies(one)] if isinstance(said, list) else []


@pytest.fixture(scope="module")
def caddy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caddy]:
    folder = tmp_path_factory.mktemp("caddy")
    web = served(0)
    port = spare_port()
    (folder / "caddy.json").write_text(json.dumps(adapted(folder, port, web.server_port)))
    command = [program("caddy"), "run", "--config", str(folder / "caddy.json")]
    environment = {"PATH": os.defpath, "HOME": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    caddy = Caddy(f"https://localhost:{port}", folder / "pki" / "authorities" / "local" / "root.crt", web, process)
    try:
        deadline = time.monotonic() + 30
        while not (caddy.authority.exists() and _greets(port)):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, "Caddy did not start in time"
            time.sleep(0.05)
        yield caddy
    finally:
        process.terminate()
        process.wait(10)
        caddy.web.shutdown()


def _greets(port: int) -> bool:
    """Whether there is a certificate for the name yet."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((LOOPBACK, port), 1) as line:
            context.wrap_socket(line, server_hostname="localhost").close()
    except OSError:
        return False
    return True


def test_a_web_process_is_told_that_tls_was_spoken_whatever_the_browser_says(caddy: Caddy) -> None:
    with caddy.client() as client:
        told = client.get("/create?x=1", headers={"X-Forwarded-Proto": "http", "X-Forwarded-For": "192.0.2.1"}).json()
    assert told["path"] == "/create?x=1"
    assert told["headers"]["X-Forwarded-Proto"] == "https"
    assert told["headers"]["X-Forwarded-For"] == LOOPBACK
    assert told["headers"]["Host"].startswith("localhost")


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/metrics/all"])
def test_what_is_for_the_machines_inside_is_not_asked_for_from_outside(caddy: Caddy, path: str) -> None:
    with caddy.client() as client:
        answer = client.get(path)
    assert (answer.status_code, answer.content) == (404, b"")


def test_no_answer_names_what_runs_here(caddy: Caddy) -> None:
    with caddy.client() as client:
        for path in ("/", "/livez"):
            assert not {"server", "via", "x-powered-by"} & client.get(path).headers.keys()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_no_version_of_tls_before_1_2_is_spoken(caddy: Caddy) -> None:
    context = ssl.create_default_context(cafile=str(caddy.authority))
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    port = httpx.URL(caddy.address).port
    with socket.create_connection((LOOPBACK, port), 5) as line, pytest.raises(ssl.SSLError, match=r"(?i)version"):
        context.wrap_socket(line, server_hostname="localhost")


@pytest.mark.parametrize("path", ["/", "/jobs/1"])
def test_while_no_web_process_answers_a_page_says_so(caddy: Caddy, path: str) -> None:
    with caddy.client() as client, caddy.away():
        answer = client.get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.text == FILE.with_name("away.html").read_text()
    assert 'lang="ja"' in answer.text
    assert not re.search(r"(?:src|href)=\"[^\"]", answer.text), "nothing that would have to be fetched"


def test_and_a_program_is_told_as_by_the_api_itself(caddy: Caddy) -> None:
    with caddy.client() as client, caddy.away():
        answer = client.get("/api/v1/jobs")
    said = answer.json()
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, problems.MEDIA_TYPE)
    itself = json.loads(problems.response(problems.Problem(problems.RESTARTING), request_id=said["request_id"]).content)
    assert said == itself
    assert (said["code"], bool(UUID(said["request_id"]))) == ("restarting", True)
