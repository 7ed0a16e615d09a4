"""A closed surface between two height maps.

Front and back are two sheets over one grid (sheets.py) that share their vertices on the outline and on the
cuts through both. Every edge has exactly two triangles whatever the outline looks like, a hole in the subject
becomes a tunnel, and parts with air between them hang together only where they touch.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import TooThin
from .rim import rim
from .sampling import disc
from .sheets import Maps, Sheet, sheets
from .steps import Steps, air
from .thinning import thin

COARSEST = 96
# So many cells long, a part thinner than a cell is a wire and not a corner.
WIRE = 6
# Triangles grow with the square of the cells a side on the sheets, but less along outlines and walls.
SHRINK = 0.6


@dataclass(frozen=True)
class Surface:
    """A closed mesh, split along the outline and the edges of walls for texture and light.

    ``places`` (v, 2): where in the frame each vertex has its colour from, x to the right and y down, 0..1;
    ``positions`` (v, 3): the same unit with +y up and z to the viewer; ``normals`` (v, 3); ``behind`` (v,):
    which vertices are the back's; ``triangles`` (t, 3), counter-clockwise from outside.
    """

    places: NDArray[np.float32]
    positions: NDArray[np.float32]
    normals: NDArray[np.float32]
    behind: NDArray[np.bool_]
    triangles: NDArray[np.uint32]


def grid_cells(alpha: NDArray[np.float32], *, most: int, finest: int) -> int:
    """Cells along a side of the grid that gives a framed subject about ``most`` triangles."""
    fill = max(float((alpha > 0.5).mean()), 1e-4)
    return int(np.clip(np.sqrt(most / (4 * fill)), COARSEST, finest))


def thicken(alpha: NDArray[np.float32], cells: int) -> NDArray[np.float32]:
    """``alpha`` (side, side) with its wires made just thick enough for a grid of so many cells a side.

    A wire is what vanishes when the outline is opened by a cell's width, if it is far longer than wide.
    """
    cell = alpha.shape[0] / cells
    inside = (alpha > 0.5).astype(np.uint8)
    opened = cv2.morphologyEx(inside, cv2.MORPH_OPEN, disc(0.75 * cell))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inside - opened, connectivity=8)
    long = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) >= WIRE * cell
    long[0] = False
    wires = cv2.dilate(long[labels].astype(np.float32), disc(0.5 * cell))
    return np.asarray(np.maximum(alpha, wires), np.float32)


def surface(alpha: NDArray[np.float32], steps: Steps, *, cells: int, most: int) -> Surface:
    """Mesh of a framed subject on a grid of about ``cells`` cells a side, with at most ``most`` triangles.

    ``alpha`` and the maps of ``steps`` are (side, side). Raises TooThin when nothing is thick enough.
    """
    share = rim(alpha, steps.front - steps.back, air(steps))
    maps = Maps(alpha, steps.front, steps.back, share, steps.stepped)
    while True:
        front, back, shared = sheets(maps, cells)
        count = len(front) + len(back)
        if count <= most:
            break
        thinned = thin(front, back, shared, cells, most)
        if thinned is not None:
            front, back, shared = thinned
            break
        cells = min(cells - 1, int(cells * (most / count) ** SHRINK))
    if not count:
        raise TooThin("The subject is too thin.")
    return _joined(front, back, shared)


def _joined(front: Sheet, back: Sheet, shared: slice) -> Surface:
    """Both sheets as one mesh; the vertices numbered ``shared`` are the same in both."""
    first = len(front.at)
    at = np.concatenate([front.at, back.at])
    heights = np.concatenate([front.heights, back.heights])
    positions = np.stack([at[:, 0], 1 - at[:, 1], heights], axis=1).astype(np.float32)
    behind = np.concatenate([back.pieces, back.walls])[:, ::-1] + first
    triangles = np.concatenate([front.pieces, front.walls, behind])
    # For the normals the two copies of a shared vertex are one.
    welded = np.arange(len(at))
    welded[first:][shared] = welded[shared]
    return Surface(
        places=np.concatenate([front.places, back.places]).astype(np.float32),
        positions=positions,
        normals=_normals(positions, welded[triangles])[welded],
        behind=np.arange(len(at)) >= first,
        triangles=triangles.astype(np.uint32),
    )


def _normals(positions: NDArray[np.float32], triangles: NDArray[np.int64]) -> NDArray[np.float32]:
    """Unit normals (v, 3), each the mean of its triangles' weighted by area."""
    a, b, c = (positions[triangles[:, corner]].astype(np.float64) for corner in range(3))
    faces = np.cross(b - a, c - a)
    sums = np.stack(
        [
            sum(np.bincount(triangles[:, corner], faces[:, axis], len(positions)) for corner in range(3))
            for axis in range(3)
        ],
        axis=1,
    )
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    sums = np.where(lengths > 1e-20, sums / np.maximum(lengths, 1e-20), (0.0, 0.0, 1.0))
    return sums.astype(np.float32)
