"""A stand-in for Tripo's API, version 3."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any, ClassVar
from uuid import uuid4

from sandbox.providers.simulator import Answer, Call, Request, Simulator, route

MODELS = {"v3.1-20260211", "v3.0-20250812", "v2.5-20250123", "P1-20260311"}
NOT_WITH_P = {"quad", "smart_low_poly", "generate_parts", "geometry_quality"}
PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"BM", b"II*\0", b"MM\0*")
FBX = b"Kaydara FBX Binary  \0"


def succeeded(data: Any) -> Answer:
    """The envelope of a success."""
    return Answer(200, {"code": 0, "status": "success", "data": data}, {"X-Request-ID": uuid4().hex})


def refused(status: int, code: int, message: str, **headers: str) -> Answer:
    """The envelope of a failure."""
    body = {
        "code": code,
        "status": "error",
        "message": message,
        "suggestion": "See the documentation.",
        "request_id": uuid4().hex,
    }
    return Answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


class TripoSimulator(Simulator):
    """Photos are uploaded for a token; tasks are polled; there is nothing to cancel and nothing to delete."""

    key: ClassVar[str] = "tsk_test-key"
    secret: ClassVar[str] = "whsec_0123456789abcdef"  # noqa: S105  # of a stand-in

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.uploads: dict[str, bytes] = {}
        self.uploads_left: int | None = None
        """How many more it takes in this minute."""
        self.most_running = 10
        self.failure: tuple[str, int] = ("failed", 1000)
        """The state and the error code of a task that fails; 2008 is a photo that moderation found late."""
        self.link_seconds = 300.0

    def unauthorised(self) -> Answer:
        """A wrong key, or one of the other region."""
        return refused(401, 1002, "Authentication failed")

    def refusal(self, request: Request) -> Answer:
        """A refusal that quotes what it was sent."""
        return refused(400, 2008, f"Rejected: {request.body[:400].decode(errors='replace')}")

    @route("POST", "/v3/files", "")
    def upload(self, request: Request) -> Answer:
        """Take a picture in for a token."""
        if not self.authorised(request):
            return self.unauthorised()
        if self.uploads_left is not None:
            if not self.uploads_left:
                return refused(429, 1007, "Too many requests", X_RateLimit_Remaining="0")
            self.uploads_left -= 1
        sent = request.form().get("file", [])
        if len(sent) != 1 or not isinstance(sent[0], bytes) or not sent[0].startswith(PICTURES):
            return refused(400, 2003, f"Not a picture: {request.body[:400].decode(errors='replace')}")
        token = f"file_{uuid4()}"
        self.uploads[token] = sent[0]
        return succeeded({"file_token": token})

    @route("POST", "/v3/generation/image-to-model", "create")
    def create(self, request: Request) -> Answer:
        """Make a task of one picture."""
        asked = request.json()
        if not isinstance(asked, dict) or not isinstance(asked.get("input"), str):
            return refused(400, 1004, "input")
        return self._create([asked.pop("input")], "image_to_model", asked)

    @route("POST", "/v3/generation/multiview-to-model", "create")
    def create_of_several(self, request: Request) -> Answer:
        """Make a task of the pictures from the front, the left, the back and the right, null for one that lacks."""
        asked = request.json()
        sent = asked.pop("inputs", None) if isinstance(asked, dict) else None
        if not isinstance(sent, list) or len(sent) > 4 or not sent or not sent[0] or len(list(filter(None, sent))) < 2:
            return refused(400, 1004, "inputs")
        return self._create(sent, "multiview_to_model", asked)

    def _create(self, sent: list[str | None], kind: str, asked: dict[str, Any]) -> Answer:
        if any(str(token).startswith("data:") for token in sent):
            return refused(400, 1004, "data URIs are not supported")
        if asked.get("model") not in MODELS:
            return refused(400, 1004 if "model" not in asked else 2015, "model")
        if any(token is not None and token not in self.uploads for token in sent):
            return refused(400, 1004, "the token is unknown, or has expired")
        if asked["model"].startswith("P") and NOT_WITH_P & set(asked):
            return refused(400, 1004, "not with this model")
        texture = asked.get("texture", True) or asked.get("pbr", True)
        limit = asked.get("face_limit", 1000)
        if (asked.get("generate_parts") and texture) or not isinstance(limit, int) or limit < 48:
            return refused(400, 1004, "parameter")
        if sum(not self.done(call, asking=False) for call in self.calls.values()) >= self.most_running:
            return refused(429, 2000, "Too many running tasks", Retry_After="30")
        call = self.call(
            [self.uploads[token] if token else b"" for token in sent], **asked, type=kind, textured=texture
        )
        return succeeded({"task_id": call.id, "type": kind, "status": "queued"})

    @route("GET", r"/v3/tasks/([^/]+)", "poll")
    def task(self, request: Request, id: str) -> Answer:
        """The task; of its output nothing is told before it is done."""
        call = self.calls.get(id)
        return refused(404, 2001, "Task not found") if call is None else succeeded(self.told(call))

    def told(self, call: Call, *, asking: bool = True) -> dict[str, Any]:
        """What is told of a task."""
        told = {
            "task_id": call.id, "type": call.asked["type"], "status": "queued" if call.polls == 0 else "running",
            "progress": self.percent(call), "created_at": "2026-11-23T08:00:00Z", "completed_at": None,
            "credits_consumed": 0.0, "error_code": None, "error_message": None,
        }  # fmt: skip
        if not self.done(call, asking=asking):
            return told
        told["completed_at"] = "2026-11-23T08:02:10Z"
        if self.behaviour.fails:
            state, code = self.failure
            return told | {"status": state, "error_code": code, "error_message": "The task did not succeed"}
        link = f"{self.files}/out/{call.id}.glb?Policy=e30&Signature=x&Expires={time.time() + self.link_seconds:.3f}"
        return told | {
            "status": "success", "progress": 100, "credits_consumed": 30.0, "output": {"model_url": link},
        }  # fmt: skip

    @route("GET", r"/out/(.+)\.glb", "fetch")
    def download(self, request: Request, id: str) -> Answer:
        """The file behind a signed link, which wants no key and lives for minutes; an FBX for a ``quad``."""
        call = self.calls.get(id)
        if call is None or float(request.query["Expires"]) < time.time():
            return Answer(403, b"<Error><Code>AccessDenied</Code></Error>")
        if "authorization" in request.headers:
            return Answer(400, b"<Error><Code>InvalidArgument</Code></Error>")
        return Answer(200, FBX) if call.asked.get("quad") else self.file(call)

    def webhook(self, call: Call, *, at: float | None = None, secret: str = "") -> tuple[dict[str, str], bytes]:
        """The headers, in lower case, and the body of what it sends when a task is over."""
        told = self.told(call, asking=False)
        kind = "task.completed" if told["status"] == "success" else "task.failed"
        event = {"id": f"{call.id}:{kind}", "type": kind, "created_at": "2026-11-23T08:02:11Z", "data": told}
        body, stamp = json.dumps(event).encode(), str(int(time.time() if at is None else at))
        signature = hmac.new((secret or self.secret).encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {
            "content-type": "application/json",
            "tripo-webhook-id": "wh_1",
            "tripo-webhook-delivery": uuid4().hex,
            "tripo-webhook-event": kind,
            "tripo-webhook-signature": f"t={stamp},v1={signature}",
        }
        return headers, body
