"""A stand-in for the HTTP server of Cog containers, as release 0.23.1 answers: no key, no polling, one slot.

Its model has the inputs of ``INPUTS``; ``wait`` keeps it busy for so many seconds.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from sandbox.providers.simulator import Answer, Call, Request, Simulator, route

INPUTS = {"image": "string", "mode": "string", "wait": "number"}
"""The types of the model's inputs; the first has to be there."""
PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


class CogSimulator(Simulator):
    """A call is known while it runs, and again unknown once it is answered: the same PUT then runs it anew."""

    def __init__(self, *, photo_input: str = "image", schema: bool = True) -> None:
        super().__init__()
        self.photo_input = photo_input
        self.schema = schema
        """Whether the image was built with a schema, by which inputs are checked."""
        self.ready = True
        """Whether the model's ``setup`` is over."""
        self.media = "model/gltf-binary"
        self.output: Callable[[str], Any] = lambda uri: uri
        """What the model returns, made of the data URI of its mesh."""
        self.running: dict[str, dict[str, Any]] = {}

    def authorised(self, request: Request) -> bool:
        """There is no key."""
        return True

    @route("GET", "/", "")
    def discover(self, request: Request) -> dict[str, Any]:
        """Where everything is."""
        return {
            "cog_version": "0.23.1", "docs_url": "/docs", "healthcheck_url": "/health-check",
            "openapi_url": "/openapi.json", "predictions_cancel_url": "/predictions/{prediction_id}/cancel",
            "predictions_idempotent_url": "/predictions/{prediction_id}", "predictions_url": "/predictions",
            "shutdown_url": "/shutdown",
        }  # fmt: skip

    @route("GET", "/health-check", "")
    def health(self, request: Request) -> dict[str, Any]:
        """Always 200, whatever the state."""
        status = "BUSY" if self.running else "READY" if self.ready else "STARTING"
        return {"status": status, "setup": {"status": "succeeded"}, "version": {"coglet": "0.23.1"}}

    @route("GET", r"/predictions(/[^/]+)?", "")
    def no_polling(self, request: Request, id: str | None) -> Answer:
        """A call cannot be asked for."""
        return Answer(405, headers={"Allow": "PUT" if id else "POST"})

    @route("POST", r"/predictions/([^/]+)/cancel", "erase")
    def cancel(self, request: Request, id: str) -> Answer:
        """The model is told, and stops when it listens; this one never does."""
        return Answer(200 if id in self.running else 404, {})

    @route("POST", "/predictions", "create")
    def create(self, request: Request) -> Answer:
        """Run, answer with the result."""
        if not _is_json(request):
            return Answer(415, b"Expected request with `Content-Type: application/json`", PLAIN)
        return self._predict(request.json(), f"pred_{uuid4().hex[:16]}")

    @route("PUT", r"/predictions/([^/]+)", "create")
    def create_once(self, request: Request, id: str) -> Answer:
        """The same, but for a call that still runs: its state, with all that was sent."""
        asked = request.json() if _is_json(request) else {}
        if isinstance(asked, dict) and asked.get("id", id) != id:
            message = "prediction ID must match the ID supplied in the URL"
            return Answer(422, {"detail": [{"loc": ["body", "id"], "msg": message, "type": "value_error"}]})
        if id in self.running:
            state = {"id": id, "input": self.running[id], "logs": "", "metrics": {}, "status": "processing"}
            return Answer(202, state)
        return self._predict(asked, id)

    def refusal(self, request: Request) -> Answer:
        """How an input of the wrong type is refused: by quoting it."""
        return self._invalid(self.photo_input, f'{request.body.decode(errors="replace")} is not of type "array"')

    def _invalid(self, name: str, message: str, kind: str = "value_error") -> Answer:
        return Answer(422, {"detail": [{"loc": ["body", "input", name], "msg": message, "type": kind}]})

    def _predict(self, asked: Any, id: str) -> Answer:
        if asked is None:
            return Answer(400, b"Failed to parse the request body as JSON", PLAIN)
        if not isinstance(asked, dict):
            return Answer(422, b"Failed to deserialize the JSON body into the target type", PLAIN)
        if not self.ready:
            return Answer(503, {"error": "Setup has not finished yet.", "status": "failed"})
        inputs = asked.get("input") or {}
        if self.schema and (wrong := self._checked(inputs)):
            return wrong
        with self.lock:
            if self.running:
                return Answer(409, {"error": "At capacity - all prediction slots busy", "status": "failed"})
            self.running[id] = inputs
        try:
            return Answer(200, self._run(inputs) | {"id": id, "logs": "", "metrics": {"predict_time": 0.1}})
        finally:
            del self.running[id]

    def _checked(self, inputs: dict[str, Any]) -> Answer | None:
        """The answer to inputs that the schema does not allow; others that it does not know are dropped."""
        types = {self.photo_input if name == "image" else name: kind for name, kind in INPUTS.items()}
        if self.photo_input not in inputs:
            return self._invalid(self.photo_input, "Field required", "value_error.missing")
        for name in [name for name in inputs if name not in types]:
            del inputs[name]
        for name, value in inputs.items():
            if not isinstance(value, str if types[name] == "string" else int | float):
                return self._invalid(name, f'{value!r} is not of type "{types[name]}"')
        return None

    def _run(self, inputs: dict[str, Any]) -> dict[str, Any]:
        asked = dict(inputs)
        photo = str(asked.pop(self.photo_input, ""))
        if photo.startswith("data:") and "," not in photo:
            return {"status": "failed", "error": "Input validation error: not enough values to unpack"}
        call = self.call([base64.b64decode(photo.partition(",")[2])], **asked)
        time.sleep(self.behaviour.seconds or asked.get("wait", 0))
        if self.behaviour.fails or asked.get("mode") == "fail":
            return {"status": "failed", "error": "Prediction failed: Prediction failed: RuntimeError: no"}
        return {"status": "succeeded", "output": self.output(self._mesh(call))}

    def _mesh(self, call: Call) -> str:
        call.downloads += 1
        return f"data:{self.media};base64,{base64.b64encode(self.behaviour.mesh).decode()}"


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/json")
