"""A closed surface between two height maps that meet on an outline (marching triangles).

A grid is laid over the frame, each cell split into two triangles, and cut along the outline. Every triangle
keeps at least one vertex inside. The inner vertices are then doubled, one for the front and one for the
back, and those on the outline shared: every edge has exactly two triangles whatever the outline looks like,
and a hole in the subject becomes a tunnel.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .depth import Depth
from .errors import NoSubject

COARSEST = 96
# Triangles flatter than this share of a cell's edge would have no usable normal.
CLOSEST = 0.15
# Half the thickness, in frame widths, of the thinnest place.
THINNEST = 0.0008
# An island of fewer inner vertices is a crumb.
CRUMB = 4
# So many cells long, a part thinner than a cell is a wire and not a corner.
WIRE = 6


@dataclass(frozen=True)
class Surface:
    """A closed mesh, split along the outline for the texture.

    ``places`` (v, 2): x to the right and y down, 0..1 in the frame; ``positions`` (v, 3): the same with +y
    up and z to the viewer; ``normals`` (v, 3); ``triangles`` (t, 3), counter-clockwise from outside. The
    first half of the vertices and triangles is the front, the second the back, in the same order.
    """

    places: NDArray[np.float32]
    positions: NDArray[np.float32]
    normals: NDArray[np.float32]
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
    opened = cv2.morphologyEx(inside, cv2.MORPH_OPEN, _disc(0.75 * cell))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inside - opened, connectivity=8)
    long = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) >= WIRE * cell
    long[0] = False
    wires = cv2.dilate(long[labels].astype(np.float32), _disc(0.5 * cell))
    return np.asarray(np.maximum(alpha, wires), np.float32)


def _disc(radius: float) -> NDArray[np.uint8]:
    """A round structuring element of at least 3 pixels across."""
    width = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)), np.uint8)


def surface(alpha: NDArray[np.float32], depth: Depth, *, cells: int, most: int) -> Surface:
    """Mesh of a framed subject on a grid of about ``cells`` cells a side, with at most ``most`` triangles.

    ``alpha`` and the depth maps are (side, side). Raises NoSubject when nothing is thick enough.
    """
    while True:
        inner, outline, triangles = _cut_grid(alpha, cells)
        if 2 * len(triangles) <= most:
            break
        cells = min(cells - 1, int(cells * np.sqrt(most / (2 * len(triangles)))))
    if not len(triangles):
        raise NoSubject("The subject is too thin.")
    flat = np.concatenate([inner, outline])
    front = _sample(depth.front, flat)
    back = _sample(depth.back, flat)
    middle, half = (front + back) / 2, np.maximum((front - back) / 2, THINNEST)
    half[len(inner) :] = 0
    count = len(flat)
    places = np.concatenate([flat, flat])
    height = np.concatenate([middle + half, middle - half])
    positions = np.stack([places[:, 0], 1 - places[:, 1], height], axis=1).astype(np.float32)
    both = np.concatenate([triangles, triangles[:, ::-1] + count])
    # For the normals the two copies of an outline vertex are one.
    welded = np.arange(2 * count)
    welded[count + len(inner) :] = np.arange(len(inner), count)
    normals = _normals(positions, welded[both])[welded]
    return Surface(places.astype(np.float32), positions, normals, both.astype(np.uint32))


def _cut_grid(
    alpha: NDArray[np.float32], cells: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Inner vertices (i, 2), outline vertices (o, 2) and triangles over both, counter-clockwise with y up."""
    side = alpha.shape[0]
    soft = np.asarray(cv2.GaussianBlur(alpha, (0, 0), max(0.45 * side / cells, 0.3)), np.float32)
    steps = np.arange(cells + 1) / cells
    grid_x, grid_y = np.meshgrid(steps, steps)
    grid = np.stack([grid_x.ravel(), grid_y.ravel()], axis=1)
    value = _sample(soft, grid).reshape(cells + 1, cells + 1)
    value[[0, -1], :] = value[:, [0, -1]] = 0
    value[_crumbs(value > 0.5)] = 0
    flat = value.ravel()
    inside = flat > 0.5

    corners = _grid_triangles(cells)
    within = inside[corners]
    number = within.sum(axis=1)
    whole = corners[number == 3]
    # Turned so that the odd vertex comes first; turning keeps the orientation.
    tip = _turned(corners[number == 1], np.argmax(within[number == 1], axis=1))
    stump = _turned(corners[number == 2], np.argmin(within[number == 2], axis=1))
    # Grid edges that the outline crosses, from the inner to the outer end.
    edges = np.concatenate([tip[:, [0, 1]], tip[:, [0, 2]], stump[:, [1, 0]], stump[:, [2, 0]]])
    keys, crossing = np.unique(edges[:, 0] * len(flat) + edges[:, 1], return_inverse=True)
    start, end = keys // len(flat), keys % len(flat)
    share = np.clip((flat[start] - 0.5) / (flat[start] - flat[end]), CLOSEST, 1 - CLOSEST)
    outline = grid[start] + share[:, None] * (grid[end] - grid[start])

    used = np.flatnonzero(inside)
    number_of = np.full(len(flat), -1)
    number_of[used] = np.arange(len(used))
    crossing = crossing.ravel() + len(used)
    to_b, to_c, from_b, from_c = np.split(crossing, np.cumsum([len(tip), len(tip), len(stump)]))
    b, c = number_of[stump[:, 1]], number_of[stump[:, 2]]
    triangles = np.concatenate(
        [
            number_of[whole],
            np.stack([number_of[tip[:, 0]], to_b, to_c], axis=1),
            np.stack([from_b, b, c], axis=1),
            np.stack([from_b, c, from_c], axis=1),
        ]
    )
    return grid[used], outline, triangles


def _grid_triangles(cells: int) -> NDArray[np.int64]:
    """The grid's triangles (2 cells², 3), counter-clockwise with y up, diagonals alternating."""
    row, column = (part.ravel() for part in np.indices((cells, cells)))
    a = row * (cells + 1) + column  # upper left
    b, c, d = a + 1, a + cells + 1, a + cells + 2  # upper right, lower left, lower right
    even = ((row + column) % 2 == 0)[:, None]
    first = np.where(even, np.stack([a, c, d], axis=1), np.stack([a, c, b], axis=1))
    second = np.where(even, np.stack([a, d, b], axis=1), np.stack([b, c, d], axis=1))
    return np.concatenate([first, second])


def _turned(triangles: NDArray[np.int64], first: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each triangle, beginning with its vertex number ``first``."""
    order = (first[:, None] + np.arange(3)) % 3
    return np.asarray(np.take_along_axis(triangles, order, axis=1), np.int64)


def _crumbs(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which inner grid vertices belong to islands too small to have a shape."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=8)
    return np.asarray((stats[:, cv2.CC_STAT_AREA] < CRUMB)[labels] & inside, np.bool_)


def _sample(field: NDArray[np.float32], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of a picture at places 0..1, interpolated between the pixels' centres."""
    side = field.shape[0]
    at = (places * side - 0.5).astype(np.float32).reshape(-1, 1, 2)
    # cv2.remap takes at most 32,767 rows.
    blocks = [
        cv2.remap(
            field, at[i : i + 32_000, :, 0], at[i : i + 32_000, :, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        for i in range(0, len(at), 32_000)
    ]
    return np.concatenate(blocks).ravel().astype(np.float64) if blocks else np.zeros(0)


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
