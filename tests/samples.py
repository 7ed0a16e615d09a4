"""Pictures for tests: our samples, photos with a known licence from scikit-image, drawings, and shared/data.

All as bytes the engine takes: PNG or JPEG, upright, without metadata, at most 2048 pixels a side.
"""

import io
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
import skimage
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

ROOT = Path(__file__).parents[1]
SAMPLES = sorted((ROOT / "static" / "samples").glob("*.jpg"))
# Of the photos that scikit-image ships, those that show one thing.
PHOTOS = [Path(skimage.__file__).parent / "data" / name for name in ("coffee.png", "chelsea.png", "astronaut.png")]
SHARED = ROOT.parent / "shared" / "data" / "photos"
SUFFIXES = {".jpg", ".png", ".webp", ".heic"}
LONGEST = 2048

pillow_heif.register_heif_opener()


def shared_photos() -> list[Path]:
    """Photos that only some machines have; none where the folder is missing."""
    return sorted(path for path in SHARED.glob("*") if path.suffix in SUFFIXES) if SHARED.is_dir() else []


# Such a test says what it misses, where it cannot run.
needs_shared = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is not part of a clone"),
]


def normalised(path: Path) -> bytes:
    """The picture at a path as PNG, as the intake would hand it on."""
    with Image.open(path) as opened:
        upright = ImageOps.exif_transpose(opened)
        picture = upright.convert("RGBA" if "A" in upright.getbands() else "RGB")
    picture.thumbnail((LONGEST, LONGEST))
    return png(np.asarray(picture))


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Pixels (h, w, 3 or 4) as PNG."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=1)
    return out.getvalue()


def shaped(mask: NDArray[np.bool_], seed: int = 3) -> bytes:
    """A cut-out of the given outline (h, w) with some colour in it, as PNG with alpha."""
    rng = np.random.default_rng(seed)
    pixels = np.zeros((*mask.shape, 4), np.uint8)
    pixels[..., :3] = rng.integers(60, 200, (*mask.shape, 3))
    pixels[..., 3] = mask * 255
    pixels[~mask] = 0
    return png(pixels)


def drawn(width: int, height: int, *rings: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    """A mask of ellipses (left, top, right, bottom), alternately filled and emptied."""
    picture = Image.new("L", (width, height))
    pen = ImageDraw.Draw(picture)
    for number, ring in enumerate(rings):
        pen.ellipse(ring, fill=255 if number % 2 == 0 else 0)
    return np.asarray(picture) > 127
