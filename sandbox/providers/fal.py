"""A stand-in for fal's queue, its file store, and the two addresses that delete payloads and publish keys."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import time
from collections.abc import Callable
from typing import Any, ClassVar

from sandbox.providers.simulator import Answer, Call, Request, Simulator, route

APP, CALL = r"/((?!v1/)[^/]+/[^/]+)", r"/requests/([^/]+)"
PHOTOS = {
    "fal-ai/trellis": "image_url",
    "fal-ai/trellis/multi": "image_urls",
    "fal-ai/trellis-2": "image_url",
    "fal-ai/triposr": "image_url",
    "fal-ai/hunyuan3d/v2": "input_image_url",
    "fal-ai/hyper3d/rodin": "input_image_urls",
}
"""The models that there are, and the field in which each wants its photo, or photos."""
ONE_OF: dict[str, set[Any]] = {
    "output_format": {"glb", "obj"},
    "resolution": {512, 1024, 1536},
    "geometry_file_format": {"glb", "usdz", "fbx", "obj", "stl"},
    "material": {"PBR", "Shaded"},
    "tier": {"Regular", "Sketch"},
    "quality": {"high", "medium", "low", "extra-low"},
    "do_remove_background": {True, False},
    "textured_mesh": {True, False},
}
BETWEEN = {
    "mesh_simplify": (0.9, 0.98),
    "texture_size": (512, 4096),
    "decimation_target": (1, 10**9),
    "mc_resolution": (32, 1024),
    "octree_resolution": (1, 1024),
    "num_inference_steps": (1, 50),
}


class FalSimulator(Simulator):
    """Calls wait, run and are COMPLETED, well or not; input is looked at only when they run."""

    admin_key: ClassVar[str] = "admin-key"

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls=tls)
        self.elsewhere = ""
        """Another host, which the addresses in its answers name instead."""
        self.obeys = True
        """Whether a running call ends when it is cancelled."""
        self.remembers = True
        """Whether the record by which files are deleted is there."""
        self.later = 0.0
        """Seconds that have passed, beside those that did."""
        self.keys: list[dict[str, str]] = []
        """What the key set lists."""
        self.sign: Callable[[bytes], bytes] = lambda message: b""
        """How webhooks are signed; the standard library has no Ed25519."""
        self.hooks: list[str] = []
        """Where each call's webhook would go."""

    def authorised(self, request: Request) -> bool:
        """The word is "Key"; deleting wants the key of an administrator."""
        key = self.admin_key if request.path.startswith("/v1/") else self.key
        return request.headers.get("authorization") == f"Key {key}"

    def unauthorised(self) -> Answer:
        """What a wrong key is answered."""
        return Answer(401, {"detail": "Cannot access application. Authentication is required."})

    def refusal(self, request: Request) -> Answer:
        """Invalid input, with the input, as the framework behind the models says it."""
        asked = request.json() or {}
        return _invalid("image_url", "image_load_error", next(iter(asked.values()), ""))

    @route("POST", r"/((?!v1/|storage/).+)", "create")
    def create(self, request: Request, path: str) -> Answer:
        """Queue a call, whatever its input."""
        if path not in PHOTOS:
            return Answer(404, {"detail": f"Application {path!r} not found"})
        asked = request.json() or {}
        sent = asked.pop(PHOTOS[path], None)
        uris = sent if isinstance(sent, list) else [sent]
        photos = [base64.b64decode(str(uri).partition(",")[2]) for uri in uris]
        good = isinstance(sent, list) == PHOTOS[path].endswith("s") and all(
            isinstance(uri, str) and uri.startswith("data:image/") for uri in uris
        )
        wrong = [name for name, value in asked.items() if not _fits(name, value)]
        if not good:
            wrong, asked[PHOTOS[path]] = [PHOTOS[path]], sent
        lifecycle = json.loads(request.headers.get("x-fal-object-lifecycle-preference", "{}"))
        call = self.call(
            photos, **asked, path=path, wrong=wrong, expires=lifecycle.get("expiration_duration_seconds"),
            stored=request.headers.get("x-fal-store-io") != "0",
        )  # fmt: skip
        self.hooks.append(request.query.get("fal_webhook", ""))
        app = "/".join(path.split("/")[:2])
        address = f"{self.elsewhere or self.url}/{app}/requests/{call.id}"
        return Answer(
            200,
            {
                "request_id": call.id, "gateway_request_id": call.id, "status": "IN_QUEUE", "queue_position": 0,
                "status_url": f"{address}/status", "response_url": address, "cancel_url": f"{address}/cancel",
            },
            {"x-fal-request-id": call.id},
        )  # fmt: skip

    def _found(self, app: str, id: str) -> Call | None:
        call = self.calls.get(id)
        return call if call is not None and call.asked["path"].split("/")[:2] == app.split("/") else None

    def _error(self, call: Call) -> str:
        """What a call that is over failed with; empty for none."""
        if call.cancelled:
            return "request_cancelled"
        return "invalid_input" if call.asked["wrong"] else "runner_error" if self.behaviour.fails else ""

    @route("GET", APP + CALL + "/status", "poll")
    def status(self, request: Request, app: str, id: str) -> Answer:
        """How a call is doing: 202 until it is over. ``metrics`` may be missing."""
        call = self._found(app, id)
        if call is None:
            return Answer(404, {"detail": "Request not found"})
        if not call.cancelled and not self.done(call):
            if call.polls == 1:
                return Answer(202, {"status": "IN_QUEUE", "queue_position": 3})
            logs = [{"message": "Sampling", "level": "INFO", "timestamp": "2026-11-25T12:00:00Z"}]
            wanted = request.query.get("logs", "") in ("1", "true", "True")
            return Answer(202, {"status": "IN_PROGRESS", "logs": logs if wanted else None})
        over: dict[str, Any] = {"status": "COMPLETED", "logs": None}
        if error := self._error(call):
            return Answer(200, over | {"error": "The request failed", "error_type": error})
        return Answer(200, over | ({} if call.polls % 2 else {"metrics": {"inference_time": 12.3}}))

    @route("GET", APP + CALL, "poll")
    def result(self, request: Request, app: str, id: str) -> Answer:
        """The model's answer, which is an error where the model made one."""
        call = self._found(app, id)
        if call is None or call.erased:
            return Answer(404, {"detail": "Request not found"})
        if not call.cancelled and not self.done(call, asking=False):
            return Answer(400, {"detail": "Request is still in progress"})
        if call.asked["wrong"]:
            return _invalid(call.asked["wrong"][0], "invalid", base64.b64encode(call.photos[0]).decode())
        if error := self._error(call):
            return Answer(500, {"detail": "Internal error", "error_type": error}, {"x-fal-error-type": error})
        return Answer(200, self._output(call))

    def _output(self, call: Call) -> dict[str, Any]:
        def file(name: str, kind: str = "application/octet-stream") -> dict[str, Any]:
            url = f"{self.files}/files/b/0a/{call.id}_{name}"
            return {"url": url, "content_type": kind, "file_name": name, "file_size": len(self.behaviour.mesh)}

        match call.asked["path"]:
            case "fal-ai/trellis-2":
                return {"model_glb": file("model.glb", "model/gltf-binary")}
            case "fal-ai/hunyuan3d/v2":
                return {"model_mesh": file("white_mesh.glb"), "seed": 7}
            case "fal-ai/hyper3d/rodin":
                return {"model_mesh": file("mesh.GLB"), "textures": [file("0.png", "image/png")], "seed": 7}
            case "fal-ai/triposr":
                return {
                    "model_mesh": file("mesh", "model/gltf-binary"),
                    "remeshing_dir": None,
                    "timings": {"inference": 0.6},
                }
        return {"model_mesh": file("model.glb"), "timings": {"prepare": 1.0, "generation": 9.5}}

    @route("PUT", APP + CALL + "/cancel", "erase")
    def cancel(self, request: Request, app: str, id: str) -> Answer:
        """A queued call is removed, a running one is told; one that is over stays."""
        call = self._found(app, id)
        if call is None:
            return Answer(404, {"status": "NOT_FOUND"})
        if call.cancelled or self.done(call, asking=False):
            return Answer(400, {"status": "ALREADY_COMPLETED"})
        call.cancelled = self.obeys
        return Answer(202, {"status": "CANCELLATION_REQUESTED"})

    @route("DELETE", r"/v1/models" + CALL + "/payloads", "erase")
    def delete(self, request: Request, id: str) -> Answer:
        """Remove what is stored of a call and the files of its output, as far as its record names them."""
        call = self.calls.get(id)
        if call is None:
            return Answer(404, {"error": {"type": "not_found", "message": "Request not found"}})
        if call.erased or not self.remembers:
            return Answer(200, {"cdn_delete_results": []})
        call.erased = True
        return Answer(200, {"cdn_delete_results": [{"link": f"{self.files}/files/b/0a/{id}_", "exception": None}]})

    def _kept(self, id: str) -> bool:
        """Whether a call's files are still there."""
        call = self.calls.get(id)
        if call is None or call.erased:
            return False
        age, expires = time.monotonic() - call.began + self.later, call.asked["expires"]
        return not expires or age < expires

    @route("GET", r"/files/b/0a/([0-9a-f]+)_.+", "fetch")
    def download(self, request: Request, id: str) -> Answer:
        """A file by its public address."""
        return self.file(self.calls[id]) if self._kept(id) and "authorization" not in request.headers else Answer(404)

    @route("HEAD", r"/files/b/0a/([0-9a-f]+)_.+", "")
    def look(self, request: Request, id: str) -> Answer:
        """Whether a file is there."""
        return Answer(200 if self._kept(id) and "authorization" not in request.headers else 404)

    @route("GET", r"/\.well-known/jwks\.json", "")
    def key_set(self, request: Request) -> Answer | dict[str, Any]:
        """The public keys; no key of ours is wanted, or expected."""
        return Answer(400) if "authorization" in request.headers else {"keys": self.keys}

    def webhook(self, call: Call, *, at: int) -> tuple[dict[str, str], bytes]:
        """Headers (in lower case) and body of a call's webhook, signed; ``at``: seconds since the epoch."""
        failed = bool(self._error(call))
        body = json.dumps(
            {
                "request_id": call.id, "gateway_request_id": call.id, "status": "ERROR" if failed else "OK",
                "payload": None if failed else self._output(call), **({"error": "failed"} if failed else {}),
            }
        ).encode()  # fmt: skip
        signed = [call.id, "user-1", str(at), hashlib.sha256(body).hexdigest()]
        signature = self.sign("\n".join(signed).encode()).hex()
        names = ("request-id", "user-id", "timestamp", "signature")
        values = (*signed[:3], signature)
        return {f"x-fal-webhook-{name}": value for name, value in zip(names, values, strict=True)}, body


def _fits(name: str, value: Any) -> bool:
    """Whether a model takes this value of a parameter."""
    if name in ONE_OF:
        return isinstance(value, str | int) and value in ONE_OF[name]
    low, high = BETWEEN.get(name, (1, 0))
    return isinstance(value, int | float) and low <= value <= high


def _invalid(name: str, kind: str, quoted: Any) -> Answer:
    detail = {"loc": ["body", name], "msg": "Could not be loaded", "type": kind, "ctx": {}, "input": quoted}
    return Answer(422, {"detail": [detail]}, {"x-fal-error-type": kind})
