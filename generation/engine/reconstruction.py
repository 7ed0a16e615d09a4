"""From a cut-out to the finished file: the order of the steps, and what each quality means."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from .cutout import decode, silent
from .depth import inflate
from .errors import BadPicture
from .frame import FILL, frame
from .glb import glb
from .mask import require_shape
from .surface import grid_cells, surface, thicken
from .texture import coordinates, texture

LONGEST_SIDE = 1.0  # metres
# Depth is found on a picture of this side, whatever the texture's.
DEPTH_SIDE = 512
SMALLEST_TEXTURE = 256


@dataclass(frozen=True)
class Quality:
    """The most triangles, the finest grid, and the most pixels along a side of the front's texture."""

    triangles: int
    grid: int
    texture: int


QUALITIES = {
    "draft": Quality(triangles=10_000, grid=200, texture=512),
    "standard": Quality(triangles=40_000, grid=320, texture=1024),
    "high": Quality(triangles=120_000, grid=512, texture=2048),
}


def reconstruct(
    cut_out_png: bytes,
    *,
    quality: str = "standard",
    progress: Callable[[int], None] = silent,
    threads: int = 2,
) -> bytes:
    """Model a cut-out (PNG with alpha): a GLB, watertight, one metre long, standing on its origin, +Y up.

    ``quality`` is a key of QUALITIES; ``progress`` hears percentages in rising order, 100 last. Equal input
    gives equal bytes. Raises NoSubject, BadPicture, and KeyError for an unknown quality.
    """
    wanted = QUALITIES[quality]
    cv2.setNumThreads(threads)
    rgba = decode(cut_out_png)
    subject = rgba[..., 3] > 127
    if subject.all():
        raise BadPicture("A cut-out has something cut out.")
    require_shape(subject)
    progress(10)

    _, _, width, height = cv2.boundingRect(subject.astype(np.uint8))
    framed = frame(rgba, _texture_side(max(width, height) / FILL, wanted.texture))
    progress(30)

    alpha = np.asarray(cv2.resize(framed.alpha, (DEPTH_SIDE, DEPTH_SIDE), interpolation=cv2.INTER_AREA), np.float32)
    cells = grid_cells(alpha, most=wanted.triangles, finest=wanted.grid)
    alpha = thicken(alpha, cells)
    mesh = surface(alpha, inflate(alpha), cells=cells, most=wanted.triangles)
    progress(60)

    jpeg = texture(framed)
    progress(90)

    low, high = mesh.positions.min(axis=0), mesh.positions.max(axis=0)
    origin = np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2], np.float32)
    file = glb(
        positions=(mesh.positions - origin) * np.float32(LONGEST_SIDE / float((high - low).max())),
        normals=mesh.normals,
        uv=coordinates(mesh.places),
        triangles=mesh.triangles,
        jpeg=jpeg,
    )
    progress(100)
    return file


def _texture_side(pixels: float, most: int) -> int:
    """The power of two that holds so many pixels of the photo, within bounds."""
    side = SMALLEST_TEXTURE
    while side < min(pixels, most):
        side *= 2
    return side
