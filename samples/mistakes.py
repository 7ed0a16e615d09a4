"""Photos as people take them, for ``docs/photos.md``: our samples, and what goes wrong with them. Equal each time.

Two are photos of others under CC0, from scikit-image: a cup by Rachel Michetti, a cat by Stefan van der Walt.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import skimage
from PIL import Image, ImageFilter

SAMPLES = Path(__file__).resolve().parents[1] / "static" / "samples"
CC0 = Path(str(skimage.__file__)).parent / "data"


def _sample(name: str) -> Image.Image:
    return Image.open(SAMPLES / f"{name}.jpg").convert("RGB")


def _jpeg(picture: Image.Image, quality: int = 90) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()


def boat() -> bytes:
    """The sample on the first page."""
    return (SAMPLES / "boat.jpg").read_bytes()


def good() -> bytes:
    """From in front, a little from above, on something plain."""
    return (SAMPLES / "vase.jpg").read_bytes()


def dark() -> bytes:
    """The mushroom with an eleventh of the light, and the grain that a camera adds then."""
    light = np.asarray(_sample("mushroom"), dtype=np.float32) / 11
    grain = np.random.default_rng(1).normal(0, 5, light.shape)
    return _jpeg(Image.fromarray(np.clip(light + grain, 0, 255).astype(np.uint8)), 60)


def cut_off() -> bytes:
    """The cat's face alone."""
    return _jpeg(Image.open(CC0 / "chelsea.png").convert("RGB"))


def from_above() -> bytes:
    """A cup on its saucer, from high up."""
    return _jpeg(Image.open(CC0 / "coffee.png").convert("RGB"))


def _fading(size: tuple[int, int], edge: int, upright: bool) -> Image.Image:
    """A mask that fades out towards the sides, and where wanted towards top and bottom."""
    across, down = (np.clip(np.minimum(np.arange(n), np.arange(n)[::-1]) / edge, 0, 1) for n in size)
    mask = across[None, :] * (down[:, None] if upright else np.ones((size[1], 1)))
    return Image.fromarray((255 * mask).astype(np.uint8))


def crowded() -> bytes:
    """Three things side by side."""
    parts = [_sample(name) for name in ("vase", "mug", "boat")]
    height = min(part.height for part in parts)
    half, step = round(height * 0.38), round(height * 0.62)
    wide = parts[1].crop((0, 0, 30, height)).resize((step * 2 + half * 2, height))
    for place, part in enumerate(parts):
        middle = part.width // 2
        crop = part.crop((middle - half, 0, middle + half, height))
        wide.paste(crop, (place * step, 0), _fading(crop.size, height // 8, upright=False))
    return _jpeg(wide)


def blurred() -> bytes:
    """The boat, out of focus."""
    return _jpeg(_sample("boat").filter(ImageFilter.GaussianBlur(14)))


def small() -> bytes:
    """The vase, far away: its photo a sixth as large, in the middle of more wall and table."""
    photo = _sample("vase")
    ground = photo.crop((0, 0, 20, photo.height)).filter(ImageFilter.GaussianBlur(30)).resize(photo.size)
    least = photo.resize((photo.width // 6, photo.height // 6), Image.Resampling.LANCZOS)
    ground.paste(least, (photo.width * 5 // 12, photo.height * 5 // 12), _fading(least.size, 24, upright=True))
    return _jpeg(ground)


EXAMPLES: dict[str, Callable[[], bytes]] = {
    "good": good,
    "dark": dark,
    "cut-off": cut_off,
    "from-above": from_above,
    "crowded": crowded,
    "blurred": blurred,
    "small": small,
}
"""By the name that their pictures have in ``docs/images``."""
