"""Thinning: fewer triangles where both sheets are flat, so that they suffice for outline, walls and bumps.

The diagonals alternate, so every other grid vertex has just four triangles around it, a square standing on its
corner, and each triangle has just one such vertex. Any of them can go, and two triangles fill the square: its
rim is unchanged, so the sheets stay closed whichever go. Those go first whose absence moves the sheets least.
"""

from dataclasses import replace

import numpy as np

from .marching import Flags, Indices
from .sheets import Sheet


def thin(front: Sheet, back: Sheet, shared: slice, cells: int, most: int) -> tuple[Sheet, Sheet, slice] | None:
    """The sheets with at most so many triangles together; None where flat places do not suffice.

    ``shared`` are the vertices both have, as sheets() gives them: those before are the grid's inner ones.
    """
    inner = shared.start
    column, row = np.rint(front.at[:inner] * cells).astype(np.int64).T
    odd = (row + column) % 2 == 1
    number = np.full((cells + 3, cells + 3), -1)
    number[row, column] = np.arange(inner)
    around = np.stack(
        [number[row, column - 1], number[row, column + 1], number[row - 1, column], number[row + 1, column]]
    )
    free = odd & (_squares(front, odd) == 4) & (_squares(back, odd) == 4)
    candidates = np.flatnonzero(free)
    surplus = -(-(len(front) + len(back) - most) // 4)
    if surplus > len(candidates):
        return None
    left, right, up, down = around[:, candidates]
    across, along = (
        np.maximum(
            *(
                np.abs(sheet.heights[candidates] - (sheet.heights[one] + sheet.heights[other]) / 2)
                for sheet in (front, back)
            )
        )
        for one, other in ((left, right), (up, down))
    )
    chosen = np.argsort(np.minimum(across, along), kind="stable")[:surplus]
    flat = (across <= along)[chosen]
    left, right, up, down = (part[chosen] for part in (left, right, up, down))
    first = np.where(flat[:, None], np.stack([left, right, up], axis=1), np.stack([up, left, down], axis=1))
    second = np.where(flat[:, None], np.stack([left, down, right], axis=1), np.stack([up, down, right], axis=1))
    filled = np.concatenate([first, second])
    gone = candidates[chosen]
    return (
        _without(front, gone, filled),
        _without(back, gone, filled),
        slice(inner - len(gone), shared.stop - len(gone)),
    )


def _squares(sheet: Sheet, odd: Flags) -> Indices:
    """Number (inner,) of uncut triangles around each inner vertex of the odd ones."""
    inner = len(odd)
    whole = sheet.pieces[(sheet.pieces < inner).all(axis=1)]
    return np.asarray(np.bincount(whole[odd[whole]], minlength=inner), np.int64)


def _without(sheet: Sheet, gone: Indices, filled: Indices) -> Sheet:
    """The sheet without some vertices, and with the triangles that fill their squares."""
    kept = np.ones(len(sheet.at), np.bool_)
    kept[gone] = False
    number = np.cumsum(kept) - 1
    pieces = np.concatenate([sheet.pieces[kept[sheet.pieces].all(axis=1)], filled])
    return replace(
        sheet,
        at=sheet.at[kept],
        places=sheet.places[kept],
        heights=sheet.heights[kept],
        pieces=number[pieces],
        walls=number[sheet.walls],
    )
