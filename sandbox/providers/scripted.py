"""A provider for tests: a client of the scripted service beside it, which does what a test told it to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import httpx

from generation.provider import (
    Brief,
    Card,
    Declined,
    Erased,
    Erasure,
    Failed,
    Finished,
    Pending,
    Remote,
    Unavailable,
    Variable,
)


class Scripted:
    """Honours idempotency keys, as a vendor that bills by the call should."""

    card: ClassVar[Card] = Card(
        name="scripted",
        label="Scripted provider",
        place="this machine",
        variables=(Variable("SCRIPTED_URL", address=True),),
        self_hosted=True,
        credits={"draft": 1, "standard": 2, "high": 3},
        typical_seconds={"draft": 1, "standard": 1, "high": 1},
        options=frozenset({"normal_map"}),
        resubmit_safe=True,
        evidence="sandbox/providers/service.py",
    )

    def __init__(self, http: httpx.Client, setup: Mapping[str, str]) -> None:
        self.http = http
        self.address = setup["SCRIPTED_URL"]

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = self.http.request(method, f"{self.address}{path}", **options)
        except httpx.HTTPError:
            raise Unavailable(0.2) from None
        if answer.status_code == 429 or answer.status_code >= 500:
            raise Unavailable(0.2)
        return answer

    def submit(self, brief: Brief) -> Remote:
        """See ``Provider.submit``."""
        headers = {"Idempotency-Key": brief.key, "Normal-Map": "yes" if brief.options.normal_map else "no"}
        answer = self._ask("POST", "/calls", content=brief.images["front"], headers=headers)
        if answer.status_code >= 400:
            raise Declined
        return Remote(answer.json()["id"])

    def poll(self, remote: Remote) -> Pending | Finished | Failed:
        """See ``Provider.poll``."""
        answer = self._ask("GET", f"/calls/{remote.id}")
        if answer.status_code >= 400:
            return Failed()
        state = answer.json()
        if state["state"] == "pending":
            return Pending(state["percent"], 0.1)
        return Finished() if state["state"] == "finished" else Failed()

    def fetch(self, remote: Remote) -> Iterator[bytes]:
        """See ``Provider.fetch``."""
        yield self._ask("GET", f"/calls/{remote.id}/mesh").content

    def erase(self, remote: Remote) -> Erasure:
        """See ``Provider.erase``."""
        self._ask("DELETE", f"/calls/{remote.id}")
        return Erasure(Erased.ERASED)


class ScriptedUnsafe(Scripted):
    """The same service through a card that does not honour idempotency keys, as most vendors do not."""

    card: ClassVar[Card] = replace(
        Scripted.card, name="scripted-unsafe", label="Scripted provider without idempotency", resubmit_safe=False
    )
