"""What it costs a request that it is recorded: requests a second with and without, and the ratio.

``python -m benchmarks.recording [SECONDS]`` (4): two servers on one Postgres, one with all of the site and one without
its outermost part; eight connections ask the one and the other in turns, five times. Afterwards the servers are
stopped, and the lines in the log are counted against the answers.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from statistics import median
from typing import Any

from benchmarks.api import MANY, load
from modelmyimage.local.ports import spare_port

ROUNDS = 5


def unlimited() -> None:
    """No limit in the way; for both servers alike."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "modelmyimage.settings")
    import modelmyimage.asgi  # noqa: F401  # sets Django up
    from accounts import throttle

    for name, rate in throttle.RATES.items():
        throttle.RATES[name] = replace(rate, calls=MANY)


def with_it() -> Any:
    """The site as it is."""
    unlimited()
    from modelmyimage.asgi import application

    return application


def without_it() -> Any:
    """The site without its measuring part."""
    unlimited()
    from modelmyimage.asgi import limited

    return limited


def serve(factory: str) -> tuple[subprocess.Popen[bytes], int]:
    """A server that answers, and its port."""
    port = spare_port()
    lifespan = "on" if factory == "with_it" else "off"
    server = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "--factory", f"benchmarks.recording:{factory}", "--port", str(port),
         "--log-level", "critical", "--no-access-log", "--lifespan", lifespan],
    )  # fmt: skip
    for _ in range(600):
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    return server, port


def main() -> None:
    """Start everything, ask, stop, count, print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 4.0
    import django

    from tests import services  # noqa: F401  # starts the servers and sets the environment

    django.setup()
    from django.core.management import call_command

    from accounts import keys
    from accounts.models import ApiCall, User

    call_command("migrate", verbosity=0)
    owner = User.objects.create_user("load@example.com")
    _, secret = keys.make(owner=owner, name="load", scopes=["billing:read"])
    servers = {name: serve(name) for name in ("without_it", "with_it")}
    times: dict[str, list[list[float]]] = {name: [] for name in servers}
    try:
        for _ in range(ROUNDS):
            for name, (_server, port) in servers.items():
                times[name].append(asyncio.run(load(port, "/api/v1/balance", secret, seconds, 200)))
    finally:
        for server, _port in servers.values():
            server.terminate()
            server.wait()
    often = {name: median(len(found) / seconds for found in rounds) for name, rounds in times.items()}
    for name, rounds in times.items():
        middle = median(one for found in rounds for one in found)
        print(f"{name:10} {often[name]:7.0f} requests/s   median {middle:6.1f} ms")
    print(f"ratio      {often['with_it'] / often['without_it']:7.2f}")
    print(f"recorded   {ApiCall.objects.count():7} of {sum(map(len, times['with_it']))}")


if __name__ == "__main__":
    main()
