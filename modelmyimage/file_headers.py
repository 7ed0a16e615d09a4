"""Headers of the site's own files that not all of them have: a worker's policy, and which files may be kept for good.

Imports nothing of Django: the settings read it.
"""

from __future__ import annotations

from typing import Final
from wsgiref.headers import Headers

WORKERS: Final = {
    "/dist/device.js": (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; frame-ancestors 'none'"
    ),
    "/dist/export-worker.js": (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src blob:; connect-src 'self' blob: data:; "
        "img-src blob: data:; frame-ancestors 'none'"
    ),
}
"""A worker has the policy of its own file, not its page's: these run WebAssembly and ask nobody but us."""

KEPT_FOR_GOOD: Final = r"/dist/device/\w+-[0-9.]+\.wasm$"
"""Addresses with a package's version in them (frontend/device/build.mjs)."""


def add(headers: Headers, path: str, url: str) -> None:
    """Called by WhiteNoise for each file."""
    for name, policy in WORKERS.items():
        if url.endswith(name):
            headers["Content-Security-Policy"] = policy
