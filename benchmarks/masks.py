"""How well the engine finds the subject of a picture, on composites whose true outline is known.

    python -m benchmarks.masks [CUT_OUT.png ...] [--worst N]      (the shared photos with alpha unless told otherwise)

Every cut-out is laid on three backgrounds (a studio with a soft shadow, a texture, a part of another photo), with
noise, saved as JPEG. For each method: mean, lowest tenth and worst intersection over union with the true outline;
the mean error of the alpha channel within four pixels of the outline; and the median of milliseconds.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import skimage
from numpy.typing import NDArray

from generation import engine, pixels
from generation.engine import cutout, mask, saliency, subjects

ROOT = Path(__file__).parents[1]
PHOTOS = ROOT.parent / "shared" / "data" / "photos"
SCIKIT = Path(skimage.__file__).parent / "data"
WIDTH, HEIGHT = 1024, 820
# The subject fills this share of the picture in one direction: between these two.
FILLS = (0.3, 0.85)
# Parts of photos that show no object of their own: left, top, right, bottom as shares.
PARTS = {
    "lion_grass.webp": (0.0, 0.88, 0.2, 1.0),
    "car_street.jpg": (0.0, 0.85, 0.6, 1.0),
    "kitten_bed.jpg": (0.0, 0.72, 0.25, 1.0),
    "coffee_cup.jpg": (0.85, 0.0, 1.0, 0.45),
    "elephant_phone_exif_gps_orientation6.jpg": (0.0, 0.4, 0.2, 0.95),
}

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def studio(rng: np.random.Generator, alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """Wall and floor in one pale colour, darker towards the edges, with the subject's shadow on it."""
    colour = rng.uniform(110, 235) + rng.uniform(-18, 18, 3)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    light = 1.05 - 0.35 * np.hypot((x / WIDTH - rng.uniform(0.3, 0.7)), (y / HEIGHT - 0.4))
    light -= 0.12 * (y > rng.uniform(0.55, 0.7) * HEIGHT)
    light = cv2.GaussianBlur(light, (0, 0), 12)
    shift = np.array([[1, 0, rng.uniform(-40, 40)], [0, 0.35, 0.65 * _bottom(alpha)]], np.float32)
    shadow = cv2.GaussianBlur(cv2.warpAffine(alpha, shift, (WIDTH, HEIGHT)), (0, 0), 18)
    return np.asarray((light * (1 - 0.45 * shadow))[..., None] * colour, np.float32)


