"""What an open page of a running job costs its web process and Postgres, and how late it hears of a change.

So many connections to one web process follow jobs by server-sent events as browsers do; then each job is changed once,
and the time from the change to the event is taken.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any
from urllib.parse import urlsplit

from benchmarks.capacity.bounds.servers import cpu_of_all
from benchmarks.capacity.bounds.waits import PROVIDER, jobs
from scripts.stack.native import Stack

CROWDS = (10, 40, 160)
OPENING = 8
"""Pages that open at once: people do not all come in the same moment."""
QUIET_SECONDS = 8.0


def measure(stack: Stack) -> dict[str, float]:
    """Processor seconds a second for each open page, and its delay, by how many are open."""
    from django.conf import settings
    from django.test import Client

    from accounts.models import User
    from generation.models import Job

    made = jobs(max(CROWDS), stage=Job.Stage.WATCH, provider=PROVIDER)
    visitor = Client()
    visitor.force_login(User.objects.get(email="waits@example.com"), settings.AUTHENTICATION_BACKENDS[0])
    cookie = f"{settings.SESSION_COOKIE_NAME}={visitor.cookies[settings.SESSION_COOKIE_NAME].value}"
    process = stack.running["web-1"].process
    assert process is not None
    assert stack.database is not None
    found: dict[str, float] = {}
    for count in CROWDS:
        Job.objects.all().update(percent=0)
        found |= asyncio.run(
            crowd(
                stack.addresses[0], {**stack.headers, "Cookie": cookie}, made[:count], process.pid, stack.database.pid
            )
        )
    Job.objects.all().update(stage=Job.Stage.OVER)
    return found


async def crowd(address: str, headers: dict[str, str], made: list[Any], web: int, postgres: int) -> dict[str, float]:
    """Figures for so many open pages as there are jobs."""
    from asgiref.sync import sync_to_async

    from generation import changes
    from generation.models import Job

    changed: dict[Any, float] = {}
    percent: dict[Any, int] = {job.pk: number % 90 + 5 for number, job in enumerate(made)}
    delays: list[float] = []
    opened = asyncio.Semaphore(0)
    place = urlsplit(address)

    async def follow(job: Any) -> None:
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        lines = [f"GET /jobs/{job.pk}/events HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        status = await reader.readline()
        assert b" 200 " in status, await reader.read(2000)
        begun = False
        try:
            while line := await reader.readline():
                if not line.startswith(b"data:"):
                    continue
                if not begun:
                    begun = True
                    opened.release()
                elif f'"percent": {percent[job.pk]},'.encode() in line:
                    delays.append(time.perf_counter() - changed[job.pk])
                    return
            raise AssertionError("the stream ended")
        finally:
            writer.close()

    followers = []
    for number, job in enumerate(made):
        if number >= OPENING:
            await asyncio.wait_for(opened.acquire(), 60)
        followers.append(asyncio.create_task(follow(job)))
    for _ in range(min(OPENING, len(made))):
        await asyncio.wait_for(opened.acquire(), 60)
    before, theirs, began = cpu_of_all(web), cpu_of_all(postgres), time.perf_counter()
    await asyncio.sleep(QUIET_SECONDS)
    spent = time.perf_counter() - began
    ours, theirs = cpu_of_all(web) - before, cpu_of_all(postgres) - theirs
    order = random.Random(1)  # noqa: S311  # a choice, not a secret
    for job in made:
        await asyncio.sleep(order.uniform(0, 4 / len(made)))
        changed[job.pk] = time.perf_counter()
        await sync_to_async(Job.objects.filter(pk=job.pk).update)(percent=percent[job.pk])
        await sync_to_async(changes.tell)(job.pk)
    await asyncio.wait_for(asyncio.gather(*followers), 60)
    found, size = sorted(delays), len(made)
    return {
        f"page_web_cpu_share_{size}": ours / spent / size,
        f"page_postgres_cpu_share_{size}": theirs / spent / size,
        f"page_delay_ms_p50_{size}": 1000 * found[size // 2],
        f"page_delay_ms_p99_{size}": 1000 * found[min(size - 1, int(0.99 * size))],
    }
