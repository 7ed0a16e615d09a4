"""Test pictures: each object of a split as its truth and one picture of it, the way ``data/groundtruth`` has them.

    python -m training.pictures CORPUS OUT [--split val] [--seed 1] [--side 1024]

``OUT`` gets, per object, NAME.glb (the corpus's file as it is) and NAME.png (RGBA on a transparent background), and
cameras.json for all. "/" in a name becomes "__". The cameras: half from the left, half from the right, a little
above, as people hold a phone; one lamp and sky light, no shadows. An object's picture depends on the seed and its
name alone.
"""

from __future__ import annotations

import argparse
import json
import shutil
import zlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from . import corpus
from .corpus import Mesh
from .render import Camera, Light, View, render, rotation

YAW = (25.0, 40.0)
"""Degrees to either side."""
ELEVATION = (5.0, 30.0)
FOV = 30.0


def camera(seed: int, name: str) -> Camera:
    """Where the object of that name is seen from."""
    rng = np.random.default_rng((seed, zlib.crc32(name.encode())))
    side = rng.choice([-1, 1])
    return Camera(yaw=round(side * rng.uniform(*YAW), 1), elevation=round(rng.uniform(*ELEVATION), 1), fov=FOV)


def distance(mesh: Mesh, seen_from: Camera) -> float:
    """From the camera to the middle of the object's box, in the object's unit, as ``render`` chooses it."""
    points = mesh.positions @ rotation(seen_from).T
    points -= (points.max(axis=0) + points.min(axis=0)) / 2
    return float(np.linalg.norm(points, axis=1).max() / np.sin(np.deg2rad(seen_from.fov) / 2))


def picture(view: View) -> NDArray[np.uint8]:
    """The view (side, side, 4), blue first as OpenCV writes it, alpha last."""
    alpha = (view.mask * 255).round().astype(np.uint8)
    return np.dstack([view.rgb[..., ::-1], alpha])


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--split", default="val", choices=("train", "val"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--side", type=int, default=1024)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    cameras = {}
    for name in corpus.names(options.corpus, options.split):
        mesh = corpus.load(options.corpus / name)
        seen_from = camera(options.seed, name)
        view = render(mesh, seen_from, Light(), options.side)
        assert view is not None, f"{name} cannot be seen"
        flat = name.removesuffix(".glb").replace("/", "__")
        shutil.copyfile(options.corpus / name, options.out / f"{flat}.glb")
        cv2.imwrite(str(options.out / f"{flat}.png"), picture(view))
        cameras[flat] = {
            "yaw_deg": seen_from.yaw,
            "elevation_deg": seen_from.elevation,
            "fov_deg": seen_from.fov,
            "distance": round(distance(mesh, seen_from), 4),
            "faces": len(mesh.triangles),
            "size_px": options.side,
        }
    (options.out / "cameras.json").write_text(json.dumps(cameras, indent=1) + "\n")


if __name__ == "__main__":
    main()
