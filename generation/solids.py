"""What a list of surfaces is as a body: how large, and whether it is closed. Runs inside the confined process."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from generation.accessors import Floats
from generation.geometry import Surface


def extent(parts: list[Surface]) -> tuple[float, float, float]:
    """The bounding box's sides in metres: x, y, z."""
    low = np.min([part.positions.min(axis=0) for part in parts], axis=0).astype(np.float64)
    high = np.max([part.positions.max(axis=0) for part in parts], axis=0).astype(np.float64)
    x, y, z = (high - low).tolist()
    return (x, y, z)


def watertight(parts: list[Surface]) -> bool:
    """Whether all surfaces together are closed: vertices at one place taken as one, each edge is used exactly twice,
    in opposite directions. Triangles that so become a line or a point are left out.
    """
    positions = np.concatenate([part.positions for part in parts]) + np.float32(0)  # makes -0 equal 0
    starts = np.cumsum([0, *(len(part.positions) for part in parts[:-1])])
    same = _merged(positions)
    faces = np.concatenate(
        [same[part.faces.astype(np.int64) + start] for part, start in zip(parts, starts, strict=True)]
    )
    del positions
    flat = (faces[:, 0] == faces[:, 1]) | (faces[:, 1] == faces[:, 2]) | (faces[:, 2] == faces[:, 0])
    faces = faces[~flat]
    if not len(faces):
        return False
    start = faces.ravel()
    end = np.roll(faces, -1, axis=1).ravel()
    count = np.int64(len(same))
    there, back = np.sort(start * count + end), np.sort(end * count + start)
    return bool((there[1:] != there[:-1]).all() and np.array_equal(there, back))


def _merged(positions: Floats) -> npt.NDArray[np.int64]:
    """For each position a number, the same for equal positions."""
    bits = np.ascontiguousarray(positions).view(np.uint32).astype(np.uint64)
    mixed = bits[:, 0] * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= (mixed >> np.uint64(29)) + bits[:, 1] * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= (mixed >> np.uint64(31)) + bits[:, 2] * np.uint64(0x94D049BB133111EB)
    same: npt.NDArray[np.int64]
    _, first, same = np.unique(mixed, return_index=True, return_inverse=True)
    if np.array_equal(positions[first[same]], positions):
        return same
    # Two places with one hash: somebody tried, or one chance in billions. The slow way is always right.
    _, same = np.unique(positions, axis=0, return_inverse=True)
    return same.reshape(-1)
