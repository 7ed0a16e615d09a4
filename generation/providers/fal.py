"""fal: one queue before many models; each row of the table at the end is a provider with a card of its own.

How a call to any of them is made is ``generation/fal_queue.py``.
"""

from __future__ import annotations

from typing import Any

from generation import pictures
from generation.fal_queue import KEPT, Fal, Model
from generation.provider import QUALITIES, VIEWS, Card, Variable


def _hosted(
    name: str,
    label: str,
    asked: Model,
    *,
    prices: tuple[int, int, int],
    seconds: tuple[int, int, int],
    **card_says: Any,
) -> type[Fal]:
    """A provider for one of fal's models, with prices in credits and typical seconds by quality."""
    usual: dict[str, Any] = {
        "place": "not stated",
        "operator": "Features & Labels, Inc.",
        "keeps": KEPT,
        "evidence": f"fal.ai: queue, data retention, webhooks, {asked.one[0]} (November 2026)",
    }

    class Hosted(Fal):
        """See ``Fal``."""

        model = asked
        card = Card(
            name=name,
            label=label,
            hosts=frozenset({"queue.fal.run", "rest.fal.ai", "api.fal.ai", "*.fal.media"}),
            variables=(
                Variable("FAL_KEY"),
                Variable("FAL_ADMIN_KEY", required=False),
                Variable("FAL_URL", required=False, address=True),
                Variable("FAL_API_URL", required=False, address=True),
                Variable("FAL_REST_URL", required=False, address=True),
            ),
            slots=2,
            credits=dict(zip(QUALITIES, prices, strict=True)),
            typical_seconds=dict(zip(QUALITIES, seconds, strict=True)),
            trains_on_input=None,
            **usual | card_says,
        )

    return Hosted


PROVIDERS = (
    _hosted(
        "fal-trellis",
        "TRELLIS on fal",
        Model(
            one=("fal-ai/trellis", "image_url"),
            several=("fal-ai/trellis/multi", "image_urls"),
            asked={"texture_size": (512, 1024, 2048), "mesh_simplify": (0.98, 0.95, 0.9)},
        ),
        prices=(1, 1, 1),
        seconds=(30, 30, 45),
        views=frozenset(VIEWS),
    ),
    _hosted(
        "fal-trellis-2",
        "TRELLIS.2 on fal",
        Model(
            one=("fal-ai/trellis-2", "image_url"),
            asked={
                "resolution": (512, 1024, 1536),
                "texture_size": (1024, 2048, 4096),
                "decimation_target": (100_000, 200_000, 500_000),
            },
        ),
        prices=(5, 6, 7),
        seconds=(60, 90, 150),
    ),
    # TripoSR's own code centres what is transparent already, on the grey it knows, if it may remove the background.
    _hosted(
        "fal-triposr",
        "TripoSR on fal",
        Model(
            one=("fal-ai/triposr", "image_url"),
            asked={"output_format": "glb", "do_remove_background": True, "mc_resolution": (128, 256, 384)},
        ),
        prices=(2, 2, 2),
        seconds=(5, 5, 10),
    ),
    _hosted(
        "fal-hunyuan3d",
        "Hunyuan3D 2.0 on fal",
        Model(
            one=("fal-ai/hunyuan3d/v2", "input_image_url"),
            texture="textured_mesh",
            asked={"octree_resolution": (192, 256, 384), "num_inference_steps": (20, 50, 50)},
        ),
        prices=(10, 10, 10),
        seconds=(60, 90, 120),
        options=frozenset({"texture"}),
        listed_only=True,
        barred=frozenset({"EU", "GB", "KR"}),
        licence="Tencent's licence for Hunyuan3D 2.0 excludes the European Union, the United Kingdom and South Korea.",
    ),
    _hosted(
        "fal-rodin",
        "Hyper3D Rodin through fal",
        Model(
            one=("fal-ai/hyper3d/rodin", "input_image_urls"),
            several=("fal-ai/hyper3d/rodin", "input_image_urls"),
            asked={
                "geometry_file_format": "glb",
                "material": "PBR",
                "tier": "Regular",
                "quality": ("low", "medium", "high"),
            },
            side=pictures.SIDE,
            forwarded=True,
        ),
        prices=(8, 8, 8),
        seconds=(60, 90, 180),
        views=frozenset(VIEWS),
        listed_only=True,
        operator="Features & Labels, Inc. (fal), which forwards to Deemos Corporation",
        keeps=None,
        can_erase=False,
        evidence=(
            "fal.ai: queue, data retention, webhooks, hyper3d/rodin, a partner's model: photos are forwarded to "
            "Deemos, whose own retention applies too (November 2026)"
        ),
    ),
)
