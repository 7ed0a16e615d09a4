"""The data: every sample a random object, seen by a random camera under random light.

    python -m training.views CORPUS OUT --count 100000 --seed 1

``OUT`` gets one ``.npy`` per field, memory-mapped while training: rgb (n, s, s, 3) and mask (n, s, s) uint8,
front and back (n, s, s) float16 in frame widths, elevation (n,) float32 in degrees. Sample number i depends on the
seed and i alone, whatever the number of processes.
"""

from __future__ import annotations

import argparse
import multiprocessing
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from . import corpus
from .corpus import Mesh
from .primitives import primitive
from .render import Camera, Light, View, render

SIDE = 128
PRIMITIVES = 0.14
# Scans of real things are few, and the nearest to photos there is: each is shown so much more often.
SCANS = (
    "ycb",
    "google_scanned_objects",
    "aws_robomaker",
    "gazebo_models",
    "ms_pcf_assets",
    "urdf_models",
    "discoverse",
)
SCAN_WEIGHT = 2.5
FIELDS = {"rgb": (np.uint8, (SIDE, SIDE, 3)), "mask": (np.uint8, (SIDE, SIDE)), "front": (np.float16, (SIDE, SIDE)),
          "back": (np.float16, (SIDE, SIDE)), "elevation": (np.float32, ())}  # fmt: skip


def camera(rng: Generator) -> Camera:
    """Mostly from the front half and a little above, as people hold a phone; now and then from anywhere."""
    yaw = rng.uniform(-75, 75) if rng.random() < 0.72 else rng.uniform(-180, 180)
    kind = rng.random()
    if kind < 0.55:
        elevation = float(np.clip(rng.normal(17, 9), -5, 50))
    elif kind < 0.83:
        elevation = rng.uniform(0, 40)
    elif kind < 0.94:
        elevation = rng.uniform(30, 70)
    else:
        elevation = rng.uniform(-18, 5)
    roll = rng.normal(0, 2.5) if rng.random() < 0.4 else 0.0
    return Camera(yaw=yaw, elevation=elevation, roll=roll, fov=rng.uniform(15, 50))


def light(rng: Generator) -> Light:
    """From flat daylight to one hard lamp."""
    direction = rng.normal(size=3) * (0.7, 0.5, 0.4) + (0, 0.5, 0.6)
    lamp = rng.uniform(0.1, 1.3) * rng.uniform(0.85, 1.1, 3)
    sky = rng.uniform(0.25, 0.8) * rng.uniform(0.85, 1.1, 3)
    ground = sky * rng.uniform(0.25, 0.9)
    return Light(
        direction=(float(direction[0]), float(direction[1]), float(direction[2])),
        lamp=(float(lamp[0]), float(lamp[1]), float(lamp[2])),
        sky=(float(sky[0]), float(sky[1]), float(sky[2])),
        ground=(float(ground[0]), float(ground[1]), float(ground[2])),
        highlight=float(rng.choice([0, 0, rng.uniform(0.05, 0.8)])),
        sharpness=float(np.exp(rng.uniform(1.5, 5))),
        shadow=bool(rng.random() < 0.5),
        hollows=float(rng.choice([0, rng.uniform(0.2, 0.8)])),
        smooth=bool(rng.random() < 0.6),
        grain=(
            float(rng.choice([0, 0, rng.uniform(0.05, 0.5)])),
            float(np.exp(rng.uniform(0.7, 4))),
            rng.uniform(0, 6),
        ),
    )


def stretched(mesh: Mesh, rng: Generator) -> Mesh:
    """The object, often a little taller, wider or deeper than it was: nobody can learn thickness by heart."""
    kind = rng.random()
    if kind < 0.5:
        return mesh
    scale = np.array([1, np.exp(rng.uniform(-0.3, 0.3)), 1]) if kind < 0.8 else np.exp(rng.uniform(-0.3, 0.3, 3))
    return Mesh((mesh.positions * scale).astype(np.float32), mesh.uv, mesh.triangles, mesh.texture)


def recoloured(mesh: Mesh, rng: Generator) -> Mesh:
    """The object in other colours, at times."""
    kind = rng.random()
    if kind < 0.6:
        return mesh
    texture = mesh.texture
    if kind < 0.85:
        hsv = cv2.cvtColor(texture, cv2.COLOR_RGB2HSV)
        hsv[..., 0] = (hsv[..., 0].astype(int) + int(rng.integers(180))) % 180
        texture = np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.uint8)
    elif kind < 0.92:
        texture = 255 - texture
    else:  # one colour, so that only the light tells the shape
        texture = np.broadcast_to(rng.integers(40, 245, 3).astype(np.uint8), (1, 1, 3)).copy()
    return Mesh(mesh.positions, mesh.uv, mesh.triangles, np.ascontiguousarray(texture))


class Source:
    """Objects of the training split, and primitives, in the right proportions."""

    def __init__(self, folder: Path, split: str = "train") -> None:
        self.names = corpus.names(folder, split)
        self.meshes = [corpus.load(folder / name) for name in self.names]
        weights = np.array([SCAN_WEIGHT if name.split("/")[0] in SCANS else 1.0 for name in self.names])
        self.odds = weights / weights.sum()

    def sample(self, rng: Generator) -> tuple[View, Camera]:
        """One view with something in it."""
        while True:
            made_up = rng.random() < PRIMITIVES
            mesh = primitive(rng) if made_up else self.meshes[int(rng.choice(len(self.meshes), p=self.odds))]
            seen_by = camera(rng)
            view = render(recoloured(stretched(mesh, rng), rng), seen_by, light(rng), SIDE)
            if view is not None and float((view.mask > 0.5).mean()) > 0.01:
                return view, seen_by


def _work(folder: Path, out: Path, seed: int, numbers: range) -> None:
    cv2.setNumThreads(1)
    source = Source(folder)
    fields = {name: np.load(out / f"{name}.npy", mmap_mode="r+") for name in FIELDS}
    for number in numbers:
        view, seen_by = source.sample(np.random.default_rng((seed, number)))
        fields["rgb"][number] = view.rgb
        fields["mask"][number] = (view.mask * 255).round()
        inside = view.mask > 0.5
        fields["front"][number] = np.where(inside, view.front, 0)
        fields["back"][number] = np.where(inside, view.back, 0)
        fields["elevation"][number] = seen_by.elevation


def create(out: Path, count: int) -> dict[str, NDArray[np.generic]]:
    """Empty arrays on disk, one per field."""
    out.mkdir(parents=True, exist_ok=True)
    return {
        name: np.lib.format.open_memmap(out / f"{name}.npy", mode="w+", dtype=kind, shape=(count, *shape))
        for name, (kind, shape) in FIELDS.items()
    }


def main() -> None:
    """Render a training set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    create(options.out, options.count)
    workers = [
        multiprocessing.Process(
            target=_work,
            args=(options.corpus, options.out, options.seed, range(first, options.count, options.processes)),
        )
        for first in range(options.processes)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise SystemExit("A worker failed; the data is not complete.")


if __name__ == "__main__":
    main()
