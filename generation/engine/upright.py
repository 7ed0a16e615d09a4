"""Upright: the object stands as it stood before the camera, and flat, if it has something to stand on.

The camera looked down by some angle; turned back by it, the object's own up is up. It has a base if what lies
lowest spreads out: the lowest layer of a ball is small, and twice as thick a layer is twice as large; the feet
of a chair or the bottom of a pot hardly grow. Then the base is brought to the floor and its unevenness pressed flat.

Seen from near by, the floor falls towards the viewer by some degrees more than the camera looked down, while
what is upright hardly leans: so the base is levelled by a shear, which moves points up or down only. What the
fall differs from the usual is mostly the angle's error, and is turned back, within limits. None of this changes
the order of heights above one place, so that nothing folds over.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# The lowest layer, as a share of the height.
LAYER = 0.02
# It is a base if it covers so much of what the whole object covers, and so much of what twice the layer does.
SPREAD = 0.05
LASTING = 0.75
# Degrees by which the base may fall to the viewer, and to either side; the steps in which they are looked for.
FALLS = (-4.0, 14.0)
LEAN = 4.0
STEPS = (4.0, 2.0, 1.0, 0.5)
# What it usually falls; how much of the difference is the angle's error, and at most how many degrees.
USUAL = 7.0
ERROR = 0.7
MOST = 4.0
# So many vertices may lie below the floor.
STRAYS = 12
# What is left of heights in a pressed layer: not nothing, or steep triangles would vanish.
LEFT = 0.02

Positions = NDArray[np.float32]


def stand(positions: Positions, normals: Positions, elevation: float) -> tuple[Positions, Positions]:
    """``positions`` and unit ``normals`` (v, 3) of a mesh seen from ``elevation`` degrees above, stood upright.

    x to the right, y up, z to the viewer; any unit.
    """
    turn = _turn(elevation)
    base = _base(positions @ turn.T)
    if base is None:
        return np.asarray(positions @ turn.T, np.float32), np.asarray(normals @ turn.T, np.float32)
    fall, lean = base
    error = float(np.clip(ERROR * (fall - USUAL), -MOST, MOST))
    turn = _turn(elevation + error)
    shear = _shear(fall - error, lean)
    upright = np.asarray(positions @ (shear @ turn).T, np.float32)
    leaning = normals @ (np.linalg.inv(shear).T @ turn).T
    leaning /= np.linalg.norm(leaning, axis=1, keepdims=True)
    height = float(np.ptp(upright[:, 1]))
    return press(upright, np.asarray(leaning, np.float32), _floor(upright[:, 1]), LAYER * height)


def press(positions: Positions, normals: Positions, floor: float, layer: float) -> tuple[Positions, Positions]:
    """The mesh with everything below ``floor`` + ``layer`` pressed flat; above three layers nothing changes."""
    y = positions[:, 1].astype(np.float64) - floor
    flat = LEFT * layer
    pressed = np.where(y < layer, LEFT * y, np.where(y < 3 * layer, flat + (y - layer) * (3 - LEFT) / 2, y))
    rate = np.where(y < layer, LEFT, np.where(y < 3 * layer, (3 - LEFT) / 2, 1))
    moved = positions.copy()
    moved[:, 1] = pressed + floor
    bent = normals / np.stack([np.ones_like(rate), rate, np.ones_like(rate)], axis=1)
    bent /= np.linalg.norm(bent, axis=1, keepdims=True)
    return moved, np.asarray(bent, np.float32)


def footprint(points: NDArray[np.float64]) -> float:
    """Area of the convex hull of points (n, 3) seen from above."""
    if len(points) < 3:
        return 0.0
    return float(cv2.contourArea(cv2.convexHull(points[:, [0, 2]].astype(np.float32))))


def _base(points: NDArray[np.float64]) -> tuple[float, float] | None:
    """Degrees by which the base falls towards the viewer and leans to the right; None if there is no base."""
    height = float(np.ptp(points[:, 1]))
    layer = LAYER * height
    # Only what may come near the floor counts.
    reach = float(np.tan(np.deg2rad((LEAN, FALLS[1]))) @ np.ptp(points[:, [0, 2]], axis=0))
    low = points[points[:, 1] < points[:, 1].min() + 2 * layer + reach]
    if len(low) < 3:
        return None

    def covered(base: tuple[float, float], layers: int) -> float:
        heights = low @ _shear(*base)[1]
        return footprint(low[heights < _floor(heights) + layers * layer])

    best = (0.0, 0.0)
    for step in STEPS:
        near = [(best[0] + a * step, best[1] + b * step) for a in (0, -1, 1, 2, 3) for b in (0, -1, 1)]
        allowed = [base for base in near if FALLS[0] <= base[0] <= FALLS[1] and abs(base[1]) <= LEAN]
        best = max(allowed, key=lambda base: covered(base, 1))
    best = max(_fitted(low, best, layer), best, key=lambda base: covered(base, 1))
    area = covered(best, 1)
    if area < SPREAD * footprint(points) or area < LASTING * covered(best, 2):
        return None
    return best


def _fitted(low: NDArray[np.float64], base: tuple[float, float], layer: float) -> tuple[float, float]:
    """The base's two angles in degrees, from the plane through all that lies in its layer (least squares)."""
    heights = low @ _shear(*base)[1]
    touching = low[heights < _floor(heights) + layer]
    slopes = np.linalg.lstsq(np.insert(touching[:, [2, 0]], 2, 1, axis=1), touching[:, 1], rcond=None)[0]
    fall, lean = -np.rad2deg(np.arctan(slopes[:2]))
    return float(np.clip(fall, *FALLS)), float(np.clip(lean, -LEAN, LEAN))


def _floor(heights: NDArray[np.floating[Any]]) -> float:
    """The height below which next to nothing lies."""
    stray = min(STRAYS, len(heights) - 1)
    return float(np.partition(heights, stray)[stray])


def _turn(elevation: float) -> NDArray[np.float64]:
    """Rotation (3, 3) back from what a camera sees from so many degrees above."""
    e = np.deg2rad(elevation)
    return np.array([[1, 0, 0], [0, np.cos(e), np.sin(e)], [0, -np.sin(e), np.cos(e)]])


def _shear(fall: float, lean: float) -> NDArray[np.float64]:
    """Matrix (3, 3) that levels a floor falling by so many degrees towards the viewer and to the right."""
    right, forward = np.tan(np.deg2rad([lean, fall]))
    return np.array([[1, 0, 0], [right, 1, forward], [0, 0, 1]])