def texture(rng: np.random.Generator, alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """Grass, brick or gravel in a tint."""
    name = rng.choice(["grass.png", "brick.png", "gravel.png"])
    grey = cv2.imread(str(SCIKIT / name), cv2.IMREAD_GRAYSCALE)
    assert grey is not None
    big = cv2.resize(grey, (WIDTH, WIDTH), interpolation=cv2.INTER_CUBIC)[:HEIGHT].astype(np.float32)
    tint = rng.uniform(0.6, 1.25, 3)
    return np.asarray(cv2.GaussianBlur(big, (0, 0), rng.uniform(0.8, 3))[..., None] * tint, np.float32)


def photo(rng: np.random.Generator, alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """Part of a photo, slightly out of focus."""
    name = rng.choice(list(PARTS))
    rgb = cutout.decode(_plain(PHOTOS / name))[..., :3]
    height, width = rgb.shape[:2]
    x0, y0, x1, y1 = (np.array(PARTS[name]) * (width, height, width, height)).astype(int)
    big = cv2.resize(rgb[y0:y1, x0:x1], (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(big, (0, 0), rng.uniform(1, 3)), np.float32)


BACKGROUNDS = (studio, texture, photo)


def composites(paths: list[Path]) -> Iterator[tuple[str, bytes, NDArray[np.float32]]]:
    """Name, JPEG and true alpha (h, w; 0..1) of every cut-out on every background."""
    for number, path in enumerate(paths):
        rgba = cutout.decode(path.read_bytes())
        x, y, w, h = cv2.boundingRect((rgba[..., 3] > 127).astype(np.uint8))
        whole = rgba[y : y + h, x : x + w].astype(np.float32)
        whole[..., :3] *= whole[..., 3:] / 255
        for kind, background in enumerate(BACKGROUNDS):
            rng = np.random.default_rng((number, kind))
            scale = rng.uniform(*FILLS) * min(WIDTH / whole.shape[1], HEIGHT / whole.shape[0])
            subject = cv2.resize(whole, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            h, w = subject.shape[:2]
            left = int((WIDTH - w) * rng.uniform(0.25, 0.75))
            top = int((HEIGHT - h) * rng.uniform(0.35, 0.75))
            placed = np.zeros((HEIGHT, WIDTH, 4), np.float32)
            placed[top : top + h, left : left + w] = subject
            alpha = np.asarray(placed[..., 3] / 255, np.float32)
            rgb = placed[..., :3] + background(rng, alpha) * (1 - alpha[..., None])
            rgb = np.clip(rgb + rng.normal(0, 2.5, rgb.shape), 0, 255).astype(np.uint8)
            jpeg = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95])[1]
            yield f"{path.stem} {background.__name__}", jpeg.tobytes(), alpha


def _bottom(alpha: NDArray[np.float32]) -> float:
    _, y, _, h = cv2.boundingRect((alpha > 0.5).astype(np.uint8))
    return float(y + h)


def _plain(path: Path) -> bytes:
    """A photo of any format as PNG."""
    return pixels.redraw(path.read_bytes())[1][0]


def by_colour(jpeg: bytes) -> NDArray[np.uint8]:
    """GrabCut from the border alone."""
    rgb = np.ascontiguousarray(cutout.decode(jpeg)[..., :3])
    return mask._enlarge(subjects.tidy(mask._from_border(mask._shrunk(rgb))), HEIGHT, WIDTH)


def once(jpeg: bytes) -> NDArray[np.uint8]:
    """One pass of the network over the whole picture."""
    seen = saliency.saliency(np.ascontiguousarray(cutout.decode(jpeg)[..., :3]), threads=2)
    assert seen is not None
    return np.asarray(cv2.resize(seen * 255, (WIDTH, HEIGHT)), np.uint8)


def twice(jpeg: bytes) -> NDArray[np.uint8]:
    """The network's rough and fine look, as the rule has them, without GrabCut."""
    seen = mask._look_twice(np.ascontiguousarray(cutout.decode(jpeg)[..., :3]), 2, cutout.silent)
    assert seen is not None
    return np.asarray(seen * 255, np.uint8)


def rule(jpeg: bytes) -> NDArray[np.uint8]:
    """The engine's own."""
    try:
        return engine.cut_out(jpeg).rgba[..., 3]
    except engine.NoSubject:
        return np.zeros((HEIGHT, WIDTH), np.uint8)


METHODS: dict[str, Callable[[bytes], NDArray[np.uint8]]] = {
    "by colour": by_colour,
    "once": once,
    "twice": twice,
    "rule": rule,
}


def agreement(alpha: NDArray[np.uint8], truth: NDArray[np.float32]) -> float:
    """Intersection over union of what is more than half there."""
    got, true = alpha > 127, truth > 0.5
    return float((got & true).sum() / max(1, (got | true).sum()))


def main() -> None:
    """Score every method and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cut_outs", type=Path, nargs="*")
    parser.add_argument("--only", choices=list(METHODS))
    parser.add_argument("--worst", type=int, default=8)
    options = parser.parse_args()
    paths = options.cut_outs or sorted(PHOTOS.glob("*.png"))
    scenes = list(composites(paths))
    print(f"{len(scenes)} composites\n{'method':>10} {'mean':>7} {'tenth':>7} {'worst':>7} {'edge':>7} {'ms':>6}")
    for name, method in METHODS.items():
        if options.only not in (None, name):
            continue
        scores, edges, times = [], [], []
        for _, jpeg, truth in scenes:
            start = time.perf_counter()
            alpha = method(jpeg)
            times.append(time.perf_counter() - start)
            scores.append(agreement(alpha, truth))
            band = cv2.morphologyEx((truth > 0.5).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((9, 9), np.uint8)) > 0
            edges.append(float(np.abs(alpha / 255 - truth)[band].mean()))
        order = np.argsort(scores)
        print(
            f"{name:>10} {np.mean(scores):7.4f} {np.quantile(scores, 0.1):7.4f} {min(scores):7.4f} "
            f"{np.mean(edges):7.4f} {np.median(times) * 1e3:6.0f}"
        )
        for index in order[: options.worst]:
            print(f"{'':>12}{scores[index]:.3f} {scenes[index][0]}")


if __name__ == "__main__":
    main()
