"""Hunyuan3D 2.0 and 2.1 on a machine of the operator's, through the ``api_server.py`` of either.

The server tells of no failure, knows no unknown call and deletes nothing: a call ends when its file is there or our
deadline has passed, and files are left to the operator's sweeper. Calls go to ``/send``: ``/generate`` would keep the
server from answering anybody else while it works.

The server of 2.0 has to be started with ``--enable_tex``. Without, a model with colours never comes.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import httpx

from generation import pictures
from generation.egress import EgressError, ResponseTooLarge
from generation.exchange import CHUNK, Exchange, NotThere, base64_field, taken
from generation.provider import (
    Brief,
    Card,
    Erased,
    Erasure,
    Failed,
    Finished,
    Pending,
    Remote,
    Unavailable,
    Variable,
    backed_off,
)

STATE = re.compile(rb'"status"\s*:\s*"([^"]+)"')
NO_MESH = re.compile(rb'"model_base64"\s*:\s*"(?!Z2xURgIAAA)')
"""A file that was opened but not written to: a GLB, version 2, begins with those letters."""
QUALITY: Mapping[str, dict[str, int]] = {
    "draft": {"octree_resolution": 128, "num_inference_steps": 5, "face_count": 10_000},
    "standard": {"octree_resolution": 256, "num_inference_steps": 10, "face_count": 40_000},
    "high": {"octree_resolution": 384, "num_inference_steps": 20, "face_count": 100_000},
}


class Hunyuan3D:
    """Version 2.0. Base64 in, base64 out of the answer to a poll."""

    card: ClassVar[Card] = Card(
        name="hunyuan3d",
        label="Hunyuan3D 2.0",
        place="a machine of this site’s operator",
        region="self",
        variables=(Variable("HUNYUAN3D_URL", address=True),),
        self_hosted=True,
        slots=1,
        credits={"draft": 2, "standard": 3, "high": 5},
        typical_seconds={"draft": 30, "standard": 60, "high": 120},
        options=frozenset({"texture"}),
        keeps=None,
        can_erase=False,
        resubmit_safe=True,
        licence=(
            "Tencent's community licence for Hunyuan 3D covers neither the model nor what it makes in the European "
            "Union, the United Kingdom and South Korea; it binds users to its use policy, lets no other model learn "
            "from what this one makes, and has to be asked for above a million users a month."
        ),
        barred=frozenset({"EU", "GB", "KR"}),
        evidence=(
            "Hunyuan3D-2 repository: api_server.py (to be started with --enable_tex), community licence. The server "
            "keeps each model until its operator removes it, and the photo in memory only. (November 2026)"
        ),
    )
    fixed: ClassVar[Mapping[str, Any]] = {"type": "glb"}

    def __init__(self, http: httpx.Client, setup: Mapping[str, str]) -> None:
        self.api = Exchange(http, setup[self.card.variables[0].name])

    def submit(self, brief: Brief) -> Remote:
        """See ``Provider.submit``."""
        photo = base64.b64encode(pictures.png(brief.images["front"])).decode()
        wishes = {"image": photo, "texture": brief.options.texture, **QUALITY[brief.quality], **self.fixed}
        return Remote(taken(self.api.create("/send", json=wishes), "uid"))

    def poll(self, remote: Remote) -> Pending | Finished | Failed:
        """See ``Provider.poll``. Of an answer with a mesh in it, only the beginning is read."""
        try:
            with self.api.opened("GET", f"/status/{remote.id}") as answer:
                start = next(answer.iter_bytes(CHUNK), b"")
        except NotThere:
            return Failed("provider_lost")
        except ResponseTooLarge:
            return Failed("bad_mesh")
        except (httpx.HTTPError, EgressError):
            raise Unavailable from None
        state = STATE.search(start)
        if state is None:
            raise Unavailable
        if state[1] == b"completed" and not NO_MESH.search(start):
            return Finished()
        return Pending(50 if state[1] == b"texturing" else 0, backed_off(remote.polls, first=2, longest=5))

    def fetch(self, remote: Remote) -> Iterator[bytes]:
        """See ``Provider.fetch``. A file still being written is shorter than it says, and fetched again."""
        yield from base64_field(self.api.download(f"/status/{remote.id}"), "model_base64")

    def erase(self, remote: Remote) -> Erasure:
        """See ``Provider.erase``. The server can neither stop nor delete."""
        return Erasure(Erased.SWEPT)


class Hunyuan3D21(Hunyuan3D):
    """Version 2.1. It makes one quality, whatever is asked, and finishes nothing that is to have no colours."""

    card: ClassVar[Card] = replace(
        Hunyuan3D.card,
        name="hunyuan3d-21",
        label="Hunyuan3D 2.1",
        variables=(Variable("HUNYUAN3D_21_URL", address=True),),
        credits={"standard": 3, "high": 3},
        typical_seconds={"standard": 180, "high": 180},
        options=frozenset(),
        evidence=(
            "Hunyuan3D-2.1 repository: api_server.py, api_models.py, model_worker.py, community licence. The server "
            "keeps each model until its operator removes it, and the photo in memory only. (November 2026)"
        ),
    )
    fixed: ClassVar[Mapping[str, Any]] = {"remove_background": False}


PROVIDERS = (Hunyuan3D, Hunyuan3D21)
