"""What mesh we deliver: every GLB from a provider is inspected and made anew before anyone sees it.

``inspect`` is the only way from a provider's bytes to an asset. The work is done by ``generation/inspection.py`` in
a confined process. Refused are: empty, not_glb, damaged, too_large (256 MB), too_many_triangles (5 million),
external_reference (any URI, data URIs included), compressed (Draco, meshopt), unsupported_extension, sparse, rigged,
scene_graph (cycles), primitive (points, lines), out_of_range (indices, accessors), not_finite, no_geometry, image,
took_too_long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from generation import confined, glb

MAX_BYTES: Final = glb.MAX_BYTES
MAX_TRIANGLES: Final = 5_000_000
SECONDS: Final = 60.0
MEMORY: Final = 3_000_000_000


class MeshRefused(Exception):
    """This file cannot be delivered; ``code`` is one of those in the module's docstring."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Incomplete(Exception):
    """The file ends before, or goes on after, the length that its own header states."""


def whole(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same chunks; at their end, looks whether a GLB is as long as it says. Raises ``Incomplete``.

    What is no GLB at all passes: that is for ``inspect`` to say.
    """
    head, total = b"", 0
    for chunk in chunks:
        head += chunk[: max(0, 12 - len(head))]
        total += len(chunk)
        yield chunk
    if not total or (head.startswith(b"glTF") and len(head) == 12 and int.from_bytes(head[8:], "little") != total):
        raise Incomplete


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """A GLB of our own writing, and what it measures: ``size`` is its bounding box in metres (x, y, z)."""

    glb: bytes = field(repr=False)
    triangles: int
    vertices: int
    size: tuple[float, float, float]
    watertight: bool


def inspect(chunks: Iterable[bytes]) -> Inspection:
    """Check a GLB and make it anew. Raises ``MeshRefused`` and whatever reading ``chunks`` raises."""
    try:
        header, glb = confined.run("mesh", _bounded(chunks), seconds=SECONDS, memory=MEMORY, output_limit=MAX_BYTES)
    except confined.TimedOut:
        raise MeshRefused("took_too_long") from None
    except confined.OutOfBounds:
        raise MeshRefused("too_large") from None
    except confined.Crashed:
        raise MeshRefused("damaged") from None
    if "refused" in header:
        raise MeshRefused(header["refused"])
    x, y, z = header["size"]
    return Inspection(
        glb=glb,
        triangles=header["triangles"],
        vertices=header["vertices"],
        size=(x, y, z),
        watertight=header["watertight"],
    )


def _bounded(chunks: Iterable[bytes]) -> Iterable[bytes]:
    """``chunks``, up to the byte after the last that may be."""
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > MAX_BYTES:
            raise MeshRefused("too_large")
        yield chunk
