"""Marching triangles: a grid's triangles, cut along the outline and along steps.

On a grid edge that crosses the outline lies one new vertex. On one that crosses a step lie two, at one place
but of different depths, one for either end. In a cut triangle each corner keeps its own piece, and between
the pieces stands a wall from the one depth to the other; so a cut sheet is as closed as an uncut one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class _Case:
    """What a triangle of one kind consists of: pieces, walls, and the pieces' side on the outline.

    Numbers 0 1 2 are its corners, the odd one first; then come the vertices on its edges 01, 12 and 20, two on
    each, of which the first belongs to the corner before and the second to the one after.
    """

    pieces: list[list[int]]
    walls: list[list[int]]
    border: list[int] | None = None


UNCUT = _Case([[0, 1, 2]], [])
END_OF_STEP = _Case([[0, 1, 5], [0, 6, 2]], [[0, 5, 6]])
STEP = _Case([[0, 3, 8], [4, 1, 2], [4, 2, 7]], [[3, 4, 7], [3, 7, 8]])
CORNER_OF_STEPS = _Case([[0, 3, 8], [1, 5, 4], [2, 7, 6]], [[3, 4, 5], [3, 5, 6], [3, 6, 7], [3, 7, 8]])
ONE_INSIDE = _Case([[0, 3, 8]], [], [3, 8])
ONE_OUTSIDE = _Case([[4, 1, 2], [4, 2, 7]], [], [7, 4])
STEP_TO_OUTLINE = _Case([[4, 1, 5], [6, 2, 7]], [[4, 5, 6], [4, 6, 7]], [7, 4])


@dataclass(frozen=True)
class Grid:
    """Triangles (t, 3) over (cells + 1)² vertices, counter-clockwise with y up, and the edges on their sides.

    Edge i of a triangle joins its corners i and i + 1; ``ends`` (e, 2) are the vertices an edge joins.
    """

    corners: Indices
    edges: Indices
    ends: Indices


def grid(cells: int, inside: Flags) -> Grid:
    """The triangles with a corner inside; diagonals alternate, so that no direction is favoured."""
    row, column = (part.ravel() for part in np.indices((cells, cells)))
    width = cells + 1
    a = row * width + column  # upper left
    b, c, d = a + 1, a + width, a + width + 1  # upper right, lower left, lower right
    even = ((row + column) % 2 == 0)[:, None]
    corners = np.concatenate(
        [
            np.where(even, np.stack([a, c, d], axis=1), np.stack([a, c, b], axis=1)),
            np.where(even, np.stack([a, d, b], axis=1), np.stack([b, c, d], axis=1)),
        ]
    )
    # Numbers of a cell's edges: from a to the right, from a down, across; and those of the next cells.
    across = width * width
    down, slanting = a + across, a + 2 * across
    edges = np.concatenate(
        [
            np.where(even, np.stack([down, c, slanting], axis=1), np.stack([down, slanting, a], axis=1)),
            np.where(even, np.stack([slanting, down + 1, a], axis=1), np.stack([slanting, c, down + 1], axis=1)),
        ]
    )
    kept = inside[corners].any(axis=1)
    corners, edges = corners[kept], edges[kept]
    used = np.zeros(3 * across, np.bool_)
    used[edges] = True
    number = np.cumsum(used) - 1
    numbers = np.flatnonzero(used)
    kind, first = numbers // across, numbers % across
    falling = (first // width + first % width) % 2 == 0
    start = first + ((kind == 2) & ~falling)
    end = first + np.choose(kind, [1, width, width + falling])
    return Grid(corners, number[edges], np.stack([start, end], axis=1))


def cut(
    mesh: Grid, inside: Flags, steps: Flags, corners: Indices, at_start: Indices, at_end: Indices
) -> tuple[Indices, Indices, Indices]:
    """One sheet's pieces (p, 3), walls (w, 3) and sides on the outline (b, 2), over the numbers of its vertices.

    ``inside`` (grid vertices); ``steps`` (e,): which edges between inner vertices are cut; ``corners`` (grid
    vertices), ``at_start`` and ``at_end`` (e,): the numbers of their vertices, the latter two being equal on
    the outline.
    """
    starts = mesh.ends[mesh.edges, 0] == mesh.corners
    before = np.where(starts, at_start[mesh.edges], at_end[mesh.edges])
    after = np.where(starts, at_end[mesh.edges], at_start[mesh.edges])
    sides = np.stack([before, after], axis=2).reshape(-1, 6)
    slots = np.concatenate([corners[mesh.corners], sides], axis=1)
    within, stepped = inside[mesh.corners], steps[mesh.edges]
    number, breaks = within.sum(axis=1), stepped.sum(axis=1)
    none = np.zeros(len(slots), np.int64)
    # The corner opposite edge i is i + 2.
    opposite_cut, opposite_whole = (np.argmax(stepped, axis=1) + 2) % 3, (np.argmin(stepped, axis=1) + 2) % 3
    lone = np.argmax(within, axis=1)
    missing = np.argmin(within, axis=1)
    cases = [
        ((number == 3) & (breaks == 0), none, UNCUT),
        ((number == 3) & (breaks == 1), opposite_cut, END_OF_STEP),
        ((number == 3) & (breaks == 2), opposite_whole, STEP),
        ((number == 3) & (breaks == 3), none, CORNER_OF_STEPS),
        (number == 1, lone, ONE_INSIDE),
        ((number == 2) & (breaks == 0), missing, ONE_OUTSIDE),
        ((number == 2) & (breaks == 1), missing, STEP_TO_OUTLINE),
    ]
    pieces, walls, borders = [], [], []
    for chosen, first, case in cases:
        turned = _turned(slots[chosen], first[chosen])
        pieces += [turned[:, face] for face in case.pieces]
        walls += [turned[:, face] for face in case.walls]
        borders += [turned[:, case.border]] if case.border else []
    return np.concatenate(pieces), np.concatenate(walls), np.concatenate(borders)


def _turned(slots: Indices, first: Indices) -> Indices:
    """Each triangle, beginning with its corner number ``first``; turning keeps the orientation."""
    turns = np.array([[*np.roll(range(3), -turn), *np.roll(range(3, 9), -2 * turn)] for turn in range(3)])
    return np.asarray(np.take_along_axis(slots, turns[first], axis=1), np.int64)


def sound(mesh: Grid, inside: Flags, through: Flags) -> tuple[Flags, Flags]:
    """Which of the edges (e,) can be cut ``through`` both sheets, and which a single sheet may be cut at.

    Where both sheets are cut alike, their walls coincide and both vanish. So a cut must open a triangle on at
    least one side of every edge; and where two sides of a triangle are cut through, the third must be whole or
    cut through too.
    """
    opens = (through[mesh.edges].sum(axis=1) >= 2) | ~inside[mesh.corners].all(axis=1)
    opened = np.zeros(len(through), np.bool_)
    opened[mesh.edges[opens]] = True
    through = through & opened
    pairs = mesh.edges[through[mesh.edges].sum(axis=1) == 2]
    free = ~through
    free[pairs] = False
    return through, free
