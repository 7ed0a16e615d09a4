"""The light: the slow changes of brightness that lie in the photo, taken out so that a viewer's light is not doubled.

Single-scale Retinex (Jobson, Rahman and Woodell 1997): brightness is divided by its own wide mean over the
subject. Only partly, and within limits: a subject that is dark on one side must not come out grey.
"""

from dataclasses import replace

import cv2
import numpy as np

from .frame import Frame

# The slow part needs no more pixels than this.
SIDE = 128
# Width of the mean, in frame widths.
SLOW = 0.12
# The share of the slow part, in stops, that is taken out; and the most that a pixel's light is changed, as a factor.
STRENGTH = 0.5
MOST = 1.7


def flatten_light(framed: Frame) -> Frame:
    """The same subject with its slow shading reduced, as bright on the whole as before."""
    size = (SIDE, SIDE)
    weight = np.asarray(cv2.resize(framed.alpha, size, interpolation=cv2.INTER_AREA), np.float32)
    small = cv2.resize(framed.rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    # Close enough to linear light for what is slow; Rec. 709 luminance.
    stops = np.log2(np.maximum(small**2.2 @ np.array([0.2126, 0.7152, 0.0722], np.float32), 0.004))
    mass = np.maximum(cv2.GaussianBlur(weight, (0, 0), SLOW * SIDE), 1e-3)
    slow = cv2.GaussianBlur(stops * weight, (0, 0), SLOW * SIDE) / mass
    mean = float((slow * weight).sum() / max(float(weight.sum()), 1e-3))
    change = np.clip(STRENGTH * (mean - slow), -np.log2(MOST), np.log2(MOST)) / 2.2
    gain = cv2.resize(np.exp2(change).astype(np.float32), (framed.side, framed.side), interpolation=cv2.INTER_LINEAR)
    lit = [cv2.multiply(channel, gain, dtype=cv2.CV_8U) for channel in cv2.split(framed.rgb)]
    return replace(framed, rgb=np.asarray(cv2.merge(lit), np.uint8))
