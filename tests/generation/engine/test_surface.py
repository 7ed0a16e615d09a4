"""The surface is closed whatever the maps are, and where they jump it is cut or walled, never stretched."""

from typing import Any

import cv2
import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from generation.engine.depth import Depth
from generation.engine.errors import NoSubject
from generation.engine.inflation import inflate
from generation.engine.rim import rim
from generation.engine.steps import sharpen
from generation.engine.surface import Surface, grid_cells, surface, thicken

SIDE = 512
Map = NDArray[np.float32]


def meshed(alpha: Map, depth: Depth, *, cells: int, most: int) -> Surface:
    """The surface of maps that may have steps."""
    return surface(alpha, sharpen(alpha, depth), cells=cells, most=most)


def welded(mesh: Surface) -> trimesh.Trimesh:
    """The mesh with vertices at one place made one."""
    places, number = np.unique(mesh.positions, axis=0, return_inverse=True)
    return trimesh.Trimesh(places, number.ravel()[mesh.triangles.astype(np.int64)], process=False)


def require_sound(mesh: Surface, most: int) -> trimesh.Trimesh:
    """Assert that the mesh is a closed, oriented 2-manifold of sound triangles; returns it welded."""
    assert len(mesh.triangles) <= most
    assert all(np.isfinite(part).all() for part in (mesh.positions, mesh.places, mesh.normals))
    assert np.allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-4)
    assert ((mesh.places > -0.1) & (mesh.places < 1.1)).all()
    solid = welded(mesh)
    # Exact: no edge twice in one direction, and every edge back again.
    edges = solid.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    assert (edges[:, 0] != edges[:, 1]).all()
    there, back = (np.unique(pairs @ (len(solid.vertices), 1)) for pairs in (edges, edges[:, ::-1]))
    assert len(there) == len(edges)
    assert np.array_equal(there, back)
    assert solid.volume > 0
    # The triangles around each vertex are one fan: corners joined across edges make one group per vertex.
    count = len(edges)
    start = np.arange(count)
    end = start - start % 3 + (start + 1) % 3
    opposite = np.lexsort(edges.T)[np.argsort(np.lexsort(edges[:, ::-1].T))]
    links = np.concatenate([start, end]), np.concatenate([end[opposite], opposite])
    groups, _ = connected_components(coo_array((np.ones(2 * count), links), shape=(count, count)), directed=False)
    assert groups == len(np.unique(solid.faces))
    return solid


def block(x: slice, y: slice, depth: float, empty: Map) -> Map:
    """A map with one value in a rectangle, in shares of the side."""
    field = empty.copy()
    rows, columns = (slice(int(part.start * SIDE), int(part.stop * SIDE)) for part in (y, x))
    field[rows, columns] = depth
    return field


def plate_before_plate(near: tuple[float, float], far: tuple[float, float], ramp: float) -> tuple[Map, Depth]:
    """An upright bar (front, back) before a wide board (front, back), ramps of so many pixels between them."""
    nothing = np.zeros((SIDE, SIDE), np.float32)
    # Above and below the board there is nothing a ramp could lead to.
    tall = slice(0.3, 0.7) if ramp else slice(0.1, 0.9)
    alpha = np.maximum(block(slice(0.4, 0.6), tall, 1, nothing), block(slice(0.1, 0.9), slice(0.3, 0.7), 1, nothing))
    column = (slice(0.4, 0.6), slice(0, 1))
    front, back = (block(*column, near[side], np.full_like(nothing, far[side])) for side in (0, 1))
    if ramp:
        front, back = (np.asarray(cv2.GaussianBlur(field, (0, 0), ramp), np.float32) for field in (front, back))
    return alpha, Depth(front, back)


def ball() -> tuple[Map, Depth]:
    """A ball of radius 0.4."""
    y, x = (np.indices((SIDE, SIDE)) + 0.5) / SIDE - 0.5
    height = np.sqrt(np.maximum(0.16 - x * x - y * y, 0)).astype(np.float32)
    alpha = np.clip((0.4 - np.hypot(x, y)) * SIDE + 0.5, 0, 1).astype(np.float32)
    return alpha, Depth(height, -height)


