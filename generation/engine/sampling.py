"""Values of pictures between their pixels and beside them, and which pixels are near."""

import cv2
import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Indices = NDArray[np.int64]


def smallest_near(field: NDArray[np.float32]) -> NDArray[np.float32]:
    """The smallest value among each pixel and its neighbours."""
    return np.asarray(cv2.erode(field, np.ones((3, 3), np.uint8)), np.float32)


def blurred(field: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """The field, smoothed by a Gaussian so many pixels wide."""
    return np.asarray(cv2.GaussianBlur(field, (0, 0), sigma), np.float32)


def sample(field: NDArray[np.float32], places: Values) -> Values:
    """Values (k,) or (k, channels) of a picture at places 0..1, interpolated between the pixels' centres."""
    row = 1024  # OpenCV takes no picture of more than 32,767 rows
    count = len(places)
    at = np.zeros((-(-max(count, 1) // row) * row, 2), np.float32)
    at[:count] = places * len(field) - 0.5
    x, y = np.ascontiguousarray(at.reshape(-1, row, 2).transpose(2, 0, 1))
    found = cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found.reshape(len(at), *field.shape[2:])[:count], np.float64)


def pixel(places: Values, side: int) -> tuple[Indices, Indices]:
    """Rows and columns (k,) of the pixels at places 0..1."""
    column, row = np.clip((places * side).astype(np.int64), 0, side - 1).T
    return row, column


def nearest(known: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Number (h, w) of the nearest known pixel; each pixel's own where there is none."""
    if not known.any():
        return np.arange(known.size).reshape(known.shape)
    _, label = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    number = np.zeros(int(label.max()) + 1, np.intp)
    number[label[known]] = np.flatnonzero(known)
    return np.asarray(number[label], np.intp)


def disc(radius: float) -> NDArray[np.uint8]:
    """A round structuring element of at least 3 pixels across."""
    width = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)), np.uint8)
