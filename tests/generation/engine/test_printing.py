"""A print is one body with a base to stand on, and no wall thinner than asked for."""

import cv2
import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from generation.engine.depth import Depth
from generation.engine.options import Print
from generation.engine.printing import flat_base, longest_side, one_body, thicken_walls, volume
from generation.engine.surface import Surface, thicken

from .test_surface import SIDE, ball, block, meshed, plate_before_plate, require_sound, welded

CELLS = 100
MOST = 40_000


def printed(alpha: NDArray[np.float32], depth: Depth, printing: Print) -> Surface:
    """The whole of it, as seen from straight ahead."""
    alpha, depth = thicken_walls(alpha, depth, printing)
    return flat_base(one_body(meshed(thicken(alpha, CELLS), depth, cells=CELLS, most=MOST)))


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


def test_the_volume_is_that_of_the_solid() -> None:
    box = trimesh.creation.box((1, 2, 3)).apply_translation((4, 5, 6))
    assert volume(np.asarray(box.vertices, np.float32), np.asarray(box.faces, np.uint32)) == pytest.approx(6)
    mesh = meshed(*ball(), cells=CELLS, most=MOST)
    assert volume(mesh.positions, mesh.triangles) == pytest.approx(float(welded(mesh).volume), rel=1e-6)


def test_lengths_are_millimetres() -> None:
    assert longest_side(Print(size=120)) == pytest.approx(0.12)
