"""The second photo: the object seen from behind, laid under the outline of the first.

Whoever walks round an object sees it the other way round: the photo is mirrored, brought to the size of the
front's outline, and its colours are drawn gently towards the front's where the two meet.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import BackDoesNotMatch
from .frame import Frame, frame
from .mask import require_shape

# The least share that the two outlines, at one size, have in common of what they cover together.
LEAST_OVERLAP = 0.5
OUTLINE_SIDE = 256
# Where colours are compared: so near to the outline, in frame widths.
BORDER = 0.05
# The most that a channel is changed, as a factor.
MOST = 1.25


def seen_from_behind(rgba: NDArray[np.uint8], front: Frame) -> Frame:
    """The back's colours in the front's frame: each pixel is what lies behind the front's pixel.

    ``rgba`` (h, w, 4) is a cut-out. Raises NoSubject when there is nothing in it, BackDoesNotMatch when it has a
    quite different outline.
    """
    require_shape(rgba[..., 3] > 127)
    mirrored = np.ascontiguousarray(rgba[:, ::-1])
    one = frame(mirrored, OUTLINE_SIDE).alpha > 0.5
    other = cv2.resize(front.alpha, (OUTLINE_SIDE, OUTLINE_SIDE), interpolation=cv2.INTER_AREA) > 0.5
    if (one & other).sum() < LEAST_OVERLAP * (one | other).sum():
        raise BackDoesNotMatch("The photo from behind shows another outline than the one from the front.")
    _, _, width, height = cv2.boundingRect((front.alpha > 0.5).astype(np.uint8))
    fitted = frame(mirrored, front.side, size=(width, height))
    return Frame(_matched(fitted, front), fitted.alpha)


def _matched(back: Frame, front: Frame) -> NDArray[np.uint8]:
    """The back's colours, each channel scaled towards the front's mean along the outline."""
    both = ((back.alpha > 0.5) & (front.alpha > 0.5)).astype(np.uint8)
    border = (both > 0) & (cv2.distanceTransform(both, cv2.DIST_L2, cv2.DIST_MASK_5) < BORDER * front.side)
    if not border.any():
        return back.rgb
    gain = (front.rgb[border].mean(axis=0) + 1) / (back.rgb[border].mean(axis=0) + 1)
    table = np.arange(256)[:, None] * np.clip(gain, 1 / MOST, MOST)
    return np.asarray(cv2.LUT(back.rgb, table.clip(0, 255).round().astype(np.uint8)[:, None]), np.uint8)
