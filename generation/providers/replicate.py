"""Replicate: models of others, run on its machines. A prediction is polled, can be cancelled, and is gone in an hour.

Photos go in as data URIs, small enough that nothing has to be uploaded, which would have to be deleted.
"""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final

import httpx

from generation import pictures, signatures
from generation.exchange import Exchange, NotThere, Refused, taken, text
from generation.provider import (
    VIEWS,
    Brief,
    Card,
    Erased,
    Erasure,
    Failed,
    Finished,
    Pending,
    Remote,
    Variable,
    backed_off,
)

KEPT: Final = timedelta(hours=1)
DEADLINE: Final = "20m"
"""When the service gives a prediction up by itself: no job of ours waits longer."""
PHOTO_BYTES: Final = 720_000
"""The photos of one call; in base64 they are a third more and still below the megabyte that data URIs may have."""
ENDED: Final = ("succeeded", "failed", "canceled", "aborted")
TRELLIS: Final[Mapping[str, dict[str, Any]]] = {
    "draft": {"texture_size": 512, "mesh_simplify": 0.97},
    "standard": {"texture_size": 1024, "mesh_simplify": 0.95},
    "high": {"texture_size": 2048, "mesh_simplify": 0.9, "ss_sampling_steps": 25, "slat_sampling_steps": 25},
}


COMMON: Final = (
    Variable("REPLICATE_API_KEY"),
    Variable("REPLICATE_URL", required=False, address=True),
    Variable("REPLICATE_WEBHOOK_SECRET", required=False),
)


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


class Trellis(Replicate):
    """Cut-outs from any side, in any order, to a mesh with colours. The videos that it likes to make are left out."""

    card: ClassVar[Card] = Card(
        name="replicate-trellis",
        label="TRELLIS on Replicate",
        place="not stated",
        operator="Replicate, LLC",
        hosts=frozenset({"api.replicate.com", "replicate.delivery", "*.replicate.delivery"}),
        variables=(*COMMON, Variable("REPLICATE_TRELLIS_VERSION", required=False)),
        credits={"draft": 1, "standard": 1, "high": 2},
        typical_seconds={"draft": 40, "standard": 60, "high": 90},
        views=frozenset(VIEWS),
        keeps=KEPT,
        trains_on_input=None,
        can_erase=False,
        evidence="replicate.com/docs: HTTP reference, data retention, webhooks; firtoz/trellis (November 2026)",
    )
    version: ClassVar[str] = "4876f2a8da1c544772dffa32e8889da4a1bab3a1f5c1937bfcfccb99ae347251"

    def inputs(self, images: Mapping[str, bytes], quality: str) -> dict[str, Any]:
        """See ``Replicate.inputs``."""
        limit = PHOTO_BYTES // len(images)
        photos = [pictures.data_uri(pictures.png(image, side=1024, limit=limit)) for image in images.values()]
        return {"images": photos, "generate_model": True, "generate_color": False, **TRELLIS[quality]}


class TripoSR(Replicate):
    """One photo to a mesh with a colour at each vertex, quickly; there is nothing to choose."""

    card: ClassVar[Card] = replace(
        Trellis.card,
        name="replicate-triposr",
        label="TripoSR on Replicate",
        variables=(*COMMON, Variable("REPLICATE_TRIPOSR_VERSION", required=False)),
        credits={"draft": 1},
        typical_seconds={"draft": 30},
        views=frozenset({"front"}),
        evidence="replicate.com/docs: HTTP reference, data retention, webhooks; camenduru/tripo-sr (November 2026)",
    )
    version: ClassVar[str] = "e0d3fe8abce3ba86497ea3530d9eae59af7b2231b6c82bedfc32b0732d35ec3a"

    def inputs(self, images: Mapping[str, bytes], quality: str) -> dict[str, Any]:
        """See ``Replicate.inputs``."""
        photo = pictures.jpeg(pictures.framed(images["front"]), side=1024, limit=PHOTO_BYTES)
        return {"image_path": pictures.data_uri(photo), "do_remove_background": False}


PROVIDERS = (Trellis, TripoSR)
