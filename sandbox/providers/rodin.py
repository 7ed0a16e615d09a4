"""A stand-in for the API of Hyper3D Rodin, version 2."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

from sandbox.providers.simulator import Answer, Request, Simulator, route

TIERS = {"Gen-2", *(f"Gen-2.5-{level}" for level in ("Extreme-Low", "Low", "Medium", "High", "Extreme-High"))}
LEGACY = {"Regular", "Sketch", "Smooth", "Detail"}
CHOICES = {
    "condition_mode": {"concat", "fuse"},
    "geometry_file_format": {"glb", "usdz", "fbx", "obj", "stl"},
    "mesh_mode": {"Raw", "Quad"},
    "use_original_alpha": {"true", "false"},
    "preview_render": {"true", "false"},
    "TAPose": {"true", "false"},
}
FACES = {"Raw": (500, 1_000_000), "Quad": (1000, 200_000)}
PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF")


def answered(**body: Any) -> Answer:
    """201, whatever it is about."""
    return Answer(201, body)


class RodinSimulator(Simulator):
    """A form makes a task of two jobs, which end at different times; there is nothing to cancel or to delete."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.subscribed = True
        self.error = ""
        """An error's name that a form is answered with, at a status of success."""
        self.lists_without_glb = 1
        """How often a finished task's list lacks the GLB."""
        self.link_seconds = 600.0
        self._lists: dict[str, int] = {}

    def authorised(self, request: Request) -> bool:
        """A key works as long as its account has a subscription."""
        return super().authorised(request) and self.subscribed

    def unauthorised(self) -> Answer:
        """A wrong key, or no subscription."""
        name = "PERMISSION_DENIED" if self.subscribed else "API_NO_ACTIVE_SUBSCRIPTION"
        return Answer(401, {"error": name, "message": "not allowed"})

    def refusal(self, request: Request) -> Answer:
        """A refusal that quotes the form."""
        return Answer(400, {"error": "INVALID_REQUEST", "message": request.body[:1000].decode(errors="replace")})

    @route("POST", "/api/v2/rodin", "create")
    def create(self, request: Request) -> Answer:
        """Take a form in: bytes of pictures, and fields of text."""
        if self.error:
            return answered(error=self.error, message="not taken")
        form = request.form()
        photos = [part for part in form.pop("images", []) if isinstance(part, bytes) and part.startswith(PICTURES)]
        asked = {name: str(values[-1]) for name, values in form.items()}
        asked.setdefault("tier", "Regular")
        newest = asked["tier"].startswith("Gen-2.5")
        mode = asked.setdefault("mesh_mode", "Raw" if newest else "Quad")
        materials = {"PBR", "Shaded", "All"} | ({"None"} if newest else set())
        faces = asked.get("quality_override", "18000")
        if (
            not 1 <= len(photos) <= 5
            or asked["tier"] not in TIERS | LEGACY
            or asked.get("material", "PBR") not in materials
            or any(asked[name] not in allowed for name, allowed in CHOICES.items() if name in asked)
            or not faces.isdecimal()
            or not FACES[mode][0] <= int(faces) <= FACES[mode][1]
        ):
            return self.refusal(request)
        call = self.call(photos, **asked)
        return answered(
            error=None,
            message="Submitted.",
            prompt="",
            submit_time="2026-11-23T08:00:00Z",
            consumed=0.5,
            uuid=call.id,
            jobs={"uuids": [f"{call.id}-1", f"{call.id}-2"], "subscription_key": f"ey{call.id[::-1]}"},
        )

    @route("POST", "/api/v2/status", "poll")
    def status(self, request: Request) -> Answer:
        """The states of a task's jobs, for its subscription key: the first is done before the second."""
        call = self.calls.get(str((request.json() or {}).get("subscription_key", "")).removeprefix("ey")[::-1])
        if call is None:
            return answered(error="NO_SUCH_TASK", message="no such task")
        over = self.done(call)
        first = "Done" if over or self.percent(call) >= 50 else "Generating"
        second = (
            ("Failed" if self.behaviour.fails else "Done") if over else "Generating" if first == "Done" else "Waiting"
        )
        jobs = [{"uuid": f"{call.id}-1", "status": first}, {"uuid": f"{call.id}-2", "status": second}]
        return answered(error="OK", jobs=jobs)

    @route("POST", "/api/v2/download", "poll")
    def links(self, request: Request) -> Answer:
        """The files of a task, for the id that its form was answered with; early, without the GLB."""
        id = str((request.json() or {}).get("task_uuid", ""))
        if id not in self.calls:
            return answered(error="NO_SUCH_TASK", message="no such task")
        found = [{"name": "texture_diffuse.png", "url": f"{self.files}/pack/{id}/texture_diffuse.png"}]
        over = self.done(self.calls[id], asking=False)
        self._lists[id] = self._lists.get(id, 0) + over
        if over and self._lists[id] > self.lists_without_glb and not self.behaviour.fails:
            query = f"X-Tos-Expires={time.time() + self.link_seconds:.3f}&X-Tos-Signature={uuid4().hex}"
            found.append({"name": "base_basic_pbr.glb", "url": f"{self.files}/pack/{id}/base_basic_pbr.glb?{query}"})
        return answered(error="OK", list=found)

    @route("GET", r"/pack/([^/]+)/base_basic_pbr\.glb", "fetch")
    def download(self, request: Request, id: str) -> Answer:
        """The file behind a link, which wants no key and lives for ten minutes."""
        if id not in self.calls or float(request.query["X-Tos-Expires"]) < time.time():
            return Answer(403, b"<Error>expired</Error>")
        return Answer(400) if "authorization" in request.headers else self.file(self.calls[id])
