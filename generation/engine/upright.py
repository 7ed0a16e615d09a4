"""Upright: the object stands as it stood before the camera, and flat, if it has something to stand on.

The camera looked down by some angle; turned back by it, the object's own up is up. It has a base if what lies
lowest spreads out: the lowest layer of a ball is small, and twice as thick a layer is twice as large; the feet
of a chair or the bottom of a pot hardly grow. Then the base is brought to the floor and the unevenness of its
underside pressed flat; what lies on that, such as the top of a foot plate, stays as thick as it is.

Seen from near by, the floor falls towards the viewer by some degrees more than the camera looked down, while
what is upright hardly leans: so the base is levelled by a shear, which moves points up or down only. What the
fall differs from the usual is mostly the angle's error, and is turned back, within limits. None of this changes
the order of heights above one place, so that nothing folds over.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .sampling import pixel, sample

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
# What is left of heights that are pressed: not nothing, or steep triangles would vanish.
LEFT = 0.02
# The upward part of normals below which a surface faces down, and above which it faces up.
DOWN = -0.2
UP = 0.3
# Undersides are looked for on a grid over the ground, so many places wide.
PLACES = 64

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


def press(
    positions: Positions, normals: Positions, floor: float, layer: float, wall: float = 0.0
) -> tuple[Positions, Positions]:
    """The mesh with its underside pressed flat where that is below ``floor`` + ``layer``; what is on it keeps its
    thickness.

    Over each place heights are moved by a rising function that is continuous from place to place, so that nothing
    folds: up to the underside there they shrink to ``LEFT`` of what they are; above it, what is half a ``wall``
    thick or more becomes at least a whole wall thick; from three layers (or walls) up nothing changes.
    """
    y = positions[:, 1].astype(np.float64) - floor
    top = 3 * max(layer, wall)
    under = _underside(positions, normals, y, layer)
    knee = under + wall / 2
    rest = (top - LEFT * under - wall) / (top - knee)
    # From the top down, so that above it nothing changes by rounding either.
    where = [y >= top, y >= knee, y >= under]
    moved = positions.copy()
    moved[:, 1] = floor + np.select(where, [y, top - (top - y) * rest, LEFT * under + 2 * (y - under)], LEFT * y)
    rate = np.select(where, [np.ones_like(y), rest, np.full_like(y, 2)], LEFT)
    bent = normals / np.stack([np.ones_like(rate), rate, np.ones_like(rate)], axis=1)
    bent /= np.linalg.norm(bent, axis=1, keepdims=True)
    return moved, np.asarray(bent, np.float32)


def _underside(positions: Positions, normals: Positions, y: NDArray[np.float64], layer: float) -> NDArray[np.float64]:
    """Height (v,) up to which the mesh is pressed at each vertex's place, where heights ``y`` are above the floor.

    That is the highest of what faces down nearby, within the layer and with nothing that faces up below it.
    """
    ground = positions[:, [0, 2]].astype(np.float64)
    at = (ground - ground.min(axis=0)) / max(float(np.ptp(ground, axis=0).max()), 1e-12)
    row, column = pixel(at, PLACES)
    place = row * PLACES + column
    up, down = normals[:, 1] > UP, (normals[:, 1] < DOWN) & (y < layer)
    lowest_top = np.full(PLACES**2, np.inf)
    np.minimum.at(lowest_top, place[up], y[up])
    down &= y <= lowest_top[place]
    highest = np.zeros(PLACES**2)
    np.maximum.at(highest, place[down], y[down])
    # The spread is wider than the smoothing and the sampling together, so that it stays above the underside.
    spread = cv2.dilate(highest.reshape(PLACES, PLACES).astype(np.float32), np.ones((5, 5), np.uint8))
    return sample(np.asarray(cv2.blur(spread, (3, 3)), np.float32), at)


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
