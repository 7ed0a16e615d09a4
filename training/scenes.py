"""What a batch shows: random objects, how they are put together and bent, who sees them, and in what light.

All random choices are made here, on the processor, as arrays for ``views.py``, which draws them. Half of the objects
are stretched, some are bent out of shape or joined with another, and some wear another's picture, so that the
network cannot learn the objects by heart. Scene number i depends on the seed and i alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from torch.utils.data import IterableDataset, get_worker_info

from .bank import Bank
from .render import Camera, Light, rotation

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
# Shares of views: two objects in one; out of shape; another's picture all over; lying.
JOINED, BENT, DRESSED, LYING = 0.12, 0.25, 0.12, 0.04

Colours = tuple[NDArray[np.float64], NDArray[np.float64]]
"""What a texture's colours (0 to 1) are multiplied by (3, 3), and what is added (3,)."""


@dataclass(frozen=True)
class Scene:
    """``n`` views of ``o`` objects: which of the bank's each is and in whose view (o,); its factors and shift (o, 6);
    its texture (o, 4) as ``raster.cu`` wants it. Per view: turn and form (3, 3 each), bends (16), field of view and
    elevation in radians (n, 36); ``light`` (n, 40) as ``raster.cu`` numbers it, the first three left open; how dark
    hollows are (n,); ``seed`` for the noise.
    """

    objects: NDArray[np.int64]
    view_of: NDArray[np.int32]
    placing: NDArray[np.float32]
    texture: NDArray[np.int64]
    shape: NDArray[np.float32]
    light: NDArray[np.float32]
    hollows: NDArray[np.float32]
    seed: int


def camera(rng: Generator) -> Camera:
    """Mostly from the front half and a little above, as people hold a phone; now and then from anywhere."""
    yaw = rng.uniform(-65, 65) if rng.random() < 0.82 else rng.uniform(-180, 180)
    kind = rng.random()
    if kind < 0.55:
        elevation = float(np.clip(rng.normal(17, 9), -5, 50))
    elif kind < 0.85:
        elevation = rng.uniform(0, 40)
    elif kind < 0.95:
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


def recolouring(rng: Generator) -> Colours:
    """Other colours, at times."""
    kind = rng.random()
    if kind < 0.6:
        return np.eye(3), np.zeros(3)
    if kind < 0.85:  # other hues: turned about the grey axis (Rodrigues)
        angle = rng.uniform(0, 2 * np.pi)
        cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
        return np.eye(3) * np.cos(angle) + (1 - np.cos(angle)) / 3 + np.sin(angle) * cross, np.zeros(3)
    if kind < 0.92:
        return -np.eye(3), np.ones(3)
    return np.zeros((3, 3)), rng.uniform(0.15, 0.95, 3)  # one colour, so that only the light tells the shape


def stretch(rng: Generator) -> NDArray[np.float64]:
    """Factors (3,): often a little taller, wider or deeper, so that nobody can learn thickness by heart."""
    kind = rng.random()
    if kind < 0.5:
        return np.ones(3)
    if kind < 0.7:
        return np.array([1, np.exp(rng.uniform(-0.35, 0.35)), 1])
    if kind < 0.85:
        return np.array([np.exp(rng.uniform(-0.4, 0.4)), 1, 1])
    return np.asarray(np.exp(rng.uniform(-0.35, 0.35, 3)))


def bend(rng: Generator) -> NDArray[np.float64]:
    """Out of shape, (16,): twist and taper per unit of height, and two waves: reach (3), direction (3), phase."""
    if rng.random() >= BENT:
        return np.zeros(16)
    twist, taper = rng.normal(0, 0.35), rng.uniform(-0.4, 0.4)
    waves = []
    for _ in range(2):
        waves += [*rng.normal(0, 0.04, 3), *rng.normal(0, 2.5, 3), rng.uniform(0, 2 * np.pi)]
    return np.array([twist if rng.random() < 0.5 else 0, taper if rng.random() < 0.5 else 0, *waves])


def light_row(seen_in: Light, colours: Colours) -> NDArray[np.float64]:
    """The light and colours of a view (40,), as ``raster.cu`` numbers them."""
    lamp = np.array(seen_in.direction) / np.linalg.norm(seen_in.direction)
    helper = np.array([0.0, 1.0, 0.0]) if abs(lamp[1]) < 0.9 else np.array([1.0, 0.0, 0.0])
    across = np.cross(helper, lamp)
    across /= np.linalg.norm(across)
    row = np.zeros(40)
    row[3:15] = [*lamp, *seen_in.lamp, *seen_in.sky, *seen_in.ground]
    row[15:22] = [seen_in.highlight, seen_in.sharpness, seen_in.shadow, seen_in.smooth, *seen_in.grain]
    row[22:34] = [*colours[0].ravel(), *colours[1]]
    row[34:40] = [*across, *np.cross(lamp, across)]
    return row


