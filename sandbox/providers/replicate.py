"""A stand-in for Replicate's API, version 1, and for two models on it: predictions that are polled."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.providers.simulator import Answer, Call, Request, Simulator, route

INPUTS: dict[str, dict[str, type | tuple[float, float]]] = {
    "images": {
        "seed": int, "randomize_seed": bool, "generate_color": bool, "generate_model": bool, "generate_normal": bool,
        "save_gaussian_ply": bool, "return_no_background": bool, "ss_guidance_strength": (0, 10),
        "ss_sampling_steps": (1, 50), "slat_guidance_strength": (0, 10), "slat_sampling_steps": (1, 50),
        "mesh_simplify": (0.9, 0.98), "texture_size": (512, 2048),
    },
    "image_path": {"do_remove_background": bool, "foreground_ratio": (0.5, 1)},
}  # fmt: skip
"""By the name of the photo's input, the others of TRELLIS and of TripoSR: types, or the least and the greatest."""
DATA_URI_BYTES = 1_000_000
ENDED = ("succeeded", "failed", "canceled", "aborted")
VERSION = re.compile(r"(?:[\w.-]+/[\w.-]+:)?[0-9a-f]{64}")
DURATION = re.compile(r"(?:\d+h)?(?:\d+m)?(?:\d+s)?")


