"""Stability AI: Stable Fast 3D and Stable Point Aware 3D. One request each, whose answer is the mesh itself.

There is no task and no id: what is lost on the way is lost, and perhaps paid for. A refused photo is 403 here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import ClassVar

import httpx

from generation import pictures
from generation.egress import EgressError, ResponseTooLarge
from generation.exchange import CHUNK, Exchange, TooMuch
from generation.provider import (
    AnswersAtOnce,
    Brief,
    Card,
    Delivered,
    Erased,
    Erasure,
    Remote,
    Unavailable,
    Unclear,
    Variable,
)

SECONDS = 150.0
PAUSE = 60.0
"""How long the service wants to be left alone after 429."""
PHOTO_BYTES = 9_500_000
"""The request may have 10 MB, the photo's wrapping included."""
ROOM, SIDE = 0.05, 64
"""Room around the photo, as a share of its longest side, and pixels that each side must have at least."""
TEXTURE = {"draft": "512", "standard": "1024", "high": "2048"}


class StableFast3D(AnswersAtOnce):
    """A PNG with alpha out, a GLB back in the same request.

    Vertices can be limited only far below what people may ask for, and the colours are always there: neither is an
    option of the cards.
    """

    card: ClassVar[Card] = Card(
        name="stability-sf3d",
        label="Stable Fast 3D",
        place="not stated",
        operator="Stability AI",
        hosts=frozenset({"api.stability.ai"}),
        variables=(Variable("STABILITY_API_KEY"), Variable("STABILITY_URL", required=False, address=True)),
        listed_only=True,
        queue="calls",
        credits={"draft": 2, "standard": 2, "high": 2},
        typical_seconds={"draft": 5, "standard": 5, "high": 8},
        keeps=None,
        trains_on_input=None,
        can_erase=False,
        evidence=(
            "platform.stability.ai: API reference; stability.ai: API price update of July 2025. Photos may be logged "
            "and may be used for training: others read the privacy policy that way, we have not confirmed it. "
            "(November 2026)"
        ),
    )
    path: ClassVar[str] = "/v2beta/3d/stable-fast-3d"

    def __init__(self, http: httpx.Client, setup: Mapping[str, str]) -> None:
        base = setup.get("STABILITY_URL") or "https://api.stability.ai"
        key = {"Authorization": f"Bearer {setup['STABILITY_API_KEY']}"}
        self.api = Exchange(http, base, key, declines=frozenset({403}))

    def submit(self, brief: Brief) -> Delivered:
        """See ``Provider.submit``. The answer is judged by its first bytes; the rest comes as it is asked for."""
        chunks = self._made(_photo(brief.images["front"]), brief.quality)
        try:
            first = next(chunks, b"")
        except Unavailable as unavailable:
            if unavailable.throttled:
                raise Unavailable(max(PAUSE, unavailable.wait), throttled=True) from None
            raise
        if not first.startswith(b"glTF"):
            raise Unclear
        return Delivered(chain([first], chunks))

    def _made(self, photo: bytes, quality: str) -> Iterator[bytes]:
        """The answer's body. Raises what ``submit`` does, also later: ``Unclear`` when it breaks off, ``TooMuch``."""
        with self.api.opened(
            "POST",
            self.path,
            creates=True,
            timeout=SECONDS,
            files={"image": ("photo.png", photo, "image/png")},
            data={"texture_resolution": TEXTURE[quality]},
        ) as answer:
            try:
                yield from answer.iter_bytes(CHUNK)
            except ResponseTooLarge:
                raise TooMuch from None
            except (httpx.HTTPError, EgressError):
                raise Unclear from None

    def erase(self, remote: Remote) -> Erasure:
        """Never asked: there is no id to ask by, and nothing that would remove what was logged."""
        return Erasure(Erased.UNSUPPORTED)


class StablePointAware3D(StableFast3D):
    """The same exchange with another model, which sees more of what the photo hides."""

    card: ClassVar[Card] = replace(
        StableFast3D.card,
        name="stability-spar3d",
        label="Stable Point Aware 3D",
        credits={"draft": 1, "standard": 1, "high": 1},
        typical_seconds={"draft": 8, "standard": 10, "high": 12},
    )
    path: ClassVar[str] = "/v2beta/3d/stable-point-aware-3d"


def _photo(cut_out: bytes) -> bytes:
    """The cut-out with some room around it, so that no side is shorter than the service takes."""
    longest = max(struct.unpack_from(">II", cut_out, 16))
    return pictures.png(cut_out, limit=PHOTO_BYTES, padded=max(ROOM, SIDE / 2 / longest))


PROVIDERS = (StableFast3D, StablePointAware3D)
