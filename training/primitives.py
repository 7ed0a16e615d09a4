"""Objects made up at random, for shapes the corpus has too few of: turned things, box furniture, creatures.

Parts overlap freely: the renderer keeps the nearest and the farthest surface only.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .corpus import Mesh

Part = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int32]]  # positions, uv, triangles
CELLS = 6  # colours of one object, side by side in its texture
CELL = 64


def primitive(rng: Generator) -> Mesh:
    """A random object, longest side 1."""
    parts = [_turned, _furniture, _creature, _stack][rng.choice(4, p=[0.4, 0.25, 0.2, 0.15])](rng)
    positions = np.concatenate([part[0] for part in parts])
    offsets = np.cumsum([0] + [len(part[0]) for part in parts[:-1]])
    triangles = np.concatenate([part[2] + offset for part, offset in zip(parts, offsets, strict=True)])
    uv = np.concatenate([part[1] for part in parts])
    low, high = positions.min(axis=0), positions.max(axis=0)
    positions = (positions - (low + high) / 2) / (high - low).max()
    return Mesh(positions.astype(np.float32), uv.astype(np.float32), triangles.astype(np.int32), _texture(rng))


def _texture(rng: Generator) -> NDArray[np.uint8]:
    """Cells of one colour each, plain, cloudy, striped or spotted."""
    cells = []
    for _ in range(CELLS):
        colours = rng.uniform(10, 250, (2, 3))
        kind = rng.choice(4, p=[0.4, 0.3, 0.2, 0.1])
        if kind == 0:
            share = np.zeros((CELL, CELL))
        elif kind == 1:
            share = np.asarray(cv2.GaussianBlur(rng.random((CELL, CELL)), (0, 0), float(rng.uniform(1, 6))), float)
            share = (share - share.min()) / np.ptp(share)
        elif kind == 2:
            across = np.arange(CELL) * rng.integers(2, 9) // CELL % 2
            share = np.broadcast_to(across[:, None] if rng.random() < 0.7 else across[None], (CELL, CELL))
        else:
            share = (cv2.GaussianBlur(rng.random((CELL, CELL)), (0, 0), 3) > 0.52).astype(float)
        cells.append(colours[0] + share[..., None] * (colours[1] - colours[0]))
    return np.concatenate(cells, axis=1).astype(np.uint8)


def _place(uv: NDArray[np.float64], cell: int) -> NDArray[np.float64]:
    """Texture coordinates 0..1 moved into one cell of the texture."""
    return np.stack([(cell + 0.02 + 0.96 * uv[:, 0]) / CELLS, 0.02 + 0.96 * uv[:, 1]], axis=1)


def _sheet(points: NDArray[np.float64], cell: int) -> Part:
    """A grid of points (rows, columns, 3) as triangles."""
    rows, columns = points.shape[:2]
    v, u = np.meshgrid(np.linspace(0, 1, rows), np.linspace(0, 1, columns), indexing="ij")
    uv = _place(np.stack([u.ravel(), v.ravel()], axis=1), cell)
    row, column = (index.ravel() for index in np.indices((rows - 1, columns - 1)))
    a = row * columns + column
    quads = np.stack([a, a + columns, a + 1, a + 1, a + columns, a + columns + 1], axis=1)
    return points.reshape(-1, 3), uv, quads.reshape(-1, 3).astype(np.int32)


def _lathe(profile: NDArray[np.float64], cell: int, *, sides: int = 40, squash: float = 1.0) -> Part:
    """A profile (n, 2; radius, height) turned about the y axis."""
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    ring = np.stack([np.cos(angle), np.zeros_like(angle), squash * np.sin(angle)], axis=1)
    points = profile[:, None, :1] * ring + np.array([0, 1, 0]) * profile[:, None, 1:]
    return _sheet(points, cell)


def _ball(centre: NDArray[np.float64], radii: NDArray[np.float64], cell: int, *, power: float = 1.0) -> Part:
    """A superellipsoid (Barr 1981); ``power`` 1 is an ellipsoid, towards 0 a box."""

    def rounded(value: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.sign(value) * np.abs(value) ** power)

    v, u = np.meshgrid(np.linspace(-np.pi / 2, np.pi / 2, 20), np.linspace(0, 2 * np.pi, 33), indexing="ij")
    points = np.stack(
        [rounded(np.cos(v)) * rounded(np.cos(u)), rounded(np.sin(v)), rounded(np.cos(v)) * rounded(np.sin(u))], -1
    )
    return _sheet(points * radii + centre, cell)


def _box(low: NDArray[np.float64], high: NDArray[np.float64], cell: int) -> Part:
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    points = np.concatenate([corners[list(face)] for face in faces]) * (high - low) + low
    uv = _place(np.tile(np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float), (6, 1)), cell)
    triangles = np.concatenate([[[4 * f, 4 * f + 1, 4 * f + 2], [4 * f, 4 * f + 2, 4 * f + 3]] for f in range(6)])
    return points, uv, triangles.astype(np.int32)


def _rod(start: NDArray[np.float64], end: NDArray[np.float64], radius: tuple[float, float], cell: int) -> Part:
    """A round rod with flat ends, its radius changing from start to end."""
    axis = end - start
    axis /= np.linalg.norm(axis) + 1e-9
    helper = np.array([1.0, 0, 0]) if abs(axis[0]) < 0.8 else np.array([0, 1.0, 0])
    u = np.cross(axis, helper)
    u /= np.linalg.norm(u)
    v = np.cross(axis, u)
    angle = np.linspace(0, 2 * np.pi, 17)
    ring = np.cos(angle)[:, None] * u + np.sin(angle)[:, None] * v
    along = [(0.0, 0.0), (0.0, radius[0]), (1.0, radius[1]), (1.0, 0.0)]
    return _sheet(np.stack([start + t * (end - start) + r * ring for t, r in along]), cell)


def _turned(rng: Generator) -> list[Part]:
    """A vase, bottle, cup, lamp or bowl, with a handle at times."""
    knots = rng.integers(3, 8)
    radius = np.interp(np.linspace(0, 1, 48), np.linspace(0, 1, knots), rng.uniform(0.08, 0.5, knots))
    if rng.random() < 0.6:
        radius = np.asarray(cv2.GaussianBlur(radius[:, None], (1, 9), float(rng.uniform(1, 4)))[:, 0], float)
    elif rng.random() < 0.6:
        radius = np.full(48, rng.uniform(0.2, 0.5)) * np.linspace(rng.uniform(0.6, 1), 1, 48)
    height = rng.uniform(0.25, 1.6)
    y = np.linspace(0, height, 48)
    profile = [np.array([[0, 0]]), np.stack([radius, y], axis=1)]
    if rng.random() < 0.4:  # hollow
        inner = np.stack([radius[::-1] * 0.9, y[::-1]], axis=1)[: rng.integers(4, 46)]
        profile += [inner, np.array([[0, inner[-1, 1]]])]
    else:
        profile += [np.array([[0, height * rng.uniform(0.97, 1.1)]])]
    cell = int(rng.integers(CELLS))
    parts = [_lathe(np.concatenate(profile), cell, sides=int(rng.choice([6, 8, 40, 40])), squash=rng.uniform(0.6, 1))]
    if rng.random() < 0.3:
        angle = np.linspace(-np.pi / 2, np.pi / 2, 12)
        side = float(rng.uniform(0, 2 * np.pi))
        size, reach = height * rng.uniform(0.2, 0.4), rng.uniform(0.1, 0.35)
        out = float(radius[24]) * 0.9 + reach * np.cos(angle)
        path = np.stack([out * np.cos(side), height / 2 + size * np.sin(angle), out * np.sin(side)], axis=1)
        thick = float(rng.uniform(0.02, 0.06))
        parts += [_rod(path[i], path[i + 1], (thick, thick), cell) for i in range(len(path) - 1)]
    return parts


def _furniture(rng: Generator) -> list[Part]:
    """A table, stool, chair, shelf or cabinet of boxes and rods."""
    w, d, h = rng.uniform(0.4, 1.2), rng.uniform(0.3, 1.0), rng.uniform(0.25, 1.0)
    thick = rng.uniform(0.03, 0.15)
    main, other = (int(cell) for cell in rng.integers(CELLS, size=2))
    parts = [_box(np.array([-w / 2, h, -d / 2]), np.array([w / 2, h + thick, d / 2]), main)]
    leg = rng.uniform(0.015, 0.06)
    splay = rng.uniform(0, 0.08)
    for x in (-1, 1):
        for z in (-1, 1):
            top = np.array([x * (w / 2 - leg), h, z * (d / 2 - leg)])
            foot = top + np.array([x * splay, -h, z * splay])
            if rng.random() < 0.5:
                parts.append(_rod(foot, top, (leg, leg), other))
            else:
                parts.append(
                    _box(np.array([top[0] - leg, 0, top[2] - leg]), np.array([top[0] + leg, h, top[2] + leg]), other)
                )
    if rng.random() < 0.6:  # a back
        tall = rng.uniform(0.3, 0.9)
        parts.append(_box(np.array([-w / 2, h, -d / 2]), np.array([w / 2, h + tall, -d / 2 + thick]), main))
        if rng.random() < 0.5:  # arms
            for x in (-1, 1):
                inner, outer = sorted((x * w / 2, x * (w / 2 - max(thick, 0.06))))
                parts.append(_box(np.array([inner, h, -d / 2]), np.array([outer, h + 0.5 * tall, d / 2]), main))
    if rng.random() < 0.4:  # closed below
        parts.append(_box(np.array([-w / 2, rng.uniform(0, 0.3) * h, -d / 2]), np.array([w / 2, h, d / 2]), other))
    return parts


def _creature(rng: Generator) -> list[Part]:
    """A body, a head and limbs of balls and rods, on two legs or four."""
    cells = [int(cell) for cell in rng.integers(CELLS, size=3)]
    long, wide, tall = rng.uniform(0.2, 0.5), rng.uniform(0.14, 0.3), rng.uniform(0.15, 0.4)
    four = rng.random() < 0.5
    body = np.array([wide, tall, long] if four else [wide * 1.2, tall * 1.3, wide])
    leg = rng.uniform(0.15, 0.5)
    centre = np.array([0, leg + body[1] * 0.8, 0])
    parts = [_ball(centre, body, cells[0], power=rng.uniform(0.6, 1))]
    head = rng.uniform(0.12, 0.32) * np.array([1, rng.uniform(0.8, 1.2), rng.uniform(0.8, 1.3)])
    at = centre + np.array([0, body[1] + head[1] * 0.6, long * 1.0 if four else 0])
    parts += [_ball(at, head, cells[1]), _rod(centre, at, (0.09, 0.07), cells[0])]
    thick = rng.uniform(0.04, 0.1)
    for x in (-1, 1):
        for z in (-1, 1) if four else (0,):
            hip = centre + np.array([x * body[0] * 0.6, -body[1] * 0.3, z * body[2] * 0.7])
            foot = np.array([hip[0], 0, hip[2] + rng.uniform(-0.08, 0.08)])
            parts.append(_rod(foot, hip, (thick * 0.8, thick), cells[2]))
        if not four:
            shoulder = centre + np.array([x * body[0] * 0.9, body[1] * 0.5, 0])
            hand = shoulder + np.array([x * rng.uniform(0.05, 0.4), rng.uniform(-0.45, 0.2), rng.uniform(-0.1, 0.3)])
            parts += [_rod(shoulder, hand, (thick, thick * 0.7), cells[0]), _ball(hand, np.full(3, thick), cells[1])]
        if rng.random() < 0.5:  # ears
            ear = at + head * np.array([x * 0.6, 0.9, 0])
            parts.append(_ball(ear, rng.uniform(0.03, 0.12, 3), cells[1]))
    return parts


def _stack(rng: Generator) -> list[Part]:
    """Rounded boxes and balls upon and beside each other: machines, vehicles, toys, packages."""
    parts = []
    top = 0.0
    for _ in range(int(rng.integers(1, 5))):
        size = rng.uniform(0.1, 0.5, 3)
        shift = np.array([rng.uniform(-0.2, 0.2), top + size[1], rng.uniform(-0.2, 0.2)])
        parts.append(_ball(shift, size, int(rng.integers(CELLS)), power=rng.choice([0.1, 0.25, 0.5, 1])))
        top += 2 * size[1] * rng.uniform(0.2, 1)
    if rng.random() < 0.4:  # wheels
        radius, reach, wide = rng.uniform(0.08, 0.2), rng.uniform(0.25, 0.5), rng.uniform(0.2, 0.4)
        cell = int(rng.integers(CELLS))
        for x in (-1, 1):
            for z in (-1, 1):
                hub = np.array([x * wide, 0.0, z * reach])
                parts.append(_rod(hub, hub + np.array([x * 0.08, 0, 0]), (radius, radius), cell))
    return parts
