"""The cut-out: the picture with everything but its subject taken away.

Outside the subject the colours are zero as well as the alpha, so that the background is really gone and
not only hidden.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import BadPicture
from .mask import find_mask

# A normalised picture has at most a quarter of this; our working memory is bounded by it.
MOST_PIXELS = 16_000_000
# Empty pixels kept around the subject in the encoded picture.
MARGIN = 4


@dataclass(frozen=True)
class CutOut:
    """A subject: ``rgba`` (h, w, 4) at the picture's size, and codes of what the user should know."""

    rgba: NDArray[np.uint8]
    warnings: tuple[str, ...] = ()


def silent(percent: int) -> None:
    """Nobody listens."""


def cut_out(
    picture: bytes, *, keep_all: bool = False, threads: int = 2, progress: Callable[[int], None] = silent
) -> CutOut:
    """Find the subject of a normalised picture (PNG or JPEG, upright, sRGB).

    ``keep_all``: every subject that stands out, not only the main one; a picture with transparency of its own
    keeps everything anyway. ``progress`` hears percentages in rising order, 100 last. Warnings are among
    "touches_border", "several_subjects" (all of them are there) and "others_left_out". Raises NoSubject, BadPicture.
    """
    cv2.setNumThreads(threads)
    rgba = decode(picture)
    progress(10)
    alpha, warnings = find_mask(rgba, keep_all=keep_all, threads=threads, progress=progress)
    rgba[..., 3] = alpha
    rgba = np.asarray(cv2.copyTo(rgba, alpha), np.uint8)  # nothing at all outside
    progress(100)
    return CutOut(rgba, warnings)


def encode_cut_out(cut: CutOut) -> bytes:
    """The subject as a PNG, cropped to it with a small margin. Raises BadPicture.

    The margin is there even where the picture ends, so that a cut-out always has something cut out.
    """
    x, y, w, h = cv2.boundingRect(cut.rgba[..., 3])
    cropped = cv2.cvtColor(cut.rgba[y : y + h, x : x + w], cv2.COLOR_RGBA2BGRA)
    framed = cv2.copyMakeBorder(cropped, *(MARGIN,) * 4, cv2.BORDER_CONSTANT, value=(0,) * 4)
    # It is read once, soon, and by us: half the time for one per cent more bytes.
    quick = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP]
    done, png = cv2.imencode(".png", framed, quick)
    if not done:
        raise BadPicture("The cut-out cannot be written as a PNG.")
    return png.tobytes()


def decode(picture: bytes) -> NDArray[np.uint8]:
    """The pixels (h, w, 4) of a PNG or JPEG, RGBA; alpha is 255 where there is none. Raises BadPicture."""
    if not picture.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        raise BadPicture("Neither PNG nor JPEG.")
    width, height = _size(picture)
    if not 0 < width * height <= MOST_PIXELS:
        raise BadPicture("The picture has no size, or too great a one.")
    try:
        pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as problem:
        raise BadPicture("The picture cannot be decoded.") from problem
    if pixels is None or pixels.size == 0:
        raise BadPicture("The picture cannot be decoded.")
    if pixels.dtype == np.uint16:
        pixels = (pixels // 256).astype(np.uint8)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    kinds = {1: cv2.COLOR_GRAY2RGBA, 3: cv2.COLOR_BGR2RGBA, 4: cv2.COLOR_BGRA2RGBA}
    if pixels.dtype != np.uint8 or pixels.shape[2] not in kinds:
        raise BadPicture("The picture's pixels are of an unknown kind.")
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), kinds[pixels.shape[2]]), np.uint8)


def _size(picture: bytes) -> tuple[int, int]:
    """Width and height as the header of a PNG or JPEG states them; 0, 0 where it does not."""
    try:
        if picture.startswith(b"\x89PNG"):
            return struct.unpack_from(">II", picture, 16)
        at = 2
        while picture[at] == 0xFF:
            # Start of frame, for any coding; C4, C8 and CC among them mean something else.
            if 0xC0 <= picture[at + 1] <= 0xCF and picture[at + 1] not in (0xC4, 0xC8, 0xCC):
                height, width = struct.unpack_from(">HH", picture, at + 5)
                return width, height
            at += 2 + struct.unpack_from(">H", picture, at + 2)[0]
    except (IndexError, struct.error):
        pass
    return 0, 0
