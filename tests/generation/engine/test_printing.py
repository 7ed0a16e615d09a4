"""A print is one body with a base to stand on, and no wall thinner than asked for."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from generation.engine.depth import Depth
from generation.engine.options import Print
from generation.engine.printing import flat_base, longest_side, one_body, thicken_walls
from generation.engine.surface import Surface, thicken
from generation.engine.upright import stand

from .test_surface import SIDE, ball, block, meshed, plate_before_plate, require_sound

CELLS = 100
MOST = 40_000


def printed(alpha: NDArray[np.float32], depth: Depth, printing: Print) -> Surface:
    """The whole of it, as seen from straight ahead."""
    alpha, depth = thicken_walls(alpha, depth, printing)
    return flat_base(one_body(meshed(thicken(alpha, CELLS), depth, cells=CELLS, most=MOST)), printing)


def lollipop() -> tuple[NDArray[np.float32], Depth]:
    """A thin disc on a thin stick."""
    nothing = np.zeros((SIDE, SIDE), np.float32)
    alpha = block(slice(0.495, 0.505), slice(0.3, 0.95), 1, nothing)
    cv2.circle(alpha, (SIDE // 2, int(0.3 * SIDE)), int(0.2 * SIDE), 1, -1)
    return alpha, Depth(nothing + np.float32(0.001), nothing - np.float32(0.001))


@pytest.mark.parametrize("wall", [1.0, 2.0, 4.0])
def test_no_wall_is_thinner_than_asked_for(wall: float) -> None:
    alpha, depth = lollipop()
    mesh = printed(alpha, depth, Print(size=100, wall=wall))
    solid = require_sound(mesh, MOST)
    scale = 100 / solid.extents.max()
    assert solid.extents[2] * scale == pytest.approx(wall, rel=0.1)
    # A cut through the stick: as wide as deep.
    cut = solid.section(plane_origin=(0, 0.3, 0), plane_normal=(0, 1, 0))
    assert cut is not None
    assert (cut.extents[[0, 2]] * scale > 0.9 * wall).all()


def test_what_floated_before_is_held() -> None:
    """A bar before a board, with air between: one body, the bar's front where it was."""
    alpha, depth = plate_before_plate((0.3, 0.25), (-0.2, -0.25), 0)
    mesh = printed(alpha, depth, Print())
    solid = require_sound(mesh, MOST)
    assert solid.body_count == 1
    assert solid.bounds[:, 2] == pytest.approx((-0.25, 0.3), abs=0.01)
    assert solid.bounds[:, 0] == pytest.approx((0.1, 0.9), abs=0.01)


def test_only_the_largest_of_several_bodies_stays() -> None:
    nothing = np.zeros((SIDE, SIDE), np.float32)
    alpha = np.maximum(
        block(slice(0.1, 0.3), slice(0.2, 0.5), 1, nothing), block(slice(0.4, 0.8), slice(0.2, 0.6), 1, nothing)
    )
    both = meshed(alpha, Depth(nothing + np.float32(0.1), nothing), cells=CELLS, most=MOST)
    assert require_sound(both, MOST).body_count == 2
    solid = require_sound(one_body(both), MOST)
    assert solid.body_count == 1
    assert solid.bounds[:, 0] == pytest.approx((0.4, 0.8), abs=0.01)


def test_even_a_ball_stands() -> None:
    mesh = printed(*ball(), Print())
    solid = require_sound(mesh, MOST)
    ground = solid.vertices[solid.vertices[:, 1] < solid.bounds[0, 1] + 0.001]
    assert np.ptp(ground[:, 0]) > 0.2
    assert np.ptp(ground[:, 2]) > 0.2
    assert (mesh.normals[mesh.positions[:, 1] < solid.bounds[0, 1] + 0.0002][:, 1] < -0.9).mean() > 0.9


def test_what_leans_gets_a_larger_base() -> None:
    """A slanting bar falls over unless more of its foot is pressed flat."""
    nothing = np.zeros((SIDE, SIDE), np.float32)
    alpha = nothing.copy()
    corners = np.array([(0.2, 0.9), (0.35, 0.9), (0.55, 0.1), (0.4, 0.1)]) * SIDE
    cv2.fillPoly(alpha, [corners.astype(np.int32)], 1)
    mesh = printed(alpha, Depth(nothing + np.float32(0.1), nothing - np.float32(0.1)), Print())
    solid = require_sound(mesh, MOST)
    height = solid.extents[1]
    assert (solid.vertices[:, 1] < solid.bounds[0, 1] + 0.002 * height).sum() > 50


@pytest.mark.parametrize(("thickness", "size"), [(0.03, 100), (0.02, 100), (0.06, 100), (0.03, 300)])
@pytest.mark.parametrize("pose", ["upright", "photo"])
def test_a_foot_plate_keeps_its_wall(thickness: float, size: float, pose: str) -> None:
    """A lamp: a thin plate under a stem."""
    printing = Print(size=size, wall=2)
    nothing = np.zeros((SIDE, SIDE), np.float32)
    stem, foot = (slice(0.45, 0.55), slice(0.05, 0.94)), (slice(0.2, 0.8), slice(0.95 - thickness, 0.95))
    alpha = np.maximum(block(*stem, 1, nothing), block(*foot, 1, nothing))
    half = block(*foot, 0.25, nothing + np.float32(0.05))
    alpha, depth = thicken_walls(alpha, Depth(half, -half), printing)
    mesh = one_body(meshed(thicken(alpha, CELLS), depth, cells=CELLS, most=MOST))
    if pose == "upright":
        positions, normals = stand(mesh.positions, mesh.normals, 0.0)
        mesh = replace(mesh, positions=positions, normals=normals)
    mesh = flat_base(mesh, printing)
    solid = require_sound(mesh, MOST)
    scale = size / solid.extents.max()
    x, z = (grid.ravel() for grid in np.meshgrid(np.linspace(0.25, 0.4, 12), np.linspace(-0.2, 0.2, 12)))
    thick = through(solid, x, z) * scale
    assert thick.min() >= 0.9 * printing.wall
    assert np.median(thick) >= 0.9 * thickness * scale
    assert solid.area_faces.min() > 0


def through(solid: trimesh.Trimesh, x: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Length of the mesh inside each upright line, by the heights at which its triangles are crossed."""
    corners = np.asarray(solid.triangles)
    inside = np.zeros(len(x))
    flat = corners[:, :, [0, 2]]
    first, second = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    facing = np.abs(area) > 1e-12
    for number, point in enumerate(np.stack([x, z], axis=1) + 1e-5):
        to = point - flat[facing, 0]
        one = (to[:, 0] * second[facing, 1] - to[:, 1] * second[facing, 0]) / area[facing]
        two = (first[facing, 0] * to[:, 1] - first[facing, 1] * to[:, 0]) / area[facing]
        hit = (one >= 0) & (two >= 0) & (one + two <= 1)
        rise = corners[facing, 1:, 1] - corners[facing, :1, 1]
        height = corners[facing, 0, 1] + one * rise[:, 0] + two * rise[:, 1]
        # In x and z a triangle that faces up turns the other way round.
        inside[number] = float((-np.sign(area[facing]) * height)[hit].sum())
    return inside


def test_lengths_are_millimetres() -> None:
    assert longest_side(Print(size=120)) == pytest.approx(0.12)