def shape_row(
    seen_by: Camera, form: NDArray[np.float64] | None = None, bends: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """The camera and the shape of a view (36,): see ``Scene``."""
    form, bends = np.eye(3) if form is None else form, np.zeros(16) if bends is None else bends
    return np.concatenate(
        [rotation(seen_by).ravel(), form.ravel(), bends, np.deg2rad([seen_by.fov, seen_by.elevation])]
    )


def plain(bank: Bank, objects: NDArray[np.int64], cameras: list[Camera], lights: list[Light]) -> Scene:
    """These objects as they are, one a view."""
    count = len(objects)
    placing = np.concatenate([np.ones((count, 3)), np.zeros((count, 3))], axis=1)
    return Scene(
        objects=objects,
        view_of=np.arange(count, dtype=np.int32),
        placing=placing.astype(np.float32),
        texture=np.concatenate([bank.objects[objects, 3:], np.zeros((count, 1), np.int64)], axis=1),
        shape=np.stack([shape_row(seen_by) for seen_by in cameras]).astype(np.float32),
        light=np.stack([light_row(seen_in, (np.eye(3), np.zeros(3))) for seen_in in lights]).astype(np.float32),
        hollows=np.array([seen_in.hollows for seen_in in lights], np.float32),
        seed=0,
    )


class Scenes(IterableDataset[Scene]):
    """Scenes of ``count`` views without end; the workers of a loader take turns."""

    def __init__(self, bank: Bank, count: int, seed: int) -> None:
        self.count, self.seed, self.table = count, seed, bank.objects
        made_up = np.array([not name for name in bank.names])
        weights = np.array([SCAN_WEIGHT if name.split("/")[0] in SCANS else 1.0 for name in bank.names])
        weights[made_up] = 0
        odds = (1 - PRIMITIVES * made_up.any()) * weights / weights.sum()
        self.odds = odds + PRIMITIVES * made_up / max(1, made_up.sum())
        self.pictures = np.flatnonzero((bank.objects[:, 4:].min(axis=1) > 100) & ~made_up)

    def __iter__(self) -> Iterator[Scene]:
        info = get_worker_info()
        number, step = (info.id, info.num_workers) if info else (0, 1)
        while True:
            yield self.scene(np.random.default_rng((self.seed, number)))
            number += step

    def scene(self, rng: Generator) -> Scene:
        """One at random."""
        count = self.count
        joined = np.flatnonzero(rng.random(count) < JOINED)
        objects = rng.choice(len(self.odds), count + len(joined), p=self.odds)
        placing = np.concatenate([np.ones((len(objects), 3)), np.zeros((len(objects), 3))], axis=1)
        for second in range(count, len(objects)):  # the second of two: upon the first, or somewhere about it
            placing[second, :3] = rng.uniform(0.25, 0.9)
            upon = (rng.uniform(-0.3, 0.3), 0.55, rng.uniform(-0.3, 0.3))
            placing[second, 3:] = upon if rng.random() < 0.5 else rng.uniform(-0.5, 0.5, 3)
        placing[rng.random(len(objects)) < 0.5, 0] *= -1  # mirrored
        texture = np.concatenate([self.table[objects, 3:], np.zeros((len(objects), 1), np.int64)], axis=1)
        for number in np.flatnonzero(rng.random(len(objects)) < DRESSED):
            texture[number, :3] = self.table[rng.choice(self.pictures), 3:]
            texture[number, 3] = round(100 * float(np.exp(rng.uniform(-0.3, 1.2))))
        shapes, lights, hollows = [], [], []
        for _ in range(count):
            form = np.diag(stretch(rng))
            if rng.random() < LYING:
                form = form @ np.roll(np.eye(3), int(rng.integers(3)), axis=0)
            shapes.append(shape_row(camera(rng), form, bend(rng)))
            seen_in = light(rng)
            lights.append(light_row(seen_in, recolouring(rng)))
            hollows.append(seen_in.hollows)
        return Scene(
            objects=objects,
            view_of=np.concatenate([np.arange(count), joined]).astype(np.int32),
            placing=placing.astype(np.float32),
            texture=texture,
            shape=np.stack(shapes).astype(np.float32),
            light=np.stack(lights).astype(np.float32),
            hollows=np.array(hollows, np.float32),
            seed=int(rng.integers(2**62)),
        )
