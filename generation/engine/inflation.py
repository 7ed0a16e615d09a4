"""Depth from the outline alone (inflation): what the engine leans on where its network is unsure or absent.

A part is as thick as it is wide: around each pixel lies the largest disc that fits into the outline and
covers it, and the surface is the ball on that disc. The back is a little flatter than the front. Lengths are
in frame widths; z points to the viewer and both maps are 0 on the outline, where they meet.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

FRONT = 0.9
BACK = -0.7
# Radii are looked for on a picture of this side, in steps of this ratio.
RADIUS_SIDE = 256
RADIUS_STEP = 0.93
# Gaussian widths the squared height is smoothed with: the deeper inside, the wider.
SMOOTHING = (0.003, 0.008, 0.02, 0.05)
SMOOTHING_PER_DEPTH = 0.45


def inflate(alpha: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Front and back (side, side) of a framed subject whose ``alpha`` (side, side) runs from 0 to 1."""
    side = alpha.shape[0]
    inside = (alpha > 0.5).astype(np.uint8)
    edge = distance(alpha) / side
    small = cv2.resize(alpha, (RADIUS_SIDE, RADIUS_SIDE), interpolation=cv2.INTER_AREA)
    radius = cv2.resize(
        _radius(np.asarray(small, np.float32)) / RADIUS_SIDE, (side, side), interpolation=cv2.INTER_LINEAR
    )
    radius = np.maximum(radius, edge)
    height = np.sqrt(_without_creases(edge * (2 * radius - edge), edge, inside))
    return np.asarray(FRONT * height, np.float32), np.asarray(BACK * height, np.float32)


def distance(alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pixels from each pixel's centre to the outline; 0 outside.

    Finer than a pixel: on a slanting edge, whole pixels make stairs, and stairs make ribs along the side.
    """
    outside = alpha <= 0.5
    _, nearest = cv2.distanceTransformWithLabels(
        (~outside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    slope = np.hypot(cv2.Sobel(alpha, cv2.CV_32F, 1, 0), cv2.Sobel(alpha, cv2.CV_32F, 0, 1)) / 8
    beyond = np.clip((0.5 - alpha) / np.maximum(slope, 1e-3), 0, 1)
    rows, columns = np.nonzero(outside)
    # Per outside pixel: where it is, and how far from its centre the outline runs.
    table = np.zeros((int(nearest.max()) + 1, 3), np.float32)
    table[nearest[outside]] = np.stack([rows, columns, beyond[outside]], axis=1)
    y, x = np.indices(alpha.shape, np.float32)
    found = table[nearest]
    away = np.hypot(y - found[..., 0], x - found[..., 1]) - found[..., 2]
    return np.asarray(np.where(outside, 0, np.maximum(away, 0)), np.float32)


def _radius(alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """Radius in pixels of the largest inscribed disc that covers each pixel, without sudden steps."""
    inside = (alpha > 0.5).astype(np.uint8)
    away = distance(alpha)
    found = away.copy()
    radius = float(away.max())
    while radius > 1.5:
        centres = away >= radius
        covered = cv2.distanceTransform((~centres).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) < radius
        np.maximum(found, np.where(covered, radius, 0), out=found)
        radius *= RADIUS_STEP
    found *= inside
    return _within(found, inside, 0.02 * inside.shape[0])


def _without_creases(
    squared: NDArray[np.float32], edge: NDArray[np.float32], inside: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Squared heights smoothed by a width that grows with the distance ``edge`` to the outline.

    Every bump of the outline sends a crease inwards, which must fade; the outline itself must stay sharp.
    """
    side = inside.shape[0]
    level = np.interp(np.log(np.maximum(SMOOTHING_PER_DEPTH * edge, 1e-6)), np.log(SMOOTHING), range(len(SMOOTHING)))
    smooth = np.zeros_like(squared)
    for number, sigma in enumerate(SMOOTHING):
        share = np.maximum(0, 1 - np.abs(level - number)).astype(np.float32)
        smooth += share * _within(squared, inside, sigma * side)
    # The mean near the outline must not lift it.
    return np.asarray(smooth * np.minimum(1, edge / 0.004), np.float32)


def _within(values: NDArray[np.float32], inside: NDArray[np.uint8], sigma: float) -> NDArray[np.float32]:
    """Gaussian mean over the inside only; 0 outside."""
    weight = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), sigma)
    mean = cv2.GaussianBlur(np.asarray(values * inside, np.float32), (0, 0), sigma) / np.maximum(weight, 1e-6)
    return np.asarray(mean * inside, np.float32)
