"""A stand-in for Stability AI's two 3D endpoints, version 2 beta: one request, and the mesh is its answer."""

from __future__ import annotations

import struct
from uuid import uuid4

from sandbox.providers.simulator import Answer, Request, Simulator, route

LONGEST_BODY = 10_000_000
SIDE, FEWEST, MOST = 64, 4096, 4_194_304
"""The shortest side of a photo, and how few and how many pixels it may have."""
NUMBERS: dict[str, dict[str, tuple[float, float]]] = {
    "stable-fast-3d": {"foreground_ratio": (0.1, 1), "vertex_count": (-1, 20_000)},
    "stable-point-aware-3d": {
        "foreground_ratio": (1, 2),
        "target_count": (100, 20_000),
        "guidance_scale": (1, 10),
        "seed": (0, 2**32 - 2),
    },
}
WORDS = {
    "texture_resolution": {"512", "1024", "2048"},
    "remesh": {"none", "triangle", "quad"},
    "target_type": {"none", "vertex", "face"},
}


class StabilitySimulator(Simulator):
    """No tasks and no ids: what a request made is gone with its answer. Each answer 200 counts as a call paid for."""

    @route("POST", r"/v2beta/3d/(stable-fast-3d|stable-point-aware-3d)", "create")
    def create(self, request: Request, model: str) -> Answer:
        """Make a mesh of the photo and send it."""
        if len(request.body) > LONGEST_BODY:
            return self._error(413, "payload_too_large", "body over 10 MB")
        form = request.form()
        photo = form.pop("image", [b""])[0]
        asked = {name: str(values[0]) for name, values in form.items()}
        if not isinstance(photo, bytes) or not _acceptable(photo):
            return self._error(400, "bad_request", "image: not a picture of a size that is accepted")
        wrong = [name for name, value in asked.items() if not _valid(model, name, value)]
        if wrong:
            return self._error(400, "bad_request", *(f"{name}: invalid" for name in wrong))
        call = self.call([photo], model=model, **asked)
        return self.refusal(request) if self.behaviour.fails else self.file(call)

    def refusal(self, request: Request) -> Answer:
        """Content moderation, quoting what it saw."""
        return self._error(403, "content_moderation", f"your request was flagged: {request.body[:500]!r}")

    def unauthorised(self) -> Answer:
        """A key that is not known."""
        return self._error(401, "unauthorized", "missing or invalid key")

    def _error(self, status: int, name: str, *errors: str) -> Answer:
        return Answer(status, {"id": uuid4().hex, "name": name, "errors": list(errors)})


def _valid(model: str, name: str, value: str) -> bool:
    if name in WORDS:
        return value in WORDS[name] and (name != "target_type" or "target_count" in NUMBERS[model])
    if name not in NUMBERS[model]:
        return False
    low, high = NUMBERS[model][name]
    try:
        return low <= float(value) <= high
    except ValueError:
        return False


def _acceptable(photo: bytes) -> bool:
    """A JPEG, WebP or PNG, the last within the bounds of size."""
    if photo.startswith(b"\x89PNG\r\n\x1a\n"):
        width, height = (int(side) for side in struct.unpack_from(">II", photo, 16))
        return min(width, height) >= SIDE and FEWEST <= width * height <= MOST
    return photo.startswith(b"\xff\xd8\xff") or (photo[:4] == b"RIFF" and photo[8:12] == b"WEBP")
