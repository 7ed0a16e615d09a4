"""Replicate: models of others, run on its machines; each is a provider with a card, a version and inputs of its own.

Photos go in as data URIs, small enough that nothing has to be uploaded, which would have to be deleted. How a call to
any of the models is made is ``generation/replicate_predictions.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final

from generation import pictures
from generation.provider import VIEWS, Card, Variable
from generation.replicate_predictions import KEPT, Replicate

PHOTO_BYTES: Final = 720_000
"""The photos of one call; in base64 they are a third more and still below the megabyte that data URIs may have."""
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
