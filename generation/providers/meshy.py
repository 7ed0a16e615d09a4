"""Meshy: a hosted service; tasks are polled, and a finished one can be deleted with all that belongs to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, ClassVar

import httpx

from generation import pictures
from generation.exchange import Exchange, NotThere, number, taken, text
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

ONE, SEVERAL = "/openapi/v1/image-to-3d", "/openapi/v1/multi-image-to-3d"
PHOTO_BYTES = 15_000_000
QUALITY: Mapping[str, dict[str, Any]] = {
    "draft": {"ai_model": "meshy-6-lite"},
    "standard": {"ai_model": "meshy-6"},
    "high": {"ai_model": "meshy-6", "texture_resolution": "4k"},
}


class Meshy:
    """Data URIs in, a signed link out. Its webhooks are unsigned and set up by hand, so it is only polled."""

    card: ClassVar[Card] = Card(
        name="meshy",
        label="Meshy",
        place="not stated",
        operator="Meshy LLC",
        hosts=frozenset({"api.meshy.ai", "assets.meshy.ai"}),
        variables=(Variable("MESHY_API_KEY"), Variable("MESHY_URL", required=False, address=True)),
        slots=10,
        credits={"draft": 6, "standard": 10, "high": 12},
        typical_seconds={"draft": 60, "standard": 120, "high": 180},
        options=frozenset({"texture", "target_triangles"}),
        views=frozenset(VIEWS),
        keeps=timedelta(days=3),
        trains_on_input=None,
        evidence="docs.meshy.ai: API reference, asset retention, pricing (November 2026)",
    )

    def __init__(self, http: httpx.Client, setup: Mapping[str, str]) -> None:
        base = setup.get("MESHY_URL") or "https://api.meshy.ai"
        self.api = Exchange(http, base, {"Authorization": f"Bearer {setup['MESHY_API_KEY']}"})

    def submit(self, brief: Brief) -> Remote:
        """See ``Provider.submit``."""
        photos = [pictures.data_uri(pictures.png(image, limit=PHOTO_BYTES)) for image in brief.images.values()]
        wishes = QUALITY[brief.quality] if brief.options.texture else {"ai_model": QUALITY[brief.quality]["ai_model"]}
        path = ONE if len(photos) == 1 else SEVERAL
        answer = self.api.create(
            path,
            json={
                **({"image_url": photos[0]} if len(photos) == 1 else {"image_urls": photos}),
                **wishes,
                "should_texture": brief.options.texture,
                "should_remesh": True,
                "target_polycount": brief.triangles,
                "target_formats": ["glb"],
            },
        )
        return Remote(taken(answer, "result"), {"path": path})

    def _task(self, remote: Remote) -> dict[str, Any]:
        return self.api.ask("GET", f"{remote.extra['path']}/{remote.id}")

    def poll(self, remote: Remote) -> Pending | Finished | Failed:
        """See ``Provider.poll``. What is no known end is taken for running."""
        try:
            task = self._task(remote)
        except NotThere:
            return Failed("provider_lost")
        match text(task, "status"):
            case "SUCCEEDED":
                return Finished()
            case "FAILED" | "CANCELED" | "EXPIRED":
                return Failed()
        return Pending(int(number(task, "progress")), backed_off(remote.polls, first=5, longest=30))

    def fetch(self, remote: Remote) -> Iterator[bytes]:
        """See ``Provider.fetch``. Links expire, so each try asks for a fresh one."""
        yield from self.api.download(text(self._task(remote), "model_urls", "glb"))

    def erase(self, remote: Remote) -> Erasure:
        """See ``Provider.erase``. Deleting ends a running task, too; one that is not there was deleted."""
        with suppress(NotThere):
            self.api.ask("DELETE", f"{remote.extra['path']}/{remote.id}")
        return Erasure(Erased.ERASED)


PROVIDERS = (Meshy,)