class ReplicateSimulator(Simulator):
    """A prediction's data are removed an hour after it ended (``remove`` them sooner); it itself stays."""

    secret = "whsec_" + base64.b64encode(b"a secret of twenty-four!").decode()

    def __init__(self) -> None:
        super().__init__()
        self.output: Any = None
        """What the models return, ``{link}`` standing for the mesh's address; by default what each really does."""
        self.ends = "succeeded"
        """How a prediction ends, if it does not fail."""
        self.created: dict[str, datetime] = {}
        self.ended: dict[str, tuple[str, datetime]] = {}

    def problem(self, status: int, title: str, detail: str) -> Answer:
        """An error, in the shape of RFC 7807."""
        body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "instance": ""}
        return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/problem+json"})

    def unauthorised(self) -> Answer:
        """A token that is not known."""
        return self.problem(401, "Unauthenticated", "You did not pass a valid authentication token")

    def refusal(self, request: Request) -> Answer:
        """An input that the model's schema does not allow, quoted."""
        return self.problem(422, "Input validation failed", f"input: {request.body.decode(errors='replace')}")

    @route("POST", "/v1/predictions", "create")
    def create(self, request: Request) -> Answer:
        """Take a prediction in; ``Prefer: wait`` holds the answer back for a while."""
        asked = request.json()
        if not isinstance(asked, dict) or not VERSION.fullmatch(str(asked.get("version"))):
            return self.problem(422, "Invalid version or not permitted", "The specified version does not exist")
        deadline = request.headers.get("cancel-after", "")
        if not DURATION.fullmatch(deadline):
            return self.problem(422, "Invalid header", "Cancel-After")
        inputs = asked.get("input") or {}
        photos = self._photos(inputs)
        if photos is None:
            return self.refusal(request)
        asked |= {"cancel_after": deadline}
        call = self.call(photos, **asked)
        self.created[call.id] = datetime.now(UTC)
        preferred = re.fullmatch(r"wait(?:=(\d+))?", request.headers.get("prefer", ""))
        if preferred:
            until = time.monotonic() + min(60, int(preferred[1] or 60))
            while time.monotonic() < until and not self._over(call):
                time.sleep(0.01)
        return Answer(201, self.prediction(call))

    def _photos(self, inputs: dict[str, Any]) -> list[bytes] | None:
        """The photos; nothing when the inputs are not as the model's schema says."""
        name = next((name for name in INPUTS if name in inputs), "")
        sent = inputs.get(name)
        uris = [sent] if name == "image_path" else sent
        if not isinstance(uris, list) or not all(
            isinstance(uri, str) and uri.startswith("data:image/") for uri in uris
        ):
            return None
        if sum(map(len, uris)) > DATA_URI_BYTES:
            return None
        for key, value in inputs.items():
            known = INPUTS[name].get(key)
            if key != name and not (
                known[0] <= value <= known[1] if isinstance(known, tuple) else known and isinstance(value, known)
            ):
                return None
        return [base64.b64decode(uri.partition(",")[2]) for uri in uris]

    def _over(self, call: Call) -> bool:
        """Whether the call has come to its end; asking counts."""
        if call.id not in self.ended and self.done(call):
            self._end(call, "failed" if self.behaviour.fails else self.ends)
        return call.id in self.ended

    def _end(self, call: Call, status: str) -> None:
        self.ended[call.id] = status, datetime.now(UTC)

    def remove(self, call: Call) -> None:
        """What the service does by itself after an hour."""
        call.erased = True

    def prediction(self, call: Call) -> dict[str, Any]:
        """The prediction object as it is now."""
        status, ended = self.ended.get(call.id, ("processing" if call.polls > 1 else "starting", None))
        if ended and datetime.now(UTC) > ended + timedelta(hours=1):
            self.remove(call)
        gone, made = call.erased, status == "succeeded"
        began = self.created[call.id]
        trellis = "images" in call.asked["input"]
        return {
            "id": call.id, "model": "firtoz/trellis" if trellis else "camenduru/tripo-sr",
            "version": call.asked["version"].rpartition(":")[2], "status": status,
            "input": {} if gone else call.asked["input"], "output": self._output(call, trellis) if made else None,
            "logs": "" if gone else "Running\n", "error": "CUDA out of memory" if status == "failed" else None,
            "metrics": {"predict_time": 1.5} if ended else {}, "created_at": _stamp(began),
            "started_at": _stamp(began) if status != "starting" else None, "completed_at": ended and _stamp(ended),
            "data_removed": gone,
            "urls": {
                "get": f"{self.url}/v1/predictions/{call.id}",
                "cancel": f"{self.url}/v1/predictions/{call.id}/cancel",
                "web": f"{self.url}/p/{call.id}",
            },
        }  # fmt: skip

    def _output(self, call: Call, trellis: bool) -> Any:
        if call.erased:
            return None
        link = f"{self.files}/xezq/{call.id}/output.glb"
        if self.output is not None:
            return json.loads(json.dumps(self.output).replace("{link}", link))
        model = link if call.asked["input"].get("generate_model", False) else None
        video = link.replace(".glb", ".mp4") if call.asked["input"].get("generate_color", True) else None
        return {
            "no_background_images": None, "color_video": video, "normal_video": None, "combined_video": None,
            "model_file": model, "gaussian_ply": None,
        } if trellis else link  # fmt: skip

    @route("GET", r"/v1/predictions/([^/]+)", "poll")
    def get(self, request: Request, id: str) -> Answer | dict[str, Any]:
        """The prediction."""
        call = self.calls.get(id)
        if call is None:
            return self.problem(404, "Not found", "The requested resource could not be found")
        self._over(call)
        return self.prediction(call)

    @route("POST", r"/v1/predictions/([^/]+)/cancel", "erase")
    def cancel(self, request: Request, id: str) -> Answer | dict[str, Any]:
        """End it; one that has ended stays as it is."""
        call = self.calls.get(id)
        if call is None:
            return self.problem(404, "Not found", "The requested resource could not be found")
        if call.id not in self.ended:
            call.cancelled = True
            self._end(call, "canceled")
        return self.prediction(call)

    @route("GET", r"/xezq/([^/]+)/output\.glb", "fetch")
    def download(self, request: Request, id: str) -> Answer:
        """An output file, on another host; a key must not be shown to it."""
        call = self.calls.get(id)
        if call is None or call.erased or "authorization" in request.headers:
            return Answer(404)
        return self.file(call)

    @route("GET", "/v1/webhooks/default/secret", "poll")
    def webhook_secret(self, request: Request) -> dict[str, str]:
        """What webhooks are signed with."""
        return {"key": self.secret}

    def webhook(self, call: Call, at: datetime, *, secret: str = "") -> tuple[dict[str, str], bytes]:
        """The headers and body of the webhook about a prediction, signed at that time."""
        body = json.dumps(self.prediction(call)).encode()
        name, stamp = f"msg_{call.id}", str(int(at.timestamp()))
        key = base64.b64decode((secret or self.secret).removeprefix("whsec_"))
        mac = hmac.new(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()
        signature = f"v1,{base64.b64encode(mac).decode()}"
        return {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": signature}, body


def _stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
