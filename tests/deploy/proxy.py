"""A filtering proxy of a test's own: it connects where it was told to, and remembers what it was asked for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress


class Proxy:
    """Serves CONNECT on a free port. ``routes``: ``host:port`` -> the address that stands for it; others get 403."""

    def __init__(self, routes: Mapping[str, tuple[str, int]], *, status: str = "") -> None:
        self.routes = routes
        self.status = status
        self.asked: list[str] = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self) -> str:
        """For ``EGRESS_PROXY``."""
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    def close(self) -> None:
        """Listen no more."""
        self.listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._one, args=(self.listening.accept()[0],), daemon=True).start()

    def _one(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += client.recv(1)
            method, target = head.decode().split(" ")[:2]
            self.asked.append(f"{method} {target}")
            if method != "CONNECT" or target not in self.routes:
                client.sendall(f"HTTP/1.1 {self.status or '403 Forbidden'}\r\n\r\n".encode())
                return
            with socket.create_connection(self.routes[target]) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_copy, args=(server, client), daemon=True)
                back.start()
                _copy(client, server)
                back.join(5)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
