"""What pages need to work on photos on their owners' devices: the network, its digest, and a policy to run it.

The weights are the engine's own, under an address that names their sha256, so that a browser keeps them for good and
takes no others. A page that runs WebAssembly says so with ``runs_webassembly``; no other page may.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from csp.decorators import csp_update
from django.contrib.staticfiles.finders import find
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from generation import images
from generation.engine import saliency, sessions

FOR_GOOD: Final = "public, max-age=31536000, immutable"

WEBASSEMBLY: Final = "'wasm-unsafe-eval'"
"""Lets a page compile WebAssembly, and no text."""

runs_webassembly: Callable[[Callable[..., Any]], Callable[..., Any]] = csp_update({"script-src": [WEBASSEMBLY]})
"""Decorates the view of a page whose scripts compile WebAssembly themselves."""


def told() -> dict[str, Any]:
    """What a page says to its scripts: ``weights`` (address, "" where there are none), ``integrity``, ``longest``.

    And to people: ``megabytes`` that come over the line before the first cut-out, and then no more.
    """
    there = saliency.weights_path() is not None
    digest = base64.b64encode(bytes.fromhex(saliency.SHA256)).decode()
    return {
        "weights": reverse("generation:weights", args=[saliency.SHA256]) if there else "",
        "integrity": f"sha256-{digest}",
        "longest": images.MAX_SIDE,
        "megabytes": _megabytes(),
    }


@functools.lru_cache(maxsize=1)
def _megabytes() -> int:
    """The network, and the program that runs it as it is compressed on its way."""
    script = find("dist/device.js")
    program = list(Path(script).parent.glob("device/onnxruntime-*.wasm.br")) if script else []
    network = saliency.weights_path()
    parts = [path.stat().st_size for path in (*program, *([Path(network)] if network else []))]
    return max(1, round(sum(parts) / 1_000_000))


@require_safe
def weights(request: HttpRequest, digest: str) -> HttpResponse:
    """The network u2netp as an ONNX file, for anybody."""
    data = _weights() if digest == saliency.SHA256 else None
    if data is None:
        raise Http404
    return HttpResponse(data, content_type="application/octet-stream", headers={"Cache-Control": FOR_GOOD})


@functools.lru_cache(maxsize=1)
def _weights() -> bytes | None:
    """The bytes, checked. None where they are not installed; raises WeightsAltered where they are others."""
    path = saliency.weights_path()
    return sessions.checked(path, saliency.SHA256) if path else None
