"""The embedded engine as a provider: runs here, answers at once, keeps nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import httpx

from generation import engine
from generation.provider import (
    Card,
    Declined,
    Delivered,
    Erased,
    Erasure,
    Failed,
    Finished,
    Pending,
    Progress,
    Remote,
)


class Embedded:
    """Our own reconstruction, on this machine's CPU."""

    card: ClassVar[Card] = Card(
        name="embedded",
        label="Our own engine",
        place="this server",
        self_hosted=True,
        queue="engine",
        credits={"draft": 1, "standard": 1, "high": 2},
        typical_seconds={"draft": 2, "standard": 3, "high": 6},
        resubmit_safe=True,
        evidence="generation/engine in this repository",
    )

    def __init__(self, http: httpx.Client) -> None:
        del http  # nothing leaves the machine

    def submit(self, images: list[bytes], *, quality: str, key: str, progress: Progress) -> Remote | Delivered:
        """Reconstruct the first photo; see ``Provider.submit``."""
        del key
        try:
            glb = engine.reconstruct(images[0], quality=quality, progress=progress)
        except engine.NoSubject:
            raise Declined("no_subject") from None
        return Delivered(iter([glb]))

    def poll(self, remote: Remote) -> Pending | Finished | Failed:
        """Never asked: ``submit`` delivers."""
        return Failed()

    def fetch(self, remote: Remote) -> Iterator[bytes]:
        """Never asked: ``submit`` delivers."""
        return iter(())

    def erase(self, remote: Remote) -> Erasure:
        """There is no copy outside the vault."""
        return Erasure(Erased.NOTHING_KEPT)


PROVIDER = Embedded
