"""Models whose only server is their demo page: TripoSR, Stable Fast 3D, TRELLIS and TRELLIS.2, as Gradio apps.

Each step of such a page is a call whose outcome is told once, so one submit goes through all the steps and delivers:
``generation/gradio_visit.py``.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from itertools import chain
from typing import Any, ClassVar, Final

from generation.gradio_visit import FILLED, Call, Gradio, file_in
from generation.provider import Card, Variable

KEPT: Final = "The app keeps photo and model in its temporary folders until its operator empties them. (November 2026)"
CLEARED: Final = (
    "The app is written to remove the model as a call ends, and the rest within 20 minutes. (November 2026)"
)


class TripoSR(Gradio):
    """Colours by vertex. The photo has no background left, so the app is told to leave it as it is."""

    card: ClassVar[Card] = Card(
        name="gradio-triposr",
        label="TripoSR",
        place="a machine of this site’s operator",
        region="self",
        variables=(Variable("GRADIO_TRIPOSR_URL", address=True),),
        self_hosted=True,
        queue="calls",
        slots=1,
        credits={"draft": 2, "standard": 3, "high": 5},
        typical_seconds={"draft": 5, "standard": 8, "high": 15},
        keeps=None,
        can_erase=False,
        resubmit_safe=True,
        evidence=f"TripoSR repository: gradio_app.py. {KEPT}",
    )
    functions = {"preprocess": 3, "generate": 2}

    @staticmethod
    def recipe(call: Call, photo: Any, quality: str) -> Any:
        """See ``Gradio.recipe``."""
        picture = file_in(call("preprocess", photo, False, FILLED))
        return call("generate", picture, {"draft": 192, "standard": 256, "high": 320}[quality])


class StableFast3D(Gradio):
    """Its first function lays the picture by for its second, where it sees that no background is left to remove."""

    card: ClassVar[Card] = replace(
        TripoSR.card,
        name="gradio-sf3d",
        label="Stable Fast 3D (own machine)",
        variables=(Variable("GRADIO_SF3D_URL", address=True),),
        typical_seconds={"draft": 6, "standard": 8, "high": 12},
        licence="Stability AI's community licence: whoever earns over a million US dollars a year needs another.",
        evidence=f"Stable Fast 3D repository: gradio_app.py, community licence. {KEPT}",
    )
    functions = {"requires_bg_remove": 2, "run_button": 7}

    @staticmethod
    def recipe(call: Call, photo: Any, quality: str) -> Any:
        """See ``Gradio.recipe``. The button's own label is an input."""
        call("requires_bg_remove", photo, FILLED)
        size = {"draft": 512, "standard": 1024, "high": 2048}[quality]
        return call("run_button", "Run", photo, None, FILLED, "None", -1, size)


class Trellis(Gradio):
    """A shape and its colours are computed first, and a GLB is made from them in a step of its own."""

    card: ClassVar[Card] = replace(
        TripoSR.card,
        name="gradio-trellis",
        label="TRELLIS",
        variables=(Variable("GRADIO_TRELLIS_URL", address=True),),
        typical_seconds={"draft": 40, "standard": 50, "high": 80},
        licence="The model is under the MIT licence; some of the software that its app needs is not.",
        evidence=f"TRELLIS repository: app.py. {CLEARED}",
    )
    functions = {"start_session": 0, "preprocess_image": 1, "image_to_3d": 9, "extract_glb": 3}

    @staticmethod
    def recipe(call: Call, photo: Any, quality: str) -> Any:
        """See ``Gradio.recipe``."""
        call("start_session")
        picture = file_in(call("preprocess_image", photo))
        call("image_to_3d", picture, [], None, secrets.randbelow(2**31), 7.5, 12, 3.0, 12, "stochastic")
        simplify, size = {"draft": (0.98, 512), "standard": (0.95, 1024), "high": (0.9, 2048)}[quality]
        return call("extract_glb", None, simplify, size)


class Trellis2(Gradio):
    """As TRELLIS, with other settings: for each of its three stages strength, rescale, steps and rescale in time."""

    card: ClassVar[Card] = replace(
        Trellis.card,
        name="gradio-trellis-2",
        label="TRELLIS.2",
        variables=(Variable("GRADIO_TRELLIS_2_URL", address=True),),
        typical_seconds={"draft": 20, "standard": 40, "high": 90},
        licence="",
        evidence=f"TRELLIS.2 repository: app.py. {CLEARED}",
    )
    functions = {**Trellis.functions, "image_to_3d": 15}

    @staticmethod
    def recipe(call: Call, photo: Any, quality: str) -> Any:
        """See ``Gradio.recipe``."""
        by_quality = {"draft": ("512", 100_000), "standard": ("1024", 300_000), "high": ("1536", 500_000)}
        voxels, triangles = by_quality[quality]
        size = {"draft": 1024, "standard": 2048, "high": 4096}[quality]
        call("start_session")
        picture = file_in(call("preprocess_image", photo))
        stages = (7.5, 0.7, 12, 5.0), (7.5, 0.5, 12, 3.0), (1.0, 0.0, 12, 3.0)
        call("image_to_3d", picture, secrets.randbelow(2**31), voxels, *chain(*stages))
        return call("extract_glb", None, triangles, size)


PROVIDERS = (TripoSR, StableFast3D, Trellis, Trellis2)
