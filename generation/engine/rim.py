"""The rim: towards the outline the thickness rounds off.

Its profile is a quarter of a circle from the front and one from the back. What is thicker than both together
keeps a side as high as the rest; what is thinner closes in half an ellipse. Where the maps meet on the outline
anyway, nothing changes. A cut between two parts is an outline too.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from .inflation import distance as distance_to_outline

# Radius of the rounding, in frame widths.
RADIUS = 0.02


def rim(alpha: NDArray[np.float32], thickness: NDArray[np.float32], cut: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Share (side, side), 0..1, of the thickness that is left; ``cut`` marks the pixels beside cuts."""
    side = alpha.shape[0]
    distance = distance_to_outline(alpha)
    if cut.any():
        beside = cv2.distanceTransform((~cut).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) + np.float32(0.5)
        distance = np.minimum(distance, beside)
    reach = max(1, round(RADIUS * side))
    inside = np.where(alpha > 0.5, thickness, np.float32(0))
    # As thick as it gets further inside: what already falls to the outline is not made to fall twice.
    full = cv2.dilate(inside, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    radius = np.clip(full / 2, np.float32(1e-6), np.float32(RADIUS))
    inward = 1 - np.minimum(distance / (side * radius), 1)
    limit = full - 2 * radius * (1 - np.sqrt(1 - inward * inward))
    return np.asarray(np.minimum(limit, thickness) / np.maximum(thickness, np.float32(1e-9)), np.float32)


def side_height(thickness: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of a ``thickness`` on the outline is left between the two roundings."""
    return np.maximum(thickness - 2 * RADIUS, 0)
