"""Customers that do not give up: each sends one photo through the API, and asks until the answer is a final one.

As the API's guide tells programs to: the same ``Idempotency-Key`` with every repeat, what failed is asked again. Most
fetch their model and have it destroyed; some change their mind at one moment or another.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import uuid4

import httpx

from benchmarks.chaos.vendors import numbered

AT_ONCE = 48
"""Customers that are under way at the same time."""
PAUSE = 1.0
"""Seconds before a customer asks again."""
WISHES = {"meshy": 30, "tripo": 25, "stability-sf3d": 20, "cog": 8, "": 15}
"""How many of a hundred name which provider; an empty name leaves it to the router."""
WAYS = {"fetch": 80, "cancel": 8, "refuse": 7, "destroy": 5}
"""What they do: fetch and destroy; cancel on the way; cancel what is ready; destroy it unfetched."""


@dataclass
class Order:
    """One customer's one photo, and what came of it."""

    number: int
    account: int
    provider: str
    quality: str
    way: str
    begins: float
    """Seconds after the start."""
    key: str = field(default_factory=lambda: uuid4().hex)
    job: str = ""
    fetched: bool = False
    said: dict[str, Any] = field(default_factory=dict)
    """The last answer about the job."""


def orders(count: int, *, embedded: int, accounts: int, lasting: float, seed: int) -> list[Order]:
    """So many, spread over ``lasting`` seconds; ``embedded`` of them ask for our own engine. Same seed, same orders."""
    random = Random(seed)  # noqa: S311  # a plan, no secret
    made = []
    for number in range(count):
        provider = random.choices(list(WISHES), list(WISHES.values()))[0]
        if number % max(1, count // max(1, embedded)) == 0 and number // max(1, count // max(1, embedded)) < embedded:
            provider = "embedded"
        quality = "draft" if provider == "embedded" else "standard"
        way = random.choices(list(WAYS), list(WAYS.values()))[0]
        made.append(Order(number, number % accounts, provider, quality, way, lasting * number / count))
    return made


class Customers:
    """All orders under way. ``until`` is when the last of them gives up (``time.monotonic``)."""

    def __init__(
        self, placed: Sequence[Order], *, addresses: Sequence[str], headers: Mapping[str, str], secrets: Sequence[str]
    ) -> None:
        self.placed = placed
        self.addresses, self.headers, self.secrets = addresses, headers, secrets
        self.answers: Counter[str] = Counter()
        self.broken = 0
        self.began = time.monotonic()
        self.until = self.began + 3600
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._running = [self._pool.submit(self._lived, order) for order in placed]

    def under_way(self) -> int:
        """How many are not through."""
        return sum(not one.done() for one in self._running)

    def give_up(self) -> None:
        """Let those that are under way give up."""
        self.until = 0.0
        self._pool.shutdown(cancel_futures=True)

    def end(self) -> None:
        """The same; raises what went wrong in any of them."""
        self.give_up()
        for one in self._running:
            if not one.cancelled():
                one.result()

    def _lived(self, order: Order) -> None:
        while time.monotonic() < min(self.until, self.began + order.begins):
            time.sleep(0.2)
        # Each account comes from an address of its own, as people do.
        headers = {
            **self.headers,
            "Authorization": f"Bearer {self.secrets[order.account]}",
            "X-Forwarded-For": f"198.51.100.{order.account}",
        }
        with httpx.Client(headers=headers, timeout=40) as client:
            self._send(client, order)
            if order.job:
                self._follow(client, order)

    def _ask(self, client: httpx.Client, order: Order, method: str, path: str, **more: Any) -> httpx.Response | None:
        """One answer of whichever web process; ``None`` where none came."""
        address = self.addresses[(order.number + int(time.monotonic())) % len(self.addresses)]
        try:
            answer = client.request(method, f"{address}/api/v1{path}", **more)
        except httpx.HTTPError:
            with self._lock:
                self.broken += 1
            return None
        code = ""
        if answer.status_code >= 400 and "json" in answer.headers.get("Content-Type", ""):
            code = f" {answer.json().get('code', '')}"
        with self._lock:
            self.answers[f"{method} {answer.status_code}{code}"] += 1
        return answer

    def _send(self, client: httpx.Client, order: Order) -> None:
        wishes = {"quality": order.quality, "keep_minutes": "60", "provider": order.provider}
        photo = numbered(order.number)
        while time.monotonic() < self.until:
            answer = self._ask(
                client, order, "POST", "/jobs", params={name: value for name, value in wishes.items() if value},
                content=photo, headers={"Content-Type": "image/png", "Idempotency-Key": order.key},
            )  # fmt: skip
            if answer is not None and answer.status_code in (200, 201):
                order.job = str(answer.json()["id"])
                return
            time.sleep(PAUSE)

    def _follow(self, client: httpx.Client, order: Order) -> None:
        job = f"/jobs/{order.job}"
        if order.way == "cancel":
            time.sleep(2.0 + order.number % 7)
        while time.monotonic() < self.until:
            answer = self._ask(client, order, "GET", job)
            if answer is not None and answer.status_code == 200:
                order.said = answer.json()
                if order.said["over"]:
                    return
                self._act(client, order, job)
            time.sleep(PAUSE)

    def _act(self, client: httpx.Client, order: Order, job: str) -> None:
        ready = order.said["state"] == "ready"
        if (order.way == "cancel" and order.said["state"] in ("running", "ready")) or (order.way == "refuse" and ready):
            self._ask(client, order, "POST", f"{job}/cancel")
        elif ready and (order.way == "destroy" or order.fetched):
            self._ask(client, order, "DELETE", f"{job}/asset")
        elif ready:
            answer = self._ask(client, order, "GET", f"{job}/asset")
            if answer is not None and answer.status_code == 200:
                order.fetched = answer.content[:4] == b"glTF" and len(answer.content) == order.said["asset"]["bytes"]
                self._ask(client, order, "DELETE", f"{job}/asset")
