"""Headers of the site's own files that not all of them have: a worker's policy, and which files may be kept for good.

Imports nothing of Django: the settings read it.
"""

from __future__ import annotations

from typing import Final
from wsgiref.headers import Headers

WORKER: Final = "/dist/device.js"
WORKER_POLICY: Final = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"
"""A worker has the policy of its own file, not its page's: this one runs WebAssembly and asks nobody but us."""

KEPT_FOR_GOOD: Final = r"/dist/device/\w+-[0-9.]+\.wasm$"
"""Addresses with a package's version in them (frontend/device/build.mjs)."""


def add(headers: Headers, path: str, url: str) -> None:
    """Called by WhiteNoise for each file."""
    if url.endswith(WORKER):
        headers["Content-Security-Policy"] = WORKER_POLICY
