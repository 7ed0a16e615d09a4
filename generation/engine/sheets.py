"""The two sheets of a surface, front and back, over one grid.

Both are cut along the same outline, and each along its own steps. Where at a step there is air between the
near part and the far one, both sheets are cut alike and share the vertices of the cut, as on the outline;
where the subject is solid there, a wall joins the two depths. Where it is thick on the outline itself, a strip
leads from each sheet to the outline they share, half-way.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .marching import Flags, Grid, Indices, cut, grid, sound
from .parts import parts
from .rim import side_height
from .sampling import Values, blurred, pixel, sample, smallest_near
from .steps import JUMP, apart

# Triangles flatter than this share of a cell's edge would have no usable normal.
CLOSEST = 0.15
# Half the thickness, in frame widths, of the thinnest place.
THINNEST = 0.0008
# An island of fewer inner vertices is a crumb.
CRUMB = 4
# A lower side than this, in frame widths, is none.
SIDE = 0.006
# A wall has the colours at its foot, from so far beside it; a side those at its edge; over at most such a width.
BESIDE = 0.004
UNFOLDED = 0.05


@dataclass(frozen=True)
class Maps:
    """The subject to be meshed, all (side, side): outline, depths, share of the thickness left at the rim, steps."""

    alpha: NDArray[np.float32]
    front: NDArray[np.float32]
    back: NDArray[np.float32]
    share: NDArray[np.float32]
    stepped: NDArray[np.bool_]


@dataclass(frozen=True)
class Sheet:
    """Vertices ``at`` (v, 2) in the frame, coloured as at ``places`` (v, 2), ``heights`` (v,); triangles (n, 3).

    The triangles are counter-clockwise seen from the front; ``walls`` have vertices of their own.
    """

    at: Values
    places: Values
    heights: Values
    pieces: Indices
    walls: Indices

    def __len__(self) -> int:
        return len(self.pieces) + len(self.walls)


@dataclass(frozen=True)
class _Common:
    """What both sheets have: the grid, and vertices inside, on the outline, and twice on every cut through both.

    ``inside`` (grid vertices); ``through`` (e,): the edges cut through both sheets; ``at`` and ``heights``: the
    vertices, of which the first ``inner`` may be of another height in either sheet; ``at_start`` and ``at_end``
    (e,): the numbers of those on an edge; ``high`` (h,): the edges where the outline has a side of its own, half
    of it ``halves`` (h,) high.
    """

    inside: Flags
    mesh: Grid
    through: Flags
    at: Values
    heights: Values
    inner: int
    at_start: Indices
    at_end: Indices
    high: Indices
    halves: Values


def sheets(maps: Maps, cells: int) -> tuple[Sheet, Sheet, slice]:
    """Front and back over a grid of so many cells a side, and which of their vertices are the same."""
    points, value = _grid_values(maps.alpha, cells)
    front, back, share = _depths(maps, points)
    middle, half = (front + back) / 2, np.maximum((front - back) / 2 * share, THINNEST)
    for attempt in range(2):
        inside = value > 0.5
        mesh = grid(cells, inside)
        start, end = mesh.ends.T
        joined = inside[start] & inside[end]
        near = joined & _near_steps(maps.stepped, points, mesh.ends, cells)
        gap = near & apart(front[start], back[start], front[end], back[end])
        if attempt or not gap.any():
            break
        # What is left between cuts can be a crumb too.
        part = parts(len(points), mesh.ends[joined & ~gap])
        value[inside & (np.bincount(part)[part] < CRUMB)] = 0
    through, free = sound(mesh, inside, gap)
    free &= near & ~gap
    blur = 0.45 * len(maps.alpha) / cells
    soft = [blurred(field, blur) for field in (maps.front, maps.back)]
    cuts = _crossings(soft[0], front, points, mesh.ends, through)
    common = _common(maps, points, value, mesh, through, middle, cuts)
    made = []
    for sign, field, smooth, depths in ((1, maps.front, soft[0], front), (-1, maps.back, soft[1], back)):
        heights = middle + sign * half
        steps = free & (np.abs(heights[start] - heights[end]) > JUMP)
        own = _crossings(smooth, depths, points, mesh.ends, steps)
        made.append(_sheet(common, heights, steps, own, field, maps.alpha, sign))
    return made[0], made[1], slice(common.inner, len(common.at))


def _common(
    maps: Maps, points: Values, value: Values, mesh: Grid, through: Flags, middle: Values, cuts: Values
) -> _Common:
    """The vertices both sheets have; ``cuts`` is where the edges cut through both are cut."""
    inside = value > 0.5
    start, end = mesh.ends.T
    outline = np.flatnonzero(inside[start] != inside[end])
    inner = np.where(inside[start], start, end)[outline]
    outer = (start + end)[outline] - inner
    share = np.clip((value[inner] - 0.5) / (value[inner] - value[outer]), CLOSEST, 1 - CLOSEST)
    rim = points[inner] + share[:, None] * (points[outer] - points[inner])
    front, back, _ = _depths(maps, rim)
    thickness = sample(smallest_near(maps.front - maps.back), rim)
    # Beside a step the other part might be found.
    strays = np.abs((front + back) / 2 - middle[inner]) > JUMP
    rim_heights = np.where(strays, middle[inner], (front + back) / 2)
    sides = np.where(strays, 0, side_height(thickness))
    # A cut that comes out at the outline closes only if the sheets meet there.
    cut_open = through[mesh.edges].any(axis=1) & ~inside[mesh.corners].all(axis=1)
    met = np.zeros(len(mesh.ends), np.bool_)
    met[mesh.edges[cut_open]] = True
    high = (sides > SIDE) & ~met[outline]

    used = np.flatnonzero(inside)
    at_start, at_end = np.full((2, len(mesh.ends)), -1)
    first = len(used)
    at_start[outline] = at_end[outline] = first + np.arange(len(outline))
    first += len(outline)
    at_start[through] = first + np.arange(len(cuts))
    at_end[through] = first + len(cuts) + np.arange(len(cuts))
    at = np.concatenate([points[used], rim, cuts, cuts])
    heights = np.concatenate([middle[used], rim_heights, middle[start[through]], middle[end[through]]])
    return _Common(inside, mesh, through, at, heights, len(used), at_start, at_end, outline[high], sides[high] / 2)


def _sheet(
    common: _Common,
    depths: Values,
    steps: Flags,
    own: Values,
    field: NDArray[np.float32],
    alpha: NDArray[np.float32],
    sign: int,
) -> Sheet:
    """The sheet of such ``depths`` (grid vertices), with walls at its own ``steps`` (e,), cut at ``own``.

    ``field`` (side, side) is its depth map; ``sign`` is 1 for the front, -1 for the back.
    """
    start, end = common.mesh.ends.T
    used = np.flatnonzero(common.inside)
    shared = len(common.at)
    at_start, at_end = common.at_start.copy(), common.at_end.copy()
    edge = at_start[common.high]
    at_start[common.high] = at_end[common.high] = shared + np.arange(len(edge))
    first = shared + len(edge)
    at_start[steps] = first + np.arange(len(own))
    at_end[steps] = first + len(own) + np.arange(len(own))
    at = np.concatenate([common.at, common.at[edge], own, own])
    raised = common.heights[edge] + sign * common.halves
    heights = np.concatenate([common.heights, raised, depths[start[steps]], depths[end[steps]]])
    heights[: len(used)] = depths[used]
    corners = np.full(len(common.inside), -1)
    corners[used] = np.arange(len(used))
    cuts = common.through | steps
    pieces, walls, border = cut(common.mesh, common.inside, cuts, corners, at_start, at_end)
    # A wall of shared vertices only stands in both sheets, and so in neither.
    walls = walls[~((walls >= len(used)) & (walls < shared)).all(axis=1)]
    copied, walls = np.unique(walls, return_inverse=True)
    walls = walls.reshape(-1, 3) + len(at)

    below = np.arange(len(at))
    below[shared:first] = edge
    places = at.copy()
    places[edge] = _inward(at[edge], common.halves, alpha)
    foot = at[copied]
    if len(copied):
        rise = np.full(len(at), np.nan)
        rise[at_start[cuts]] = sign * (heights[at_start[cuts]] - heights[at_end[cuts]])
        rise[at_end[cuts]] = -rise[at_start[cuts]]
        foot = _foot(foot, rise[copied], field, alpha, sign)
    return Sheet(
        np.concatenate([at, at[copied]]),
        np.concatenate([places, foot]),
        np.concatenate([heights, heights[copied]]),
        np.concatenate([pieces, _strip(border, below)]),
        walls,
    )


def _strip(border: Indices, below: Indices) -> Indices:
    """Triangles (n, 3) from the ``border`` (b, 2) of a sheet to the vertices ``below`` (v,) its own."""
    one, two = border.T
    upper = np.stack([two, one, below[one]], axis=1)[below[one] != one]
    lower = np.stack([two, below[one], below[two]], axis=1)[below[two] != two]
    return np.concatenate([upper, lower])


def _inward(at: Values, height: Values, alpha: NDArray[np.float32]) -> Values:
    """Where (k, 2) the colours half-way down a side come from: as far from the outline ``at`` as it is high."""
    inward = _direction(blurred(alpha, BESIDE * len(alpha)), at)
    far = at + np.minimum(height, UNFOLDED)[:, None] * inward
    near = at + BESIDE * inward
    return np.where((alpha[pixel(far, len(alpha))] > 0.5)[:, None], far, near)


def _direction(field: NDArray[np.float32], at: Values) -> Values:
    """Unit vectors (k, 2) of the steepest rise of a picture."""
    slope = np.stack(
        [sample(np.asarray(cv2.Sobel(field, cv2.CV_32F, *axis), np.float32), at) for axis in ((1, 0), (0, 1))], axis=1
    )
    return np.asarray(slope / np.maximum(np.hypot(slope[:, 0], slope[:, 1]), 1e-12)[:, None])


def _foot(at: Values, rise: Values, field: NDArray[np.float32], alpha: NDArray[np.float32], sign: int) -> Values:
    """Where (k, 2) the colours of a wall's vertices come from: the ground before the wall, unfolded.

    ``rise`` (k,) is how far each stands above its fellow across the step, NaN where it has none.
    """
    down = -sign * _direction(blurred(field, BESIDE * len(field)), at)
    near = at + BESIDE * down
    far = near + np.clip(np.nan_to_num(rise), 0, UNFOLDED)[:, None] * down
    there, here = pixel(far, len(field)), pixel(near, len(field))
    level = np.abs(field[there] - field[here]) < np.abs(rise) / 2
    found = np.where((level & (alpha[there] > 0.5))[:, None], far, near)
    known = np.isfinite(rise) & (alpha[here] > 0.5)
    return np.where(known[:, None], found, at)


def _crossings(soft: NDArray[np.float32], depths: Values, points: Values, ends: Indices, steps: Flags) -> Values:
    """Where (k, 2) the edges ``steps`` (e,) cross a step: where the blurred map is between the ends' depths."""
    start, end = ends[steps].T
    from_start, from_end = sample(soft, points[start]), sample(soft, points[end])
    fall = from_start - from_end
    along = (depths[start] - depths[end]) * fall > 0
    share = (from_start - (depths[start] + depths[end]) / 2) / np.where(along, fall, 1)
    share = np.clip(np.where(along, share, 0.5), CLOSEST, 1 - CLOSEST)
    return np.asarray(points[start] + share[:, None] * (points[end] - points[start]))


