"""Requests a second and their slowest hundredth: a job looked at, and a request that the limiter turns away.

Each beside a bare Django view on the same server in the same run.

``python -m benchmarks.api [SECONDS]``: one uvicorn on Postgres, eight connections that ask without pause, in turns.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from statistics import median, quantiles
from typing import Any

from modelmyimage.local.ports import spare_port

CONNECTIONS, ROUNDS = 8, 3
MANY = 10**9


def application() -> Any:
    """The site with one more view, which does nothing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "modelmyimage.settings")
    from django.http import HttpRequest, HttpResponse
    from django.urls import path

    from modelmyimage.asgi import application as site  # sets Django up

    from accounts import throttle  # isort: skip
    from modelmyimage import urls  # isort: skip

    for name, rate in throttle.RATES.items():  # what is measured is the limiter, not how much it lets through
        throttle.RATES[name] = replace(rate, calls=MANY)

    async def bare(request: HttpRequest) -> HttpResponse:
        return HttpResponse(b"{}", content_type="application/json")

    urls.urlpatterns.insert(0, path("bare", bare))
    return site


async def load(port: int, path: str, secret: str, seconds: float, status: int) -> list[float]:
    """Milliseconds of each request in that time."""
    import httpx

    found: list[float] = []
    ends = time.perf_counter() + seconds

    async def one() -> None:
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as client:
            while time.perf_counter() < ends:
                began = time.perf_counter()
                answer = await client.get(path)
                found.append((time.perf_counter() - began) * 1000)
                assert answer.status_code == status, (path, answer.status_code, answer.text)

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return found


def main() -> None:
    """Start everything, ask, print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 4.0
    import django

    from tests import services  # noqa: F401  # starts the servers and sets the environment

    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    from accounts import keys, throttle
    from accounts.models import User
    from generation.models import Job

    call_command("migrate", verbosity=0)
    owner = User.objects.create_user("load@example.com")
    now = timezone.now()
    job = Job.objects.create(owner=owner, stage="over", outcome="done", created_at=now, due_at=now, deadline_at=now)
    _, secret = keys.make(owner=owner, name="load", scopes=["read"])
    port = spare_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "--factory", "benchmarks.api:application", "--port", str(port),
         "--log-level", "critical", "--no-access-log"],
    )  # fmt: skip
    what = {"bare view": ("/bare", "", 200), "job": (f"/api/v1/jobs/{job.pk}", secret, 200),
            "turned away": ("/api/v1/balance", secret, 429)}  # fmt: skip
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in what}
    try:
        for _ in range(600):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        for _ in range(ROUNDS):
            for name, (path, key, status) in what.items():
                # Full buckets for what is to pass, and one that is long in debt for what is not.
                for rate in ("address", "key", "account"):
                    whose = {"address": "127.0.0.1", "key": "", "account": str(owner.pk)}[rate]
                    whose = whose or keys.digest(secret)
                    left = -1000 * MANY if (name, rate) == ("turned away", "key") else MANY
                    place = throttle._place(rate, whose)
                    throttle._client().hset(place, mapping={"left": left, "at": time.time()})
                    throttle._client().expire(place, 3600)
                found = asyncio.run(load(port, path, key, seconds, status))
                results[name].append((len(found) / seconds, quantiles(found, n=100)[98]))
    finally:
        server.terminate()
        server.wait()
    base = [median(one[at] for one in results["bare view"]) for at in (0, 1)]
    for name, rounds in results.items():
        often, slow = (median(one[at] for one in rounds) for at in (0, 1))
        print(f"{name:12} {often:7.0f} requests/s ({often / base[0]:.2f})   p99 {slow:7.1f} ms ({slow / base[1]:.2f})")


if __name__ == "__main__":
    main()
