"""Hostile and hopeless pictures, drawn, mutated and broken by chance; ``benchmarks/robustness.py`` tries them."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).parents[1]

Random = np.random.Generator
Pixels = NDArray[np.uint8]


# --- pictures --------------------------------------------------------------------------------------------------


def sides(rng: Random) -> tuple[int, int]:
    """Height and width, mostly small, now and then long and narrow, or as large as a normalised picture can be."""
    kind = rng.random()
    if kind > 0.98:
        return int(rng.integers(1000, 2049)), int(rng.integers(1000, 2049))
    if kind < 0.1:
        shape = (64, int(rng.integers(200, 2049)))
        return shape if rng.random() < 0.5 else shape[::-1]
    return int(rng.integers(64, 260)), int(rng.integers(64, 260))


def noise(rng: Random) -> Pixels:
    """Opaque: every pixel by chance, in blocks of some size."""
    height, width = sides(rng)
    grain = int(rng.choice([1, 1, 3, 16]))
    coarse = rng.integers(0, 256, (-(-height // grain), -(-width // grain), 3), dtype=np.uint8)
    return coarse.repeat(grain, 0).repeat(grain, 1)[:height, :width]


def blank(rng: Random) -> Pixels:
    """Opaque: one colour, or one pixel off it."""
    picture = np.full((*sides(rng), 3), rng.integers(0, 256, 3), np.uint8)
    picture[rng.integers(0, picture.shape[0]), rng.integers(0, picture.shape[1])] ^= int(rng.choice([0, 1, 255]))
    return picture


def scene(rng: Random) -> Pixels:
    """Opaque: shapes before a gradient, some over the picture's edge."""
    height, width = sides(rng)
    slope = np.linspace(rng.uniform(0, 255), rng.uniform(0, 255), width)
    picture = np.repeat(np.tile(slope, (height, 1))[..., None], 3, axis=2).astype(np.uint8)
    return drawn(rng, picture, int(rng.integers(1, 5)))


def photo(rng: Random) -> Pixels:
    """Opaque: a part of a sample, small."""
    path = rng.choice(sorted((ROOT / "static" / "samples").glob("*.jpg")))
    with Image.open(path) as opened:
        left, top = map(int, rng.uniform(-0.1, 0.5, 2) * opened.size)
        width, height = map(int, rng.uniform(0.3, 1.0, 2) * opened.size)
        return np.asarray(opened.crop((left, top, left + width, top + height)).resize(sides(rng)[::-1]))


