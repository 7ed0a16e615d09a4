"""The embedded engine as a provider: runs here, answers at once, keeps nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import httpx

from generation import engine
from generation.options import JobOptions
from generation.provider import (
    AnswersAtOnce,
    Brief,
    Card,
    Declined,
    Delivered,
    Erased,
    Erasure,
    Remote,
)


class Embedded(AnswersAtOnce):
    """Our own reconstruction, on this machine's CPU."""

    card: ClassVar[Card] = Card(
        name="embedded",
        label="Our own engine",
        place="this server",
        region="self",
        self_hosted=True,
        queue="engine",
        credits={"draft": 1, "standard": 1, "high": 2},
        typical_seconds={"draft": 2, "standard": 3, "high": 6},
        options=frozenset({"back", "flatten_light", "normal_map", "print_size_mm", "target_triangles", "texture"}),
        views=frozenset({"front", "back"}),
        resubmit_safe=True,
        evidence="generation/engine in this repository",
    )

    def __init__(self, http: httpx.Client, setup: Mapping[str, str]) -> None:
        del http, setup  # nothing leaves the machine

    def submit(self, brief: Brief) -> Delivered:
        """Reconstruct the photo from the front, with that from the back behind it; see ``Provider.submit``."""
        try:
            glb = engine.reconstruct(
                brief.images["front"],
                back_png=brief.images.get("back"),
                options=_of_the_engine(brief.options, brief.quality),
                progress=brief.progress,
            )
        except engine.BackDoesNotMatch:
            raise Declined("back_differs") from None
        except engine.NoSubject as refused:
            raise Declined(refused.code) from None
        return Delivered(iter([glb]))

    def erase(self, remote: Remote) -> Erasure:
        """There is no copy outside the vault."""
        return Erasure(Erased.NOTHING_KEPT)


def _of_the_engine(options: JobOptions, quality: str) -> engine.Options:
    """A job's options in the engine's words."""
    return engine.Options(
        quality=quality,
        triangles=options.target_triangles,
        texture=options.texture,
        back="mirrored" if options.back == "mirrored" else "invented",
        flatten_light=options.flatten_light,
        normal_map=options.normal_map,
        printing=engine.Print(size=options.print_size_mm) if options.print_size_mm else None,
    )


PROVIDERS = (Embedded,)
