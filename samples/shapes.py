"""Building blocks: distances from points to simple shapes."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
# A field takes points (n, 3) and gives distances (n,) to the object's surface.
Field = Callable[[Floats], Floats]
# A paint takes points and normals (n, 3) and gives colours (n, 3), linear 0..1.
Paint = Callable[[Floats, Floats], Floats]


def union(a: Floats, b: Floats, softness: float) -> Floats:
    """Two distances as one, the seam rounded by ``softness``."""
    h = np.clip(0.5 + 0.5 * (b - a) / softness, 0, 1)
    return np.asarray(b + (a - b) * h - softness * h * (1 - h), np.float32)


def capsule(p: Floats, a: tuple[float, ...], b: tuple[float, ...], radius: float) -> Floats:
    """A rod with round ends from a to b."""
    start, way = np.array(a, np.float32), np.array(b, np.float32) - np.array(a, np.float32)
    t = np.clip((p - start) @ way / (way @ way), 0, 1)
    return np.asarray(np.linalg.norm(p - start - t[:, None] * way, axis=1) - radius, np.float32)


def box(p: Floats, centre: tuple[float, ...], half: tuple[float, ...], rounding: float) -> Floats:
    """A box with rounded edges."""
    q = np.abs(p - np.array(centre, np.float32)) - np.array(half, np.float32) + rounding
    outside = np.linalg.norm(np.maximum(q, 0), axis=1)
    return np.asarray(outside + np.minimum(q.max(axis=1), 0) - rounding, np.float32)


def torus(p: Floats, centre: tuple[float, ...], stretch: float, large: float, small: float) -> Floats:
    """A ring in the plane x-y, ``stretch`` times as high as wide."""
    q = p - np.array(centre, np.float32)
    ring = np.hypot(q[:, 0], q[:, 1] / stretch) - large
    return np.asarray(np.hypot(ring, q[:, 2]) - small, np.float32)


def around(p: Floats, profile: Callable[[Floats], Floats], low: float, high: float) -> Floats:
    """A solid of revolution with radius profile(y) between two heights; a safe underestimate."""
    radius = np.hypot(p[:, 0], p[:, 2])
    side = (radius - profile(np.clip(p[:, 1], low, high))) * 0.75
    cap = np.maximum(low - p[:, 1], p[:, 1] - high)
    outside = np.hypot(np.maximum(side, 0), np.maximum(cap, 0))
    return np.asarray(outside + np.minimum(np.maximum(side, cap), 0), np.float32)


def spline(heights: list[float], radii: list[float]) -> Callable[[Floats], Floats]:
    """A smooth radius through the given points."""
    dense = np.linspace(heights[0], heights[-1], 400)
    rough = np.interp(dense, heights, radii)
    width = 31
    padded = np.pad(rough, width // 2, mode="reflect", reflect_type="odd")
    kernel = np.hanning(width + 2)[1:-1]
    smooth = np.convolve(padded, kernel / kernel.sum(), mode="valid")
    return lambda y: np.interp(y, dense, smooth).astype(np.float32)
