"""Steps: where one part of the subject stands before another, the depth maps must jump and not slide.

A depth map from a network, or one that has been resized, runs down a ramp some pixels wide from the near
part to the far one. From every pixel of such a ramp one comes to level ground soon, uphill and downhill; it
is given the depths found there, the nearer one's, so that the ramp becomes a jump between two pixels. The
side of a ball is steep too, but downhill of it comes the outline, and it stays.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .depth import Depth
from .sampling import nearest

# Depth gained per width crossed, from which a place is steep.
STEEP = 2.0
# And from level ground to level ground, on average.
STEEPER = 6.0
# Lengths in frame widths. A lower jump than this is relief.
JUMP = 0.02
# Half the width of the widest ramp.
RAMP = 0.02
# Where two neighbours overlap by less than this, no matter holds them together.
JOINT = 0.004
SQUARE = np.ones((3, 3), np.uint8)


@dataclass(frozen=True)
class Steps:
    """Depth maps (side, side) whose steps are sharp, and where these are: within a pixel of a jump."""

    front: NDArray[np.float32]
    back: NDArray[np.float32]
    stepped: NDArray[np.bool_]


def sharpen(alpha: NDArray[np.float32], depth: Depth) -> Steps:
    """The maps of a framed subject with jumps for ramps; outside, the value of the nearest pixel inside."""
    inside = alpha > 0.5
    beside = nearest(inside)
    front, back = depth.front.ravel()[beside], np.minimum(depth.front, depth.back).ravel()[beside]
    level, ramp, source = _ramps(inside, front, back)
    front[ramp], back[ramp] = front.ravel()[source], back.ravel()[source]
    # Where two ramps meet, or one the outline, the way down may miss the level ground.
    near = cv2.dilate(ramp.astype(np.uint8), SQUARE, iterations=2) > 0
    missed = near & inside & ~level & ~ramp
    if ramp.any():
        beside = nearest(inside & ~missed)
        front, back = front.ravel()[beside], back.ravel()[beside]
    stepped = near & inside & ((_range(front) > JUMP) | (_range(back) > JUMP))
    return Steps(front, back, stepped)


def _ramps(
    inside: NDArray[np.bool_], front: NDArray[np.float32], back: NDArray[np.float32]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.intp]]:
    """Which pixels (side, side) are level, which lie on a ramp, and for each of these the level pixel to copy."""
    side = len(front)
    slopes = [(cv2.Sobel(field, cv2.CV_32F, 1, 0), cv2.Sobel(field, cv2.CV_32F, 0, 1)) for field in (front, back)]
    # The Sobel operator gives eight times the difference between neighbouring pixels.
    steepness = [cv2.magnitude(*slope) * (side / 8) for slope in slopes]
    level = inside & (np.maximum(*steepness) <= STEEP)
    steep = inside & ~level
    rows, columns = np.nonzero(steep)
    of_front = steepness[0][steep] >= steepness[1][steep]
    right, down = (np.where(of_front, slopes[0][axis][steep], slopes[1][axis][steep]) for axis in (0, 1))
    length = np.maximum(np.hypot(right, down), 1e-9)
    right, down = right / length, down / length
    reach = max(2, round(2 * RAMP * side))
    never = reach + 1
    away = np.full((2, len(rows)), never)
    found = np.zeros((2, len(rows)), np.intp)
    # Whole numbers up to side² are exact in single precision.
    start = rows.astype(np.float32), columns.astype(np.float32)
    for distance in range(reach, 0, -1):
        for way, turn in enumerate((np.float32(distance), np.float32(-distance))):
            row, column = (
                np.clip(place + np.rint(turn * along), 0, side - 1)
                for place, along in zip(start, (down, right), strict=True)
            )
            place = (row * side + column).astype(np.intp)
            arrived = level.ravel()[place]
            np.copyto(away[way], distance, where=arrived)
            np.copyto(found[way], place, where=arrived)
    jump = np.maximum(*(np.abs(np.subtract(*field.ravel()[found])) for field in (front, back)))
    span = away.sum(axis=0)
    isramp = (away.max(axis=0) < never) & (span <= reach) & (jump > np.maximum(JUMP, STEEPER * span / side))
    ramp = np.zeros(inside.shape, np.bool_)
    ramp[rows[isramp], columns[isramp]] = True
    return level, ramp, np.where(away[0] <= away[1], *found)[isramp]


def apart(
    front_a: NDArray[np.float32],
    back_a: NDArray[np.float32],
    front_b: NDArray[np.float32],
    back_b: NDArray[np.float32],
) -> NDArray[np.bool_]:
    """Whether there is air between the depths of two neighbours."""
    jump = np.abs(front_a + back_a - front_b - back_b) / 2 > JUMP / 2
    return np.asarray(
        jump & (np.maximum(back_a, back_b) > np.minimum(front_a, front_b) - JOINT),
        np.bool_,
    )


def air(steps: Steps) -> NDArray[np.bool_]:
    """Pixels (side, side) beside a step behind which there is air."""
    found = np.zeros(steps.stepped.shape, np.bool_)
    for here, there in (
        ((slice(None), slice(1, None)), (slice(None), slice(-1))),
        ((slice(1, None), slice(None)), (slice(-1), slice(None))),
    ):
        gap = apart(steps.front[here], steps.back[here], steps.front[there], steps.back[there])
        gap &= steps.stepped[here] & steps.stepped[there]
        found[here] |= gap
        found[there] |= gap
    return found


def _range(field: NDArray[np.float32]) -> NDArray[np.float32]:
    """Highest less lowest value among each pixel and its neighbours."""
    return np.asarray(cv2.dilate(field, SQUARE) - cv2.erode(field, SQUARE), np.float32)
