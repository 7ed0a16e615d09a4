"""Ports of this machine that are chosen before the process that will listen on them has started.

Between the choice and the start, seconds may pass. A port that the system gives (bind to 0) comes from the range that
outgoing connections also come from, so one of those may take it meanwhile, and the server never starts. The ports
chosen here lie below that range: Linux begins it at 32768, macOS and Windows at 49152.
"""

import random
import socket

LOOPBACK = "127.0.0.1"
NEVER_OUTGOING = range(20_000, 32_768)
LAST_PORT = 65_535
TRIES = 100


def listen_briefly(host: str, port: int) -> None:
    """See that one can listen there. Raises ``OSError`` when not."""
    family, kind, protocol, _, target = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(target)
        probe.listen(1)


def spare_port(host: str = LOOPBACK, *, wanted: int | None = None) -> int:
    """The wanted port if it is free, otherwise a random free one. Raises ``OSError`` when none is found."""
    chosen = random.SystemRandom().sample(NEVER_OUTGOING, TRIES)
    first = [wanted] if wanted is not None and wanted <= LAST_PORT else []
    for port in first + chosen:
        try:
            listen_briefly(host, port)
        except OSError as error:
            refusal = error
        else:
            return port
    raise refusal
