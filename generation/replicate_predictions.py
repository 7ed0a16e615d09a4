"""Replicate's predictions: how one is asked for, followed, fetched, cancelled and heard of. One is gone in an hour.

The models that we use are in ``generation/providers/replicate.py``.
"""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final

import httpx

from generation import signatures
from generation.exchange import Exchange, NotThere, Refused, taken, text
from generation.provider import (
    Brief,
    Card,
    Erased,
    Erasure,
    Failed,
    Finished,
    Pending,
    Remote,
    backed_off,
)

KEPT: Final = timedelta(hours=1)
DEADLINE: Final = "20m"
"""When the service gives a prediction up by itself: no job of ours waits longer."""
ENDED: Final = ("succeeded", "failed", "canceled", "aborted")


class Replicate(ABC):
    """What all models there have in common; each is a card, a version (the last of the variables) and its inputs."""

    card: ClassVar[Card]
    version: ClassVar[str]

    def __init__(self, http: httpx.Client, setup: Mapping[str, str]) -> None:
        base = setup.get("REPLICATE_URL") or "https://api.replicate.com"
        self.api = Exchange(http, base, {"Authorization": f"Bearer {setup['REPLICATE_API_KEY']}"})
        self.runs = setup.get(self.card.variables[-1].name) or self.version
        self.secret = b""
        with suppress(ValueError):
            secret = setup.get("REPLICATE_WEBHOOK_SECRET", "").removeprefix("whsec_")
            self.secret = base64.b64decode(secret, validate=True)

    @abstractmethod
    def inputs(self, images: Mapping[str, bytes], quality: str) -> dict[str, Any]:
        """The model's own."""

    def submit(self, brief: Brief) -> Remote:
        """See ``Provider.submit``. A webhook whose signature could not be checked is not asked for."""
        asked = {"version": self.runs, "input": self.inputs(brief.images, brief.quality)}
        if brief.hook and self.secret:
            asked |= {"webhook": brief.hook, "webhook_events_filter": ["completed"]}
        answer = self.api.create("/v1/predictions", json=asked, headers={"Cancel-After": DEADLINE})
        return Remote(taken(answer, "id"))

    def _prediction(self, remote: Remote) -> dict[str, Any]:
        return self.api.ask("GET", f"/v1/predictions/{remote.id}")

    def poll(self, remote: Remote) -> Pending | Finished | Failed:
        """See ``Provider.poll``. A prediction has all its output once it has succeeded."""
        try:
            found = self._prediction(remote)
        except NotThere:
            return Failed("provider_lost")
        if text(found, "status") not in ENDED:
            return Pending(wait=backed_off(remote.polls, first=2, longest=5))
        if found.get("data_removed") is True:
            return Failed("provider_lost")
        return Finished() if text(found, "status") == "succeeded" and _link(found.get("output")) else Failed()

    def fetch(self, remote: Remote) -> Iterator[bytes]:
        """See ``Provider.fetch``."""
        link = _link(self._prediction(remote).get("output"))
        yield from self.api.download(link)

    def erase(self, remote: Remote) -> Erasure:
        """See ``Provider.erase``. The hour is counted from the end, because nobody says that it is not."""
        ended = ""
        with suppress(NotThere, Refused):
            found = self._prediction(remote)
            if text(found, "status") not in ENDED:
                found = self.api.ask("POST", f"/v1/predictions/{remote.id}/cancel")
            ended = text(found, "completed_at")
        return Erasure(Erased.EXPIRES, at=_moment(ended) + KEPT)

    def heard(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> str:
        """See ``Hooked.heard``. Signed as Standard Webhooks are; several times, while a secret is being changed."""
        name, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        signatures.timely(stamp, now)
        message, given = f"{name}.{stamp}.".encode() + body, headers.get("webhook-signature", "").split()
        signatures.sealed(self.secret, message, given, spelt=lambda mac: f"v1,{base64.b64encode(mac).decode()}")
        return signatures.said(body, "id")


def _moment(said: str) -> datetime:
    """A time as the service writes it; now, when it says none."""
    with suppress(ValueError):
        return datetime.fromisoformat(said).astimezone(UTC)
    return datetime.now(UTC)


def _link(output: Any, depth: int = 4) -> str:
    """The first address of a GLB in what a model returned: a text, a list or an object."""
    if isinstance(output, str):
        plain = output.partition("?")[0].lower()
        return output if plain.startswith("http") and plain.endswith(".glb") else ""
    inner = list(output.values()) if isinstance(output, dict) else output
    links = (_link(one, depth - 1) for one in inner) if isinstance(inner, list) and depth else iter(())
    return next(filter(None, links), "")
