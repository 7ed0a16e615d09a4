"""Hyper3D Rodin: a hosted service; one form in, several jobs to wait for, a list of files out, nothing to delete."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import httpx

from generation import pictures
from generation.exchange import Exchange, NotThere, taken, text
from generation.provider import (
    VIEWS,
    Brief,
    Card,
    Declined,
    Erased,
    Erasure,
    Failed,
    Finished,
    Misconfigured,
    Pending,
    Remote,
    Unavailable,
    Variable,
    backed_off,
)

TIERS = {"draft": "Gen-2.5-Extreme-Low", "standard": "Gen-2.5-Medium", "high": "Gen-2.5-High"}
ACCOUNT = {"API_INSUFFICIENT_FUNDS", "API_NO_ACTIVE_SUBSCRIPTION", "API_SUBSCRIPTION_PLAN_TOO_LOW", "PERMISSION_DENIED"}
PHOTO = {"API_OBJECT_NOT_FOUND_ON_IMAGE", "IMAGE_CONTENT_VIOLATION", "INVALID_REQUEST"}
FULL = "API_PARALLELISM_LIMIT_REACHED"
FULL_SECONDS = 30.0
UNKNOWN = "NO_SUCH_TASK"


class Rodin:
    """Photos as parts of a form, one key to ask for the state and another for the links; no webhook, no cancelling."""

    card: ClassVar[Card] = Card(
        name="rodin",
        label="Hyper3D Rodin",
        place="not stated",
        operator="Deemos Corporation",
        hosts=frozenset({"api.hyper3d.com", "*.hyper3d.com"}),
        variables=(Variable("RODIN_API_KEY"), Variable("RODIN_URL", required=False, address=True)),
        slots=1,
        credits={"draft": 8, "standard": 8, "high": 8},
        typical_seconds={"draft": 60, "standard": 90, "high": 180},
        options=frozenset({"texture", "target_triangles"}),
        views=frozenset(VIEWS),
        keeps=None,
        trains_on_input=None,
        can_erase=False,
        evidence="developer.hyper3d.ai: Rodin generation, status, download; hyper3d.ai: privacy policy (November 2026)",
    )

    def __init__(self, http: httpx.Client, setup: Mapping[str, str]) -> None:
        base = setup.get("RODIN_URL") or "https://api.hyper3d.com"
        self.api = Exchange(http, base, {"Authorization": f"Bearer {setup['RODIN_API_KEY']}"})

    def submit(self, brief: Brief) -> Remote:
        """See ``Provider.submit``. The first photo, the front, is the one that colours are taken from."""
        photos = [pictures.png(image) for image in brief.images.values()]
        answer = self.api.create(
            "/api/v2/rodin",
            timeout=120.0,
            files=[("images", (f"{at}.png", photo, "image/png")) for at, photo in enumerate(photos, 1)],
            data={
                "tier": TIERS[brief.quality],
                "mesh_mode": "Raw",
                "quality_override": str(brief.triangles),
                "material": "PBR" if brief.options.texture else "None",
                "geometry_file_format": "glb",
                "use_original_alpha": "true",
                "preview_render": "false",
                **({"condition_mode": "concat"} if len(photos) > 1 else {}),
            },
        )
        if not text(answer, "uuid"):
            _refused(text(answer, "error"))
        return Remote(taken(answer, "uuid"), {"subscription": taken(answer, "jobs", "subscription_key")})

    def poll(self, remote: Remote) -> Pending | Finished | Failed:
        """See ``Provider.poll``. The call is done when all its jobs are; what is no known end is taken for running."""
        try:
            answer = self.api.ask("POST", "/api/v2/status", json={"subscription_key": remote.extra["subscription"]})
        except NotThere:
            return Failed("provider_lost")
        if text(answer, "error") == UNKNOWN:
            return Failed("provider_lost")
        states = [text(job, "status") for job in _objects(answer, "jobs")]
        if {"Failed", "Canceled", "Cancelled"} & set(states):
            return Failed()
        done = states.count("Done")
        if states and done == len(states):
            return Finished()
        return Pending(100 * done // max(1, len(states)), backed_off(remote.polls, first=5, longest=30))

    def fetch(self, remote: Remote) -> Iterator[bytes]:
        """See ``Provider.fetch``. Links live for ten minutes; the list may lack the GLB for a while after the end."""
        answer = self.api.ask("POST", "/api/v2/download", json={"task_uuid": remote.id})
        found = (text(file, "url") for file in _objects(answer, "list") if text(file, "name").lower().endswith(".glb"))
        link = next(filter(None, found), "")
        yield from self.api.download(link)

    def erase(self, remote: Remote) -> Erasure:
        """See ``Provider.erase``. The API has no way to delete, nor to cancel, and says of no copy when it goes."""
        return Erasure(Erased.UNSUPPORTED)


def _refused(error: str) -> None:
    """Raise what an error of the service's own means: it may come with a status of success, instead of a call."""
    if error in ACCOUNT:
        raise Misconfigured
    if error in PHOTO:
        raise Declined
    if error == FULL:
        raise Unavailable(FULL_SECONDS, throttled=True)


def _objects(answer: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The list under a key of the answer; what in it is no object counts as an empty one."""
    found = answer.get(name)
    return [each if isinstance(each, Mapping) else {} for each in found] if isinstance(found, list) else []


PROVIDERS = (Rodin,)
