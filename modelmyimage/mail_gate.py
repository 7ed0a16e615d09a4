"""Mail by SMTP, through the filtering proxy where the machine has no other way out (``EGRESS_PROXY``).

The proxy is asked for a tunnel (CONNECT) to the mail server; TLS is spoken through it, with the server itself.
"""

from __future__ import annotations

import smtplib
import socket
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail.backends import smtp

LONGEST_ANSWER: Final = 4096
SECONDS: Final = 30.0
"""How long the proxy may take where nothing else is said."""


class NoTunnel(OSError):
    """The proxy did not connect us; the message is its status line."""


def tunnel(proxy: str, host: str, port: int, seconds: float) -> socket.socket:
    """A connection to ``host`` through the proxy at ``http://name:port``. Raises ``OSError``."""
    address = urlsplit(proxy)
    connection = socket.create_connection((address.hostname or "", address.port or 3128), seconds)
    try:
        connection.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode("ascii"))
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            # One byte at a time: what follows the answer is the mail server's greeting, and not ours to take.
            byte = connection.recv(1)
            if not byte or len(answer) > LONGEST_ANSWER:
                raise NoTunnel("the proxy's answer broke off")
            answer += byte
        status = answer.split(b"\r\n", 1)[0].decode("ascii", "replace")
        if status.split(" ")[1:2] != ["200"]:
            raise NoTunnel(status)
    except BaseException:
        connection.close()
        raise
    return connection


class _Through(smtplib.SMTP):
    """smtplib with its one place for another kind of connection used."""

    def _get_socket(self, host: str, port: int, timeout: Any) -> socket.socket:
        seconds = timeout if isinstance(timeout, int | float) else SECONDS
        return tunnel(settings.EGRESS_PROXY, host, port, seconds)


class _ThroughTLS(smtplib.SMTP_SSL, _Through):
    """The same for servers that speak TLS from the first byte."""


class EmailBackend(smtp.EmailBackend):
    """Django's own, through the proxy if there is one."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        """What connects."""
        if settings.EGRESS_PROXY:
            return _ThroughTLS if self.use_ssl else _Through
        return smtplib.SMTP_SSL if self.use_ssl else smtplib.SMTP
