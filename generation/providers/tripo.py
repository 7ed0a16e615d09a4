"""Tripo: a hosted service; photos are uploaded, a task is polled, and nothing that was sent there can be deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

import httpx

from generation import pictures, signatures
from generation.exchange import Exchange, NotThere, Refused, number, taken, text
from generation.provider import (
    VIEWS,
    Brief,
    Card,
    Declined,
    Erased,
    Erasure,
    Failed,
    Finished,
    Forged,
    Pending,
    Remote,
    Unavailable,
    Variable,
    backed_off,
)

ONE, SEVERAL = "/v3/generation/image-to-model", "/v3/generation/multiview-to-model"
QUALITY: Mapping[str, dict[str, str]] = {
    "draft": {"model": "v2.5-20250123"},
    "standard": {"model": "v3.1-20260211"},
    "high": {"model": "v3.1-20260211", "geometry_quality": "detailed"},
}
LINKS = ("model_url", "pbr_model_url", "model", "pbr_model")
MODERATED = 2008
UPLOADS_FULL_SECONDS = 20.0  # some ten a minute are allowed: three tries this far apart see the minute out


class Tripo:
    """Upload tokens in, a signed link out. Where its webhooks go is set by hand in its console, not with a call."""

    card: ClassVar[Card] = Card(
        name="tripo",
        label="Tripo",
        place="not stated",
        operator="VAST AI",
        hosts=frozenset({"openapi.tripo3d.ai", "*.data.tripo3d.com"}),
        variables=(
            Variable("TRIPO_API_KEY"),
            Variable("TRIPO_URL", required=False, address=True),
            Variable("TRIPO_WEBHOOK_SECRET", required=False),
        ),
        slots=10,
        credits={"draft": 6, "standard": 6, "high": 12},
        typical_seconds={"draft": 90, "standard": 180, "high": 300},
        options=frozenset({"texture", "target_triangles"}),
        views=frozenset(VIEWS),
        keeps=None,
        trains_on_input=False,
        can_erase=False,
        evidence="docs.tripo3d.ai: API version 3, pricing, FAQ on privacy; client tripo3d 1.0.0 (November 2026)",
    )

    def __init__(self, http: httpx.Client, setup: Mapping[str, str]) -> None:
        base = setup.get("TRIPO_URL") or "https://openapi.tripo3d.ai"
        self.api = Exchange(http, base, {"Authorization": f"Bearer {setup['TRIPO_API_KEY']}"})
        self.secret = setup.get("TRIPO_WEBHOOK_SECRET", "")

    def submit(self, brief: Brief) -> Remote:
        """See ``Provider.submit``. ``quad`` is never sent: it makes the file an FBX."""
        tokens = {view: self._upload(pictures.png(image)) for view, image in brief.images.items()}
        wishes: dict[str, Any] = {
            **QUALITY[brief.quality],
            "face_limit": brief.triangles,
            "texture": brief.options.texture,
            "pbr": brief.options.texture,  # true would bring the texture back
            **({"texture_quality": "detailed"} if brief.options.texture and brief.quality == "high" else {}),
        }
        if set(tokens) == {"front"}:
            answer = self.api.create(ONE, json={"input": tokens["front"], **wishes})
        else:
            answer = self.api.create(SEVERAL, json={"inputs": [tokens.get(view) for view in VIEWS], **wishes})
        return Remote(taken(answer, "data", "task_id"))

    def _upload(self, photo: bytes) -> str:
        """The token of an uploaded photo. It costs nothing, so an answer without one is no call at all."""
        try:
            answer = self.api.ask("POST", "/v3/files", timeout=120.0, files={"file": ("photo.png", photo, "image/png")})
        except (Refused, NotThere):
            raise Declined from None
        except Unavailable as away:
            if away.throttled:
                away.wait = max(away.wait, UPLOADS_FULL_SECONDS)
            raise
        token = text(answer, "data", "file_token")
        if not token:
            raise Unavailable
        return token

    def _task(self, remote: Remote) -> dict[str, Any]:
        data = self.api.ask("GET", f"/v3/tasks/{remote.id}").get("data")
        return data if isinstance(data, dict) else {}

    def poll(self, remote: Remote) -> Pending | Finished | Failed:
        """See ``Provider.poll``. What is no known end is taken for running."""
        try:
            task = self._task(remote)
        except NotThere:
            return Failed("provider_lost")
        match text(task, "status"):
            case "success":
                return Finished()
            case "banned":
                return Failed("provider_declined")
            case "failed" | "cancelled" | "expired":
                moderated = number(task, "error_code") == MODERATED
                return Failed("provider_declined" if moderated else "provider_failed")
        return Pending(int(number(task, "progress")), backed_off(remote.polls, first=2, factor=2, longest=30))

    def fetch(self, remote: Remote) -> Iterator[bytes]:
        """See ``Provider.fetch``. Links may live for minutes only, so each try asks for a fresh one."""
        task = self._task(remote)
        link = next(filter(None, (text(task, "output", name) for name in LINKS)), "")
        yield from self.api.download(link)

    def erase(self, remote: Remote) -> Erasure:
        """See ``Provider.erase``. The API has no way to delete, nor to cancel, and says of no copy when it goes."""
        return Erasure(Erased.UNSUPPORTED)

    def heard(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> str:
        """See ``Hooked.heard``. The key is the secret as Tripo shows it; one of several signatures has to fit."""
        parts = [part.strip().partition("=") for part in headers.get("tripo-webhook-signature", "").split(",")]
        times = [value for name, _, value in parts if name == "t"]
        if len(times) != 1:
            raise Forged
        signatures.timely(times[0], now)
        given = [value for name, _, value in parts if name == "v1"]
        signatures.sealed(self.secret.encode(), times[0].encode() + b"." + body, given, spelt=bytes.hex)
        return signatures.said(body, "data", "task_id")


PROVIDERS = (Tripo,)
