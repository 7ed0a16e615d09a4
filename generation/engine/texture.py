"""The texture: what the photo shows on the front, and a plausible back beside it.

The left half of the atlas is the framed photo. The right half is the same with all drawing blurred away and
a little of the grain put back, so that no face looks out of the back of a head; towards the outline it turns
into the front, so that there is no seam.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import EngineError
from .frame import Frame

JPEG_QUALITY = 88
# Lengths in frame widths.
NEAR_BLUR = 0.028
FAR_BLUR = 0.08
FAR = 0.12
GRAIN_BLUR = 0.004
SEAM = 0.018
GRAIN = 0.35
GRAIN_LIMIT = 10.0
# The blurred colours need no more pixels than this.
BLUR_SIDE = 256


def texture(framed: Frame) -> bytes:
    """JPEG, twice as wide as high: front | back, both in the frame's own coordinates."""
    done, jpeg = cv2.imencode(
        ".jpg",
        cv2.cvtColor(np.concatenate([framed.rgb, _back(framed)], axis=1), cv2.COLOR_RGB2BGR),
        [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY],
    )
    if not done:
        raise EngineError("The texture cannot be written as a JPEG.")
    return jpeg.tobytes()


def coordinates(places: NDArray[np.float32]) -> NDArray[np.float32]:
    """Texture coordinates (v, 2) of vertices, the first half of which is the front, the second the back."""
    uv = places * np.array([0.5, 1], np.float32)
    uv[len(uv) // 2 :, 0] += 0.5
    return np.asarray(uv, np.float32)


def _back(framed: Frame) -> NDArray[np.uint8]:
    """The invented back (side, side, 3)."""
    side = framed.side
    size = (BLUR_SIDE, BLUR_SIDE)
    small = cv2.resize(framed.rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    weight = np.asarray(cv2.resize(framed.alpha, size, interpolation=cv2.INTER_AREA), np.float32)
    near, far = (_average(small, weight, blur * BLUR_SIDE) for blur in (NEAR_BLUR, FAR_BLUR))
    depth = cv2.distanceTransform((weight > 0.5).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    plain = near + np.minimum(1, depth / (FAR * BLUR_SIDE))[..., None] * (far - near)

    inside = (framed.alpha > 0.5).astype(np.uint8)
    edge = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_5) / side
    back = np.empty_like(framed.rgb)
    seam = np.exp(-edge / SEAM).astype(np.float32)
    for channel in range(3):  # one plane at a time: a large texture would not fit thrice
        front = framed.rgb[..., channel].astype(np.float32)
        grain = front - cv2.GaussianBlur(front, (0, 0), GRAIN_BLUR * side)
        away = cv2.resize(plain[..., channel], (side, side), interpolation=cv2.INTER_LINEAR)
        away += GRAIN * np.clip(grain, -GRAIN_LIMIT, GRAIN_LIMIT)
        back[..., channel] = np.clip(away + seam * (front - away), 0, 255).round()
    return back


def _average(rgb: NDArray[np.float32], weight: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Gaussian mean of the colours (h, w, 3) over the subject; unchanged where there is none near."""
    total = cv2.GaussianBlur(rgb * weight[..., None], (0, 0), sigma)
    mass = cv2.GaussianBlur(weight, (0, 0), sigma)[..., None]
    return np.asarray(np.where(mass > 1e-3, total / np.maximum(mass, 1e-3), rgb), np.float32)
