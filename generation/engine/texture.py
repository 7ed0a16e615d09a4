"""The texture: what the photo shows on the front, and beside it a back: invented, mirrored, or a second photo.

The left half of the atlas is the framed photo; the right half lies under it, each pixel behind the front's. The
invented back is the front with all drawing blurred away and a little of the grain put back, so that no face
looks out of the back of a head. Whatever the back is, towards the outline it turns into the front, so that there
is no seam; and both halves are calmed where the photo hardly sees the surface (sides.py).

Each half shows the middle of the frame: just enough around the subject that nothing bleeds in from the other half
where a viewer shrinks the picture. Its side is a power of two, as mipmaps want it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import EngineError
from .frame import FILL, Frame
from .light import flatten_light
from .options import Options
from .relief import relief
from .sides import calm_sides
from .steps import Steps

JPEG_QUALITY = 92
# Pixels of a half of the atlas, and of the frame it is the middle of; the ratio of the two is always this.
SHOWN, FRAMED = 128, 139
SMALLEST = 256
# A photo may lose so many of its pixels before the atlas grows to four times the size for them.
TOLERATED = 1.05
# Lengths in frame widths.
NEAR_BLUR = 0.028
FAR_BLUR = 0.08
FAR = 0.12
GRAIN_BLUR = 0.003
SEAM = 0.018
GRAIN = 0.35
GRAIN_LIMIT = 6
# The blurred colours need no more pixels than this.
BLUR_SIDE = 256
RELIEF_SIDE = 1024


@dataclass(frozen=True)
class Textures:
    """JPEGs, twice as wide as high: the front's half | the back's, which is seen through the front; or none."""

    colour: bytes | None = None
    normals: bytes | None = None


def frame_side(longest: int, most: int) -> int:
    """Side of the frame for a subject that is ``longest`` pixels long in the photo, if a half has ``most`` a side."""
    side = SMALLEST
    while side < most and side * TOLERATED < longest / FILL * SHOWN / FRAMED:
        side *= 2
    return side * FRAMED // SHOWN


def texture(framed: Frame, depth: Steps, options: Options, back: Frame | None = None) -> Textures:
    """The pictures of a framed subject of such a depth; ``back`` is what a second photo shows, in the same frame."""
    if options.flatten_light:
        framed = flatten_light(framed)
        back = back and flatten_light(back)
    n = depth.front.shape[0]
    alpha = cv2.resize(framed.alpha, (n, n), interpolation=cv2.INTER_AREA)
    inside = np.asarray(alpha > 0.5, np.bool_)
    front = calm_sides(framed.rgb, depth.front, depth.back, inside, depth.stepped)
    if back is not None:
        behind = back.rgb
    elif options.back == "mirrored":
        behind = framed.rgb
    else:
        behind = _invented(front, framed.alpha)
    behind = calm_sides(behind, depth.back, depth.front, inside, depth.stepped)
    shown = framed.side * SHOWN // FRAMED
    middle = slice((framed.side - shown) // 2, (framed.side + shown) // 2)
    halves = [half[middle, middle] for half in (front, _joined(behind, front, framed.alpha))]
    atlas = np.concatenate(halves, axis=1)
    return Textures(_jpeg(atlas), _jpeg(_reliefs(atlas), full_colour=True) if options.normal_map else None)


def coordinates(places: NDArray[np.float32], behind: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Texture coordinates (v, 2) of vertices at ``places`` (v, 2) in the frame, ``behind`` (v,) being the back's."""
    uv = (places - 0.5) * (FRAMED / SHOWN) + 0.5
    uv[:, 0] = (uv[:, 0] + behind) / 2
    return np.asarray(uv.clip(0, 1), np.float32)


def _invented(front: NDArray[np.uint8], alpha: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A plain back (side, side, 3) in the front's colours."""
    side = alpha.shape[0]
    near, weight = _average(front, alpha, NEAR_BLUR, BLUR_SIDE)
    far = cv2.resize(_average(front, alpha, FAR_BLUR, BLUR_SIDE // 4)[0], near.shape[1::-1])
    depth = cv2.distanceTransform((weight > 0.5).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    plain = near + np.minimum(1, depth / (FAR * BLUR_SIDE))[..., None] * (far - near)
    grain = cv2.subtract(front, _blurred(front, GRAIN_BLUR), dtype=cv2.CV_16S)
    np.clip(grain, -GRAIN_LIMIT, GRAIN_LIMIT, out=grain)
    away = cv2.resize(plain.round().astype(np.int16), (side, side), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.addWeighted(away, 1, grain, GRAIN, 0, dtype=cv2.CV_8U), np.uint8)


def _blurred(rgb: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    """Gaussian mean (side, side, 3), made on fewer pixels, as it has no fine detail."""
    side = rgb.shape[0]
    small = cv2.resize(rgb, (side // 4, side // 4), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma * side / 4)
    return np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)


def _joined(back: NDArray[np.uint8], front: NDArray[np.uint8], alpha: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The back (side, side, 3), turning into the front towards the outline and outside."""
    inside = (alpha > 0.5).astype(np.uint8)
    edge = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_5)
    share = np.exp(edge * (-1 / (SEAM * alpha.shape[0]))).astype(np.float32)
    return np.asarray(cv2.blendLinear(front, back, share, 1 - share), np.uint8)


def _reliefs(atlas: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The normal map of both halves, each a picture of its own; no larger than its details need."""
    side = min(atlas.shape[0], RELIEF_SIDE)
    small = cv2.resize(atlas, (2 * side, side), interpolation=cv2.INTER_AREA)
    return np.concatenate([relief(np.asarray(half, np.uint8)) for half in np.split(small, 2, axis=1)], axis=1)


def _jpeg(rgb: NDArray[np.uint8], *, full_colour: bool = False) -> bytes:
    """The picture (h, w, 3) as JPEG; ``full_colour`` keeps what is not brightness at full size too."""
    settings = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    if full_colour:
        settings += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    done, jpeg = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), settings)
    if not done:
        raise EngineError("The texture cannot be written as a JPEG.")
    return jpeg.tobytes()


def _average(
    rgb: NDArray[np.uint8], alpha: NDArray[np.float32], sigma: float, side: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Gaussian mean of the colours over the subject, in a picture of that ``side``; unchanged where there is none near.

    ``sigma`` in frame widths. Returns the colours (side, side, 3) and the subject's share of each pixel (side, side).
    """
    small = cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
    weight = np.asarray(cv2.resize(alpha, (side, side), interpolation=cv2.INTER_AREA), np.float32)
    total = cv2.GaussianBlur(small * weight[..., None], (0, 0), sigma * side)
    mass = cv2.GaussianBlur(weight, (0, 0), sigma * side)[..., None]
    return np.asarray(np.where(mass > 1e-3, total / np.maximum(mass, 1e-3), small), np.float32), weight