def drawn(rng: Random, picture: Pixels, shapes: int) -> Pixels:
    """The same picture with ellipses, lines and boxes of any colour in it."""
    height, width, channels = picture.shape
    picture = np.ascontiguousarray(picture)
    for _ in range(shapes):
        colour = (*map(int, rng.integers(0, 256, 3)), 255)[:channels]
        (x, y), (w, h) = rng.integers(0, (width, height)), rng.integers(1, (width, height))
        match rng.integers(0, 3):
            case 0:
                cv2.ellipse(picture, (int(x), int(y)), (int(w) // 2, int(h) // 2), float(x), 0, 360, colour, -1)
            case 1:
                cv2.line(picture, (int(x), int(y)), (int(w), int(h)), colour, int(rng.integers(1, 9)))
            case _:
                cv2.rectangle(picture, (int(x), int(y)), (int(x + w // 2), int(y + h // 2)), colour, -1)
    return picture


def clear(rng: Random) -> Pixels:
    """Transparent all over, or but for a few pixels."""
    picture = np.zeros((*sides(rng), 4), np.uint8)
    picture[..., :3] = rng.integers(0, 256, 3)
    for _ in range(int(rng.integers(0, 20))):
        picture[rng.integers(0, picture.shape[0]), rng.integers(0, picture.shape[1]), 3] = 255
    return picture


def hairline(rng: Random) -> Pixels:
    """With alpha: lines one to three pixels wide."""
    picture = np.zeros((*sides(rng), 4), np.uint8)
    height, width = picture.shape[:2]
    for _ in range(int(rng.integers(1, 4))):
        a, b = (tuple(map(int, rng.integers(0, (width, height)))) for _ in range(2))
        cv2.line(picture, a, b, (90, 160, 30, 255), int(rng.integers(1, 4)))
    return picture


def blot(rng: Random) -> Pixels:
    """With alpha: blocks by chance, full of holes and islands, over every edge."""
    height, width = sides(rng)
    grain = int(rng.choice([1, 2, 5, 17, 40]))
    coarse = rng.random((-(-height // grain), -(-width // grain))) > rng.uniform(0.05, 0.95)
    picture = rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
    picture[..., 3] = 255 * coarse.repeat(grain, 0).repeat(grain, 1)[:height, :width]
    return picture


def shapes(rng: Random) -> Pixels:
    """With alpha: several things, near and far from each other."""
    return drawn(rng, np.zeros((*sides(rng), 4), np.uint8), int(rng.integers(1, 7)))


def haze(rng: Random) -> Pixels:
    """With alpha: soft clouds, half of them around the value that decides."""
    height, width = sides(rng)
    cloud = cv2.GaussianBlur(rng.random((height, width)), (0, 0), rng.uniform(1, 12))
    cloud = (cloud - cloud.mean()) / max(1e-9, cloud.std()) * rng.uniform(1, 60) + 128
    colours = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return np.dstack([colours, cloud.clip(0, 255).astype(np.uint8)])


def everything(rng: Random) -> Pixels:
    """With alpha: all subject, or all but a corner."""
    picture = np.full((*sides(rng), 4), 255, np.uint8)
    picture[..., :3] = rng.integers(0, 256, 3)
    gone = int(rng.integers(0, 40))
    picture[:gone, :gone, 3] = 0
    return picture


def grid(rng: Random) -> Pixels:
    """With alpha: rows and columns of dots."""
    return dotted(*sides(rng), int(rng.integers(1, 30)), chain=False)


def snake(rng: Random) -> Pixels:
    """With alpha: a large dot, and a chain of small ones from it to and fro down the picture."""
    return dotted(*sides(rng), int(rng.integers(4, 30)), chain=True)


def dotted(height: int, width: int, dot: int, *, chain: bool) -> Pixels:
    """Square dots (h, w, 4) of so many pixels, a quarter of that apart, each nearer than ``PART_GAP`` to the next.

    ``chain``: one as large as five by five is above the others, and of every other row of these only the last is
    there, by turns on the right and on the left.
    """
    gap = max(1, dot // 4)
    pitch = dot + gap
    y, x = np.ogrid[:height, :width]
    shown = (y % pitch < dot) & (x % pitch < dot)
    if chain:
        row, column, last = y // pitch - 5, x // pitch, width // pitch - 1
        shown &= (row >= 0) & (column <= last) & ((row % 2 == 0) | (column == np.where(row % 4 == 1, last, 0)))
        shown[: 5 * pitch - gap, : 5 * pitch - gap] = True
    picture = np.full((height, width, 4), 160, np.uint8)
    picture[..., 3] = 255 * shown
    return picture


# --- files -----------------------------------------------------------------------------------------------------


def file(rng: Random, picture: Pixels) -> bytes:
    """A file of some format that can hold the picture."""
    return encoded(Image.fromarray(picture), str(rng.choice(["PNG", "PNG", "WEBP"])))


def encoded(picture: Image.Image, form: str, **options: Any) -> bytes:
    """A Pillow picture as a file."""
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def strange(rng: Random) -> bytes:
    """A kind of pixel that cameras do not use: 16 bits, CMYK, palette, one bit, grey with alpha."""
    picture = Image.fromarray(scene(rng))
    match rng.integers(0, 6):
        case 0:
            deep = np.asarray(picture).astype(np.uint16)[..., :: int(rng.choice([1, -1]))] * 257
            return cv2.imencode(".png", deep)[1].tobytes()
        case 1:
            grey = np.asarray(picture.convert("L")).astype(np.uint16) * 257
            return cv2.imencode(".png", grey)[1].tobytes()
        case 2:
            return encoded(picture.convert("CMYK"), "JPEG", quality=int(rng.integers(1, 96)))
        case 3:
            return encoded(picture.quantize(int(rng.integers(2, 200))), "PNG", transparency=0)
        case 4:
            return encoded(picture.convert("1"), "PNG")
        case _:
            return encoded(picture.convert("LA"), "PNG")


def sliver(rng: Random) -> bytes:
    """One or a few pixels wide and up to 10,000 long."""
    size = (int(rng.integers(1, 70)), int(rng.choice([10_000, 3_000, 2_100])))
    picture = Image.new("RGB", size if rng.random() < 0.5 else size[::-1], (200, 30, 90))
    return encoded(picture, str(rng.choice(["PNG", "JPEG"])))


def boast(rng: Random) -> bytes:
    """A header that promises far more pixels than the file has."""
    size = struct.pack(">II", *map(int, rng.choice([0, 1, 7_000, 65_535, 2**31 - 1, 2**32 - 1], 2)))
    header = b"IHDR" + size + bytes([8, int(rng.choice([0, 2, 3, 6])), 0, 0, 0])
    png = encoded(Image.fromarray(blot(rng)), "PNG")
    png = png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]
    if rng.random() < 0.5:
        return png
    jpeg = encoded(Image.fromarray(scene(rng)), "JPEG")
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", *map(int, rng.integers(0, 65_536, 2))) + jpeg[at + 4 :]


def truncated(rng: Random) -> bytes:
    """A file that ends too early."""
    whole = damaged_source(rng)
    return whole[: int(rng.integers(0, len(whole)))]


def flipped(rng: Random) -> bytes:
    """A file with a few wrong bits."""
    data = bytearray(damaged_source(rng))
    for _ in range(int(rng.integers(1, 12))):
        data[int(rng.integers(0, len(data)))] ^= 1 << int(rng.integers(0, 8))
    return bytes(data)


def damaged_source(rng: Random) -> bytes:
    """A sound file of any format we read."""
    form = str(rng.choice(["PNG", "JPEG", "WEBP", "AVIF"]))
    return encoded(Image.fromarray(blot(rng) if form == "PNG" else scene(rng)), form)


def garbage(rng: Random) -> bytes:
    """No picture at all, though it may begin like one."""
    start = bytes(rng.choice([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8 "]))
    return start + rng.bytes(int(rng.integers(0, 600)))


def painted(make: Callable[[Random], Pixels]) -> Callable[[Random], bytes]:
    """Files of drawn pictures."""
    return lambda rng: file(rng, make(rng))


# Kinds by weight. An opaque picture takes the network and so ten times as long as the others.
KINDS: dict[str, tuple[int, Callable[[Random], bytes]]] = {
    "noise": (3, painted(noise)),
    "blank": (3, painted(blank)),
    "scene": (3, painted(scene)),
    "photo": (3, painted(photo)),
    "clear": (6, painted(clear)),
    "hairline": (10, painted(hairline)),
    "blot": (14, painted(blot)),
    "shapes": (14, painted(shapes)),
    "haze": (8, painted(haze)),
    "everything": (4, painted(everything)),
    "grid": (2, painted(grid)),
    "snake": (2, painted(snake)),
    "strange": (5, strange),
    "sliver": (3, sliver),
    "boast": (6, boast),
    "truncated": (8, truncated),
    "flipped": (8, flipped),
    "garbage": (2, garbage),
}
NAMES = [name for name, (weight, _) in KINDS.items() for _ in range(weight)]
