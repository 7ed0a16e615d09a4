"""The sides: where a sheet falls to the outline, the photo hardly sees it; few pixels must not become long streaks.

A pixel on a slope is stretched on the model by the slope. Where that is much, its colour is taken from the
nearest place that is well seen and not close to the outline, where colours are mixed with what was behind the
subject (hair, blur); and it is averaged along the slope's contour over about as far as it is stretched:
across the contour nothing is mixed, so that an edge in the picture stays an edge when seen from the front.
Steps between one part and another, inside the outline, are the mesh's business: there the photo stays as it is.
(Averaging along a direction field is line integral convolution, Cabral and Leedom 1993.)
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from .sampling import disc, nearest

# Rise over run. Below the first a pixel is well seen, above the second not at all: 68° and 77°.
SEEN, UNSEEN = 2.5, 4.5
# Half the width, in frame widths, that a sudden fall to the outline has: about a cell of the mesh.
STEP = 0.005
# So far from the outline, in frame widths, a slope counts in full; at twice that, not at all.
RIM = 0.02
# So far from the outline, in frame widths or in thicknesses of the subject, whichever is less, colours are pure.
PURE = 0.015
PURE_PER_THICKNESS = 0.25
# How far along the contour, to either side, colours are averaged: in thicknesses of the subject, and at most, in
# frame widths.
REACH = 1.0
FARTHEST = 0.08
TAPS = 25


def calm_sides(
    rgb: NDArray[np.uint8],
    sheet: NDArray[np.float32],
    other: NDArray[np.float32],
    inside: NDArray[np.bool_],
    stepped: NDArray[np.bool_],
) -> NDArray[np.uint8]:
    """Colours (side, side, 3) of one sheet of the subject with its steep places calmed.

    ``sheet`` and ``other`` (n, n), in frame widths, are the two sheets, ``inside`` (n, n) is where they are, and
    ``stepped`` (n, n) where they jump.
    """
    n = sheet.shape[0]
    edge = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) / n
    slope = _slope(sheet, stepped) * np.clip(2 - edge / RIM, 0, 1)
    small = np.asarray(cv2.resize(rgb, (n, n), interpolation=cv2.INTER_AREA), np.uint8)
    thickness = np.abs(sheet - other)
    pure = edge > np.minimum(PURE, PURE_PER_THICKNESS * thickness)
    source = nearest(inside & pure & (slope < UNSEEN))
    reach = np.minimum(FARTHEST, REACH * thickness.ravel()[source])
    calm = _along_contours(small.reshape(-1, 3)[source], sheet, reach, slope > SEEN)
    share = np.where(inside, np.clip((slope - SEEN) / (UNSEEN - SEEN), 0, 1), 1).astype(np.float32)
    size = rgb.shape[:2]
    share = np.asarray(cv2.resize(share, size, interpolation=cv2.INTER_LINEAR), np.float32)
    calm = np.asarray(cv2.resize(calm, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    return np.asarray(cv2.blendLinear(calm, rgb, share, 1 - share), np.uint8)


def _slope(height: NDArray[np.float32], stepped: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Rise over run (n, n), a fall to the outline being as wide as the mesh can make it; none beside steps."""
    n = height.shape[0]
    radius = max(1, round(STEP * n))
    around = disc(radius)
    slope = cv2.morphologyEx(height, cv2.MORPH_GRADIENT, around) * np.float32(n / (2 * radius))
    return np.where(cv2.dilate(stepped.astype(np.uint8), around) > 0, np.float32(0), slope)


def _along_contours(
    rgb: NDArray[np.uint8], height: NDArray[np.float32], reach: NDArray[np.float32], where: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Colours (n, n, 3), some averaged over a ``reach`` (n, n), in frame widths, along the contours of the sheet."""
    n = height.shape[0]
    soft = cv2.GaussianBlur(height, (0, 0), STEP * n)
    rows, columns = (index.astype(np.float32) for index in np.nonzero(where))
    down, right = (cv2.Sobel(soft, cv2.CV_32F, *axis)[where] for axis in ((0, 1), (1, 0)))
    step = n * reach[where] / np.maximum(np.hypot(down, right), 1e-9)
    total = np.zeros((len(rows), 3), np.float32)
    for tap in np.linspace(-1, 1, TAPS, dtype=np.float32):
        y = np.trunc(np.clip(rows + tap * step * right, 0, n - 1))
        x = np.trunc(np.clip(columns - tap * step * down, 0, n - 1))
        total += rgb.reshape(-1, 3)[(y * n + x).astype(np.intp)]
    calm = rgb.copy()
    calm[where] = (total / TAPS).round()
    return calm
