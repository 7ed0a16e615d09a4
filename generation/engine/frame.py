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


def frame(rgba: NDArray[np.uint8], side: int) -> Frame:
    """Put the subject of an (h, w, 4) cut-out into a square of ``side`` pixels."""
    x, y, w, h = cv2.boundingRect((rgba[..., 3] > 127).astype(np.uint8))
    # One row of neighbours keeps the soft edge of the alpha channel.
    padded = cv2.copyMakeBorder(rgba[y : y + h, x : x + w], 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(0,) * 4)
    scale = FILL * side / max(w, h)
    size = (max(3, round((w + 2) * scale)), max(3, round((h + 2) * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    colours = cv2.resize(spread(np.asarray(padded[..., :3], np.uint8), padded[..., 3] > 127), size, interpolation=way)
    alpha = cv2.resize(padded[..., 3].astype(np.float32) / 255, size, interpolation=way).clip(0, 1)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    edges = (top, side - size[1] - top, left, side - size[0] - left)
    return Frame(
        np.asarray(cv2.copyMakeBorder(colours, *edges, cv2.BORDER_REPLICATE), np.uint8),
        np.asarray(cv2.copyMakeBorder(alpha, *edges, cv2.BORDER_CONSTANT, value=0), np.float32),
    )


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
    filled = palette[nearest]
    # Neighbouring pixels of the band come from one row of pixels; on the steep rim that would show as streaks.
    soft = cv2.GaussianBlur(filled, (0, 0), band)
    return np.asarray(np.where(sound[..., None], filled, soft), np.uint8)