def spans(mesh: Surface) -> NDArray[np.float64]:
    """How deep each triangle is from front to back."""
    return np.asarray(np.ptp(mesh.positions[mesh.triangles.astype(np.int64)][..., 2], axis=1), np.float64)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    grain=st.sampled_from([1, 3, 8, 24]),
    fill=st.floats(0.3, 1),
    levels=st.sampled_from([2, 4, 1000]),
    soft=st.sampled_from([0, 1.5, 4]),
    cells=st.integers(8, 70),
)
def test_any_maps_make_a_sound_mesh(seed: int, grain: int, fill: float, levels: int, soft: float, cells: int) -> None:
    """Random patches of depth in a random outline, jumping or sliding: the two sheets close all the same."""
    rng = np.random.default_rng(seed)
    side = 96

    def patches(values: NDArray[Any]) -> Map:
        field = values.repeat(grain, 0).repeat(grain, 1)[:side, :side].astype(np.float32)
        return np.asarray(cv2.GaussianBlur(field, (0, 0), soft) if soft else field, np.float32)

    count = -(-side // grain)
    alpha = patches((rng.random((count, count)) < fill).astype(float))
    front, back = (patches(rng.integers(0, levels, (count, count)) * (0.6 / levels) - 0.3) for _ in range(2))
    try:
        mesh = meshed(alpha, Depth(np.maximum(front, back), np.minimum(front, back)), cells=cells, most=6000)
    except NoSubject:
        return
    require_sound(mesh, 6000)


@pytest.mark.parametrize("ramp", [0, 1.5, 3])
def test_what_has_air_between_is_cut(ramp: float) -> None:
    """A bar before a board it does not touch: nothing is stretched from one to the other."""
    alpha, depth = plate_before_plate((0.3, 0.25), (-0.2, -0.25), ramp)
    solid = require_sound(meshed(alpha, depth, cells=80, most=40_000), 40_000)
    bodies = solid.split(only_watertight=False)
    # The bar, and the board's halves, which it hides the middle of.
    assert len(bodies) == 3
    assert all(np.ptp(body.vertices[:, 2]) < 0.07 for body in bodies)


@pytest.mark.parametrize("ramp", [0, 1.5, 3])
def test_what_is_solid_gets_a_wall(ramp: float) -> None:
    """A bar standing out of a board: upright walls with an edge, coloured like the board before them."""
    alpha, depth = plate_before_plate((0.2, -0.2), (0, -0.2), ramp)
    mesh = meshed(alpha, depth, cells=80, most=40_000)
    solid = require_sound(mesh, 40_000)
    assert solid.body_count == 1
    corners = mesh.positions[mesh.triangles.astype(np.int64)]
    middle = corners.mean(axis=1)
    wall = (spans(mesh) > 0.1) & (middle[:, 2] > 0) & (np.abs(middle[:, 1] - 0.5) < 0.15)
    assert wall.sum() > 20
    # Upright: no wider than the outline is exact, and lit from the side.
    assert np.ptp(corners[wall][..., 0], axis=1).max() < 0.25 / 80
    vertices = np.unique(mesh.triangles[wall])
    assert (np.abs(mesh.normals[vertices, 0]) > 0.9).all()
    # Left of the bar's left edge, or right of its right one.
    assert (np.abs(mesh.places[vertices, 0] - 0.5) > 0.1).all()


def test_the_side_of_a_ball_is_no_step() -> None:
    alpha, depth = ball()
    assert not sharpen(alpha, depth).stepped.any()
    mesh = meshed(alpha, depth, cells=60, most=20_000)
    assert require_sound(mesh, 20_000).euler_number == 2
    assert np.allclose(np.linalg.norm(mesh.positions - (0.5, 0.5, 0), axis=1), 0.4, atol=0.01)


def test_the_rim_takes_nothing_from_what_is_round_already() -> None:
    y, x = (np.indices((512, 512)) + 0.5) / 512 - 0.5
    alpha = np.clip((0.4 - np.hypot(x, 1.6 * y)) * 512 + 0.5, 0, 1).astype(np.float32)
    front, back = inflate(alpha)
    share = rim(alpha, front - back, np.zeros(alpha.shape, np.bool_))
    assert ((1 - share) * (front - back))[alpha > 0.5].max() < 0.002


def test_thick_maps_close_on_the_outline_with_a_rounded_edge() -> None:
    """A slab keeps its thickness, its outline, and loses only the edge."""
    alpha = block(slice(0.2, 0.8), slice(0.3, 0.7), 1, np.zeros((SIDE, SIDE), np.float32))
    depth = Depth(np.full_like(alpha, 0.1), np.full_like(alpha, -0.1))
    mesh = meshed(alpha, depth, cells=100, most=40_000)
    solid = require_sound(mesh, 40_000)
    assert np.allclose(solid.extents, (0.6, 0.4, 0.2), atol=0.003)
    assert 0.9 < solid.volume / np.prod(solid.extents) < 1
    # The sides are coloured from within the outline, as far from it as they are high.
    half_way = np.abs(mesh.positions[:, 2]) < 1e-3
    moved = mesh.places - mesh.positions[:, :2] * (1, -1) - (0, 1)
    assert np.median(np.hypot(*moved[half_way].T)) > 0.03


def test_a_surface_keeps_to_its_triangles_and_uses_them() -> None:
    alpha, depth = plate_before_plate((0.2, -0.2), (0, -0.2), 2)
    for most in (4_000, 10_000, 40_000):
        cells = grid_cells(alpha, most=most, finest=400)
        mesh = meshed(thicken(alpha, cells), depth, cells=cells, most=most)
        require_sound(mesh, most)
        assert len(mesh.triangles) > 0.8 * most


def test_flat_places_give_their_triangles_up_first() -> None:
    """Half a ball on a slab, on a grid too fine for its triangles: the ball keeps its own."""
    y, x = (np.indices((SIDE, SIDE)) + 0.5) / SIDE - 0.5
    bump = np.sqrt(np.maximum(0.04 - x * x - y * y, 0)).astype(np.float32)
    alpha = block(slice(0.1, 0.9), slice(0.1, 0.9), 1, np.zeros((SIDE, SIDE), np.float32))
    depth = Depth(bump, np.full_like(bump, -0.05))
    whole, thinned = (meshed(alpha, depth, cells=80, most=most) for most in (40_000, 14_000))
    require_sound(thinned, 14_000)
    assert len(thinned.triangles) > 13_900
    # As much as half the grid, less than a whole one: the cells are as small as before.
    on_ball = [((mesh.positions[:, 2] > 0.1) & ~mesh.behind).sum() for mesh in (whole, thinned)]
    assert on_ball[1] > 0.95 * on_ball[0]
