"""A stand-in for Meshy's API, version 1."""

from __future__ import annotations

import base64
from typing import Any

from sandbox.providers.simulator import Answer, Call, Request, Simulator, route

PATH = r"/openapi/v1/(?:multi-)?image-to-3d"
RETIRED = {"meshy-4"}


class MeshySimulator(Simulator):
    """Tasks that are polled; DELETE removes one, running or not, and its id is unknown afterwards."""

    @route("POST", PATH, "create")
    def create(self, request: Request) -> Answer:
        """Take a task in: 202 with its id."""
        asked = request.json() or {}
        sent = asked.get("image_urls") or [asked.get("image_url")]
        if not all(isinstance(uri, str) and uri.startswith("data:image/") for uri in sent) or len(sent) > 4:
            return Answer(400, {"message": "invalid image"})
        if asked.get("ai_model") in RETIRED or (
            not asked.get("should_texture", True) and "texture_resolution" in asked
        ):
            return Answer(400, {"message": "invalid parameter"})
        if not 100 <= asked.get("target_polycount", 30_000) <= 300_000:
            return Answer(400, {"message": "target_polycount"})
        photos = [base64.b64decode(uri.partition(",")[2]) for uri in sent]
        return Answer(202, {"result": self.call(photos, **asked).id})

    def refusal(self, request: Request) -> Answer:
        """A refusal that quotes the picture."""
        return Answer(400, {"message": f"Could not read {request.body[:200]!r}"})

    def _found(self, id: str) -> Call | None:
        call = self.calls.get(id)
        return None if call is None or call.erased else call

    @route("GET", PATH + r"/([^/]+)", "poll")
    def task(self, request: Request, id: str) -> Answer | dict[str, Any]:
        """The task object."""
        call = self._found(id)
        if call is None:
            return Answer(404, {"message": "Task not found"})
        done = self.done(call)
        status = ("FAILED" if self.behaviour.fails else "SUCCEEDED") if done else "IN_PROGRESS"
        made = status == "SUCCEEDED"
        link = f"{self.files}/files/{id}.glb?Expires=1&n={call.polls}"
        return {
            "id": id, "type": "image-to-3d", "status": status, "progress": 100 if made else self.percent(call),
            "created_at": 1790000000000, "started_at": 1790000003000, "finished_at": 1790000060000 if done else 0,
            "expires_at": 0, "preceding_tasks": 0, "consumed_credits": 30 if made else 0,
            "task_error": {"message": "server busy" if status == "FAILED" else ""},
            "model_urls": {"glb": link, "fbx": "", "obj": ""} if made else {}, "texture_urls": [], "thumbnail_url": "",
        }  # fmt: skip

    @route("DELETE", PATH + r"/([^/]+)", "erase")
    def delete(self, request: Request, id: str) -> Answer:
        """Remove the task and its data."""
        call = self._found(id)
        if call is None:
            return Answer(404, {"message": "Task not found"})
        call.erased = True
        return Answer(200)

    @route("GET", r"/files/(.+)\.glb", "fetch")
    def download(self, request: Request, id: str) -> Answer:
        """The file behind a signed link, which wants no key and is dead once the task is deleted."""
        call = self._found(id)
        return Answer(404) if call is None or "authorization" in request.headers else self.file(call)