def _near_steps(stepped: Flags, points: Values, ends: Indices, cells: int) -> Flags:
    """Which edges (e,) run near a step."""
    if not stepped.any():
        return np.zeros(len(ends), np.bool_)
    reach = int(np.ceil(0.75 * len(stepped) / cells))
    near = cv2.dilate(stepped.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    return np.asarray(near[pixel((points[ends[:, 0]] + points[ends[:, 1]]) / 2, len(near))] > 0, np.bool_)


def _grid_values(alpha: NDArray[np.float32], cells: int) -> tuple[Values, Values]:
    """The grid's vertices ((cells + 1)², 2) and how far inside each is: more than 0.5 is inside."""
    soft = blurred(alpha, max(0.45 * len(alpha) / cells, 0.3))
    steps = np.arange(cells + 1) / cells
    points = np.stack([part.ravel() for part in np.meshgrid(steps, steps)], axis=1)
    value = sample(soft, points).reshape(cells + 1, cells + 1)
    value[[0, -1], :] = value[:, [0, -1]] = 0
    value[_crumbs(value > 0.5)] = 0
    return points, value.ravel()


def _crumbs(inside: Flags) -> Flags:
    """Which inner grid vertices belong to islands too small to have a shape."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=8)
    return np.asarray((stats[:, cv2.CC_STAT_AREA] < CRUMB)[labels] & inside, np.bool_)


def _depths(maps: Maps, places: Values) -> tuple[Values, Values, Values]:
    """Front, back and share at places (k, 2): between pixels, but beside a step from one side only."""
    fields = (maps.front, maps.back, maps.share)
    smooth = sample(np.stack(fields, axis=2), places)
    if maps.stepped.any():
        beside = sample(maps.stepped.astype(np.float32), places) > 0
        smooth[beside] = np.stack([field[pixel(places[beside], len(field))] for field in fields], axis=1)
    return smooth[:, 0], smooth[:, 1], smooth[:, 2]
