"""People who each send a photo, wait, fetch the model, acknowledge it, and do that again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx

WAIT = 60
"""Seconds that one request waits for the model."""
PATIENCE = 240.0


@dataclass(frozen=True)
class Journey:
    """One job as whoever sent it saw it: moments in seconds of the monotonic clock, and the model's bytes."""

    job: str
    began: float
    accepted: float
    told: float
    """When the site said that the model can be fetched."""
    fetched: float
    acknowledged: float
    size: int


@dataclass(frozen=True)
class Crowd:
    """Who asks for what: ``addresses`` of the web processes are taken in turn, a key for each person."""

    addresses: Sequence[str]
    headers: Mapping[str, str]
    keys: Sequence[str]
    photo: bytes
    media_type: str
    quality: str

    def send(self, people: int, jobs: int) -> list[Journey]:
        """``jobs`` in all, by so many ``people`` at once."""
        return asyncio.run(self._all(people, jobs))

    async def _all(self, people: int, jobs: int) -> list[Journey]:
        left, found = list(range(jobs)), list[Journey]()

        async def one(person: int) -> None:
            # Each comes from an address of their own, as the proxy in front would say.
            headers = {**self.headers, "Authorization": f"Bearer {self.keys[person]}",
                       "X-Forwarded-For": f"10.0.{person // 250}.{person % 250 + 1}"}  # fmt: skip
            async with httpx.AsyncClient(headers=headers, timeout=WAIT + 30) as client:
                while left:
                    number = left.pop()
                    found.append(await self._journey(client, self.addresses[number % len(self.addresses)]))

        async with asyncio.timeout(60 + PATIENCE), asyncio.TaskGroup() as group:
            for person in range(people):
                group.create_task(one(person))
        return found

    async def _journey(self, client: httpx.AsyncClient, address: str) -> Journey:
        began = time.monotonic()
        sent = await client.post(
            f"{address}/api/v1/jobs?quality={self.quality}",
            content=self.photo,
            headers={"Content-Type": self.media_type},
        )
        assert sent.status_code == 201, (sent.status_code, sent.text)
        accepted = time.monotonic()
        job = sent.json()["id"]
        place = f"{address}/api/v1/jobs/{job}"
        while (state := (await client.get(f"{place}?wait={WAIT}")).json()["state"]) == "running":
            assert time.monotonic() - began < PATIENCE, "the job does not end"
        assert state == "ready", state
        told = time.monotonic()
        asset = await client.get(f"{place}/asset")
        assert asset.status_code == 200, (asset.status_code, asset.text)
        fetched = time.monotonic()
        ended = await client.delete(f"{place}/asset")
        assert ended.status_code == 200, (ended.status_code, ended.text)
        return Journey(job, began, accepted, told, fetched, time.monotonic(), len(asset.content))
