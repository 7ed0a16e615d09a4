"""How deep: the subject's front and back, and how far the camera looked down on it.

The network's word counts as much as it trusts itself: the more it doubts a subject, the more of the inflation is
mixed in, so that what it has never seen comes out no worse than without it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from . import network
from .inflation import inflate

# Expected error, in frame widths, up to which the network alone is heard, and from which on it has no say.
TRUSTED, MISTRUSTED = 0.11, 0.22
# The network's picture shows a part whole where its mask has at least this share of a pixel.
WHOLE = 0.5
# Depths differ by less than about this (frame widths) on one part; neighbours so near (pixels) are evened out.
SAME_PART, EVENING = 0.05, 2.5


@dataclass(frozen=True)
class Depth:
    """``front`` >= ``back``, both (side, side), in frame widths, z to the viewer, around 0; defined everywhere.

    ``elevation``: degrees by which the camera looked down on the subject, less the less the network is trusted.
    ``trust``: the network's share, 0 to 1.
    """

    front: NDArray[np.float32]
    back: NDArray[np.float32]
    elevation: float = 0.0
    trust: float = 0.0


def find_depth(rgb: NDArray[np.uint8], alpha: NDArray[np.float32], *, threads: int) -> Depth:
    """Depth (side, side) of a framed subject: ``rgb`` (any side, defined everywhere), ``alpha`` (side, side; 0..1)."""
    size = (network.SIDE, network.SIDE)
    mask = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    whole = mask >= WHOLE
    seen = network.look(small, mask, threads=threads) if whole.any() else None
    if seen is None:
        return Depth(*inflate(alpha))
    trust = _trust(float(np.exp(np.log(seen.doubt[whole]).mean())))  # the geometric mean: a few odd pixels weigh less
    middle = seen.front - seen.thickness / 2
    shape = np.stack([middle - middle[whole].mean(), seen.thickness / 2])
    middle, half = _enlarge(shape, whole, alpha.shape[0])
    inside = alpha > 0.5
    # Where the small picture shows nothing of a thin part, only the outline knows how thick it is.
    thin = inside & (cv2.resize(mask, alpha.shape[::-1], interpolation=cv2.INTER_LINEAR) < WHOLE / 2)
    if trust < 1 or thin.any():
        front, back = inflate(alpha)
        level, swell = (front + back) / 2, (front - back) / 2
        half[thin] = np.minimum(half, swell)[thin]
        middle = trust * middle + (1 - trust) * (level - level[inside].mean())
        half = trust * half + (1 - trust) * swell
    half = np.maximum(half, 0)  # enlarging may overshoot
    return Depth(middle + half, middle - half, trust * seen.elevation, trust)


def _trust(doubt: float) -> float:
    """The network's share for an expected error in frame widths."""
    return float(np.clip((MISTRUSTED - doubt) / (MISTRUSTED - TRUSTED), 0, 1))


def _enlarge(maps: NDArray[np.float32], whole: NDArray[np.bool_], side: int) -> NDArray[np.float32]:
    """Maps (n, s, s), known where ``whole``, as (n, side, side): what is unknown takes the nearest known value.

    The network's pixels are uneven by a little; a bilateral filter (Tomasi and Manduchi 1998) evens them out and
    leaves the steps between one part and another.
    """
    _, nearest = cv2.distanceTransformWithLabels(
        (~whole).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros((len(maps), int(nearest.max()) + 1), np.float32)
    table[:, nearest[whole]] = maps[:, whole]
    even = [cv2.bilateralFilter(values, -1, SAME_PART, EVENING) for values in table[:, nearest]]
    return np.stack([cv2.resize(values, (side, side), interpolation=cv2.INTER_CUBIC) for values in even])
