"""The frame: the subject in the middle of a square, the same size every time.

Its longest side fills 88 % of the square. Colours are taken from well inside the outline and spread
outwards, so that nothing of the old background or of the removed pixels is left along the edge.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

FILL = 0.88
# The outline's own pixels are a mixture with the background: so wide a band (share of the subject's
# longest side) takes its colour from further inside.
MIXED_BAND = 0.007


@dataclass(frozen=True)
class Frame:
    """``rgb`` (side, side, 3), defined everywhere, and ``alpha`` (side, side) from 0 to 1."""

    rgb: NDArray[np.uint8]
    alpha: NDArray[np.float32]

    @property
    def side(self) -> int:
        """Pixels along one side."""
        return int(self.alpha.shape[0])


def frame(rgba: NDArray[np.uint8], side: int, *, size: tuple[int, int] | None = None) -> Frame:
    """Put the subject of an (h, w, 4) cut-out into a square of ``side`` pixels.

    ``size`` is what width and height to stretch it to, when not both alike and to fill the frame. Then the row of
    neighbours is stretched too; it must not reach beyond the square.
    """
    x, y, w, h = cv2.boundingRect((rgba[..., 3] > 127).astype(np.uint8))
    # One row of neighbours keeps the soft edge of the alpha channel.
    padded = cv2.copyMakeBorder(rgba[y : y + h, x : x + w], 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(0,) * 4)
    scale = FILL * side / max(w, h)
    across, along = (size[0] / w, size[1] / h) if size else (scale, scale)
    width, height = (min(side, max(3, round(length))) for length in ((w + 2) * across, (h + 2) * along))
    subject = padded[..., 3] > 127
    colours = np.asarray(padded[..., :3], np.uint8)
    alpha = padded[..., 3].astype(np.float32) / 255
    # Spreading is done on the smaller picture.
    if scale < 1:
        colours = _shrunk(colours, subject, (width, height))
        alpha = np.asarray(cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA), np.float32)
        colours = spread(colours, alpha > 0.5)
    else:
        colours = spread(colours, subject)
        colours = np.asarray(cv2.resize(colours, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
        alpha = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    left, top = (side - width) // 2, (side - height) // 2
    edges = (top, side - height - top, left, side - width - left)
    return Frame(
        np.asarray(cv2.copyMakeBorder(colours, *edges, cv2.BORDER_REPLICATE), np.uint8),
        np.asarray(cv2.copyMakeBorder(alpha, *edges, cv2.BORDER_CONSTANT, value=0), np.float32),
    )


def _shrunk(rgb: NDArray[np.uint8], inside: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Colours of a smaller ``size`` (w, h), each the mean of what is inside; black where nothing is."""
    share = cv2.resize(inside.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    colours = cv2.resize(rgb * inside[..., None], size, interpolation=cv2.INTER_AREA)
    partly = (share > 0) & (share < 1)
    colours[partly] = np.minimum(255, colours[partly] / share[partly, None])
    return np.asarray(colours, np.uint8)


def spread(rgb: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Colours (h, w, 3) where every pixel outside, or close to the outline, has the nearest one from within.

    A part thinner than the band keeps the colours of its middle.
    """
    distance = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    band = max(1.5, MIXED_BAND * max(inside.shape))
    reach = 2 * int(np.ceil(band)) + 1
    middle = 0.8 * cv2.dilate(distance, np.ones((reach, reach), np.uint8))
    sound = inside & (distance > np.minimum(band, middle))
    if not sound.any():
        return rgb
    _, nearest = cv2.distanceTransformWithLabels(
        (~sound).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    palette = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
    palette[nearest[sound]] = rgb[sound]
    filled = np.asarray(palette.take(nearest, axis=0), np.uint8)
    # Neighbouring pixels of the band come from one row of pixels; on the steep rim that would show as streaks.
    soft = cv2.GaussianBlur(filled, (0, 0), band)
    return np.asarray(cv2.copyTo(filled, sound.astype(np.uint8), soft), np.uint8)
