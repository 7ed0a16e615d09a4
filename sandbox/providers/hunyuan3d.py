"""Stand-ins for the ``api_server.py`` of Hunyuan3D 2.0 and of 2.1: no key, no failure told, nothing ever deleted."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from uuid import UUID

from sandbox.providers.simulator import Answer, Call, Request, Simulator, route

FAILED = {"text": "**NETWORK ERROR DUE TO HIGH TRAFFIC**", "error_code": 1}


class Hunyuan3DSimulator(Simulator):
    """Version 2.0. A call whose ``asked`` the model would stumble over stays "processing", as an unknown one is."""

    FIELDS = frozenset(
        {"seed", "octree_resolution", "num_inference_steps", "guidance_scale", "texture", "face_count", "type"}
    )

    def __init__(self, *, enable_tex: bool = True) -> None:
        super().__init__()
        self.enable_tex = enable_tex
        self.writing: list[int] = []
        """How many bytes of the file are there as the next answers are given: it is written in place."""

    def authorised(self, request: Request) -> bool:
        """There is no key."""
        return True

    @route("GET", r"/(?:send|generate)", "")
    def wrong_method(self, request: Request) -> Answer:
        """Both are POST only."""
        return Answer(405, {"detail": "Method Not Allowed"})

    @route("GET", r"/openapi\.json", "")
    def openapi(self, request: Request) -> dict[str, Any]:
        """What every FastAPI application has; good for a probe."""
        return {"openapi": "3.1.0", "paths": {"/send": {}, "/generate": {}, "/status/{uid}": {}}}

    @route("POST", "/generate", "create")
    def generate(self, request: Request) -> Answer:
        """The file at once; every failure is a 404."""
        asked = request.json()
        if not isinstance(asked, dict):
            return self.crashed()
        call = self._taken(asked)
        if self.behaviour.fails or not self.works(call):
            return Answer(404, FAILED)
        return Answer(200, self.behaviour.mesh, {"Content-Type": "model/gltf-binary"})

    @route("POST", "/send", "create")
    def send(self, request: Request) -> Answer:
        """Whatever is JSON is taken; what becomes of it is another thread's."""
        asked = request.json()
        if not isinstance(asked, dict):
            return self.crashed()
        return Answer(200, {"uid": str(UUID(self._taken(asked).id))})

    def crashed(self) -> Answer:
        """What an exception nobody caught looks like from outside."""
        return Answer(500, b"Internal Server Error", {"Content-Type": "text/plain", "Connection": "close"})

    def refusal(self, request: Request) -> Answer:
        """As ``/generate`` refuses; ``/send`` never does."""
        return Answer(404, FAILED)

    def _taken(self, asked: dict[str, Any]) -> Call:
        """The call; its photo is empty when it was no base64."""
        image = asked.pop("image", "")
        try:
            photo = base64.b64decode(image, validate=True)
        except (binascii.Error, ValueError, TypeError):
            photo = b""
        return self.call([photo], **asked)

    def works(self, call: Call) -> bool:
        """Whether the model gets through: a photo, no field it does not know, no colours without their model."""
        return (
            call.photos[0].startswith((b"\x89PNG", b"\xff\xd8\xff"))
            and call.asked.keys() <= self.FIELDS
            and call.asked.get("type", "glb") == "glb"  # /status looks for no other file
            and (self.enable_tex or not call.asked.get("texture"))
        )

    def made(self) -> str:
        """The file as it is on disk now, in base64."""
        mesh = self.behaviour.mesh
        return base64.b64encode(mesh[: self.writing.pop(0)] if self.writing else mesh).decode()

    @route("GET", r"/status/([^/]+)", "poll")
    def status(self, request: Request, uid: str) -> Answer | dict[str, Any]:
        """How a call is doing."""
        call = self.calls.get(uid.replace("-", ""))
        if call is None or not self.done(call) or self.behaviour.fails or not self.works(call):
            return {"status": "processing"}
        return {"status": "completed", "model_base64": self.made()}


class Hunyuan3D21Simulator(Hunyuan3DSimulator):
    """Version 2.1. The body is checked; the bare shape lies beside the coloured one, and comes with it."""

    RANGES = {
        "seed": (0, 2**32 - 1),
        "octree_resolution": (64, 512),
        "num_inference_steps": (1, 20),
        "guidance_scale": (0.1, 20),
        "num_chunks": (1000, 20_000),
        "face_count": (1000, 100_000),
    }

    def __init__(self) -> None:
        super().__init__()
        self.initial = b"glTF\x02\x00\x00\x00the shape without colours"
        self.initial_first = False
        self.unreadable = False

    @route("GET", "/health", "")
    def health(self, request: Request) -> dict[str, Any]:
        """It runs."""
        return {"status": "healthy", "worker_id": "a1b2c3"}

    def _checked(self, request: Request) -> Answer | None:
        """The refusal of a body that is not valid, which quotes it; None for one that is."""
        asked = request.json()
        if not isinstance(asked, dict):
            return self.refusal(request)
        wrong = [name for name, (low, high) in self.RANGES.items() if not low <= asked.get(name, low) <= high]
        flags = [name for name in ("texture", "remove_background") if not isinstance(asked.get(name, True), bool)]
        return self.refusal(request) if wrong or flags or not isinstance(asked.get("image"), str) else None

    @route("POST", "/generate", "create")
    def generate(self, request: Request) -> Answer:
        """As in 2.0, once the body was checked."""
        return self._checked(request) or super().generate(request)

    @route("POST", "/send", "create")
    def send(self, request: Request) -> Answer:
        """As in 2.0, once the body was checked."""
        return self._checked(request) or super().send(request)

    def refusal(self, request: Request) -> Answer:
        """A validation error with the body in it."""
        said = {"type": "value_error", "loc": ["body"], "input": request.body.decode(errors="replace")}
        return Answer(422, {"detail": [said]})

    def works(self, call: Call) -> bool:
        """A photo is enough: fields it does not know are dropped, the others not looked at."""
        return call.photos[0].startswith((b"\x89PNG", b"\xff\xd8\xff"))

    @route("GET", r"/status/([^/]+)", "poll")
    def status(self, request: Request, uid: str) -> Answer | dict[str, Any]:
        """How a call is doing. Colours that fail, or were not wanted, leave it at "texturing"."""
        call = self.calls.get(uid.replace("-", ""))
        if call is None or not self.works(call):
            return {"status": "processing"}
        if not self.done(call) or self.behaviour.fails or not call.asked.get("texture"):
            return {"status": "texturing" if call.polls > 1 else "processing"}
        if self.unreadable:
            return Answer(500, {"status": "error", "message": "Failed to read generated file"})
        meshes = {"model_base64": self.made(), "model_base64_initial": base64.b64encode(self.initial).decode()}
        return {"status": "completed", **dict(sorted(meshes.items(), reverse=self.initial_first))}
