"""What the depth network sees and says.

The weights are our own (``training/``, ``docs/engine.md``), lie beside this file, are checked against their sha256
and loaded once per process. Where they or onnxruntime are absent there is no network, which is said once in the log.
"""

import functools
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .sessions import open_session

WEIGHTS = Path(__file__).with_name("depth.onnx")
SHA256 = "a0df32ba509d029d83fb966fd074183e414770d8211e2841f086b4c7b91abcf3"
SIDE = 128
# Distances to the outline are given in units of this share of the frame.
DISTANCE_UNIT = 0.25

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Seen:
    """The network's answer for one framed subject.

    ``front``, ``thickness`` and ``doubt`` (SIDE, SIDE) in frame widths: depth towards the viewer, the way from there
    to the back, and how far off either is expected to be. ``elevation``: degrees by which the camera looks down.
    """

    front: NDArray[np.float32]
    thickness: NDArray[np.float32]
    doubt: NDArray[np.float32]
    elevation: float


def inputs(rgb: NDArray[np.uint8], mask: NDArray[np.float32]) -> NDArray[np.float32]:
    """The network's input (7, s, s) for a framed picture (s, s, 3) and its mask (s, s; 0 to 1).

    Colours around 0 and 0 outside, the mask, the distance to the outline, and where each pixel lies (-1 to 1).
    """
    side = mask.shape[0]
    colours = (rgb.astype(np.float32) / 255 - 0.5) * mask[..., None]
    distance = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    along = np.linspace(-1, 1, side, dtype=np.float32)
    y, x = np.meshgrid(along, along, indexing="ij")
    return np.concatenate([colours.transpose(2, 0, 1), np.stack([mask, distance / (DISTANCE_UNIT * side), y, x])])


@functools.lru_cache(maxsize=1)
def session(threads: int) -> Any | None:
    """The network, ready to run on so many threads; None where it cannot be had (logged once)."""
    found = open_session(WEIGHTS, SHA256, threads) if WEIGHTS.is_file() else None
    if found is None:
        log.warning("onnxruntime or %s is not there: depth is guessed from the outline alone.", WEIGHTS.name)
    return found


def look(rgb: NDArray[np.uint8], mask: NDArray[np.float32], *, threads: int) -> Seen | None:
    """What the network makes of a framed picture (SIDE, SIDE, 3) and its mask (SIDE, SIDE); None without it."""
    network = session(threads)
    if network is None:
        return None
    maps, tilt = network.run(None, {"seen": inputs(rgb, mask)[None]})
    front, thickness, doubt = maps[0]
    return Seen(front, thickness, np.exp(doubt), float(np.rad2deg(tilt[0, 0])))
