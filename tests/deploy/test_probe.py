"""What a container's health check asks: the site by its name and as if by TLS, since it answers to nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.environment import ROOT


class Site(BaseHTTPRequestHandler):
    """Answers as a production site does: to its name, by TLS."""

    def do_GET(self) -> None:
        """200 on /livez, 503 on /readyz."""
        known = self.headers["Host"] == "models.example" and self.headers["X-Forwarded-Proto"] == "https"
        self.send_response({"/livez": 200, "/readyz": 503}[self.path] if known else 400)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_port
        server.shutdown()


def asked(port: int, *path: str, site: str = "https://models.example") -> int:
    command = [sys.executable, "-m", "modelmyimage.probe", *path]
    environment = {"PATH": os.defpath, "SITE_URL": site, "PORT": str(port)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def test_a_site_that_answers_is_told_from_one_that_does_not(port: int) -> None:
    assert asked(port) == 0
    assert asked(port, "/readyz") == 1
    assert asked(port, site="https://elsewhere.example") == 1
    assert asked(1) == 1
