"""The relief: fine bumps guessed from the drawing of the photo, as a normal map.

What is a little darker than its surroundings is taken to lie a little deeper (dark is deep, Langer and
Bülthoff 2000). Only details between two sizes count: below is noise, above is shape, which the mesh has.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

# Sizes of the details, in frame widths.
FINE = 0.0012
COARSE = 0.008
# Frame widths of depth per step of brightness, and the steepest slope.
STRENGTH = 1.2e-5
STEEPEST = 0.7


def relief(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Tangent-space normals (side, side, 3) of colours (side, side, 3), as glTF stores them.

    Red is the slope to the right, green the slope upwards in the picture, blue away from the surface; each -1..1.
    """
    side = rgb.shape[0]
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    height = cv2.GaussianBlur(grey, (0, 0), FINE * side) - cv2.GaussianBlur(grey, (0, 0), COARSE * side)
    # The Sobel operator gives eight times the difference between neighbouring pixels.
    right, down = (
        np.clip(cv2.Sobel(height, cv2.CV_32F, *axis, scale=STRENGTH * side / 8), -STEEPEST, STEEPEST)
        for axis in ((1, 0), (0, 1))
    )
    away = 127.5 / np.sqrt(1 + right * right + down * down)
    return np.asarray(np.rint(cv2.merge([-right * away, down * away, away]) + np.float32(127.5)), np.uint8)
