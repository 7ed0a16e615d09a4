"""The model on the first page: a file that the embedded engine made of our own sample, and what can be said of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from django.conf import settings

from generation import glb

FILE: Final = "landing/boat.glb"
"""Below ``static/``; ``python -m samples.make_pictures`` makes it."""


@dataclass(frozen=True)
class Specimen:
    """Its address below ``static/``, its triangles, and its size in bytes."""

    file: str
    triangles: int
    bytes: int


@lru_cache(maxsize=1)
def specimen() -> Specimen:
    """Read from the file itself."""
    data = (Path(settings.BASE_DIR) / "static" / FILE).read_bytes()
    document = glb.read(data).document
    indices = document["meshes"][0]["primitives"][0]["indices"]
    return Specimen(FILE, document["accessors"][indices]["count"] // 3, len(data))
