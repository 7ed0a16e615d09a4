"""What has a base stands on it; what has none is only turned upright."""

from typing import Any

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from generation.engine.upright import press, stand

# trimesh's own types are too wide to be of use.
Mesh: Any = trimesh.Trimesh
ELEVATION = 20.0


def turned(shape: Any, degrees: float, axis: tuple[float, float, float]) -> Any:
    """The shape, turned."""
    return shape.apply_transform(trimesh.transformations.rotation_matrix(np.deg2rad(degrees), axis))


def fine(shape: Any) -> Any:
    """The shape with small triangles."""
    return shape.subdivide_to_size(shape.extents.max() / 30)


def seen(shape: Any, *, fall: float = 0.0) -> Any:
    """The shape as a camera above sees it, its floor falling towards the viewer as from near by."""
    e = np.deg2rad(ELEVATION)
    camera = np.array([[1, 0, 0], [0, np.cos(e), -np.sin(e)], [0, np.sin(e), np.cos(e)]])
    sloping = np.array([[1, 0, 0], [0, 1, -np.tan(np.deg2rad(fall))], [0, 0, 1]])
    mesh = fine(shape)
    return Mesh(mesh.vertices @ (camera @ sloping).T, mesh.faces, process=False)


def stood(mesh: Any) -> tuple[Any, NDArray[np.float32]]:
    """The mesh stood up, and its normals."""
    positions, normals = (np.asarray(part, np.float32) for part in (mesh.vertices, mesh.vertex_normals))
    positions, normals = stand(positions, normals, ELEVATION)
    return Mesh(positions, mesh.faces, process=False), normals


def chair() -> Any:
    """A seat on four legs, and a back."""
    corners = [(x, -0.25, z) for x in (-0.3, 0.3) for z in (-0.3, 0.3)]
    legs = [trimesh.creation.box((0.08, 0.5, 0.08)).apply_translation(corner) for corner in corners]
    seat = trimesh.creation.box((0.7, 0.08, 0.7)).apply_translation((0, 0.04, 0))
    rest = trimesh.creation.box((0.7, 0.6, 0.06)).apply_translation((0, 0.3, -0.32))
    return trimesh.util.concatenate([seat, rest, *legs])


@pytest.mark.parametrize("fall", [3, 7, 11])
@pytest.mark.parametrize(
    "shape",
    [
        pytest.param(trimesh.creation.box((1, 0.6, 0.8)), id="box"),
        pytest.param(turned(trimesh.creation.cylinder(0.4, 0.9), 90, (1, 0, 0)), id="pot"),
        pytest.param(chair(), id="chair"),
    ],
)
def test_what_has_a_base_stands_flat(shape: Any, fall: float) -> None:
    mesh = seen(shape, fall=fall)
    result, normals = stood(mesh)
    lowest = result.vertices[:, 1].min()
    ground = result.vertices[:, 1] < lowest + 1e-3
    # All that was the bottom is, and faces down.
    was = fine(shape).vertices[:, 1] < shape.bounds[0, 1] + 1e-6
    assert ground[was].all()
    assert was.sum() > 20
    facing = result.face_normals[ground[result.faces].all(axis=1) & (result.area_faces > 1e-5)]
    assert (facing[:, 1] < -0.99).all()
    assert np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
    assert result.volume == pytest.approx(shape.volume, rel=0.02)
    assert result.area_faces.min() > 0
    assert result.extents == pytest.approx(shape.extents, rel=0.12)


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param(trimesh.creation.icosphere(subdivisions=4), id="ball"),
        pytest.param(trimesh.creation.icosphere(subdivisions=4).apply_scale((1, 0.3, 0.6)), id="pebble"),
        pytest.param(trimesh.creation.cylinder(0.3, 1.4), id="log"),
        pytest.param(turned(trimesh.creation.box((1, 0.6, 0.8)), 30, (0.2, 0, 1)), id="on its edge"),
        pytest.param(turned(trimesh.creation.cone(0.5, 1), 90, (1, 0, 0)), id="on its tip"),
    ],
)
def test_what_has_no_base_is_only_turned(shape: Any) -> None:
    mesh = seen(shape)
    result, _ = stood(mesh)
    assert np.allclose(result.vertices, fine(shape).vertices, atol=1e-5)


def test_pressing_keeps_the_order_of_heights() -> None:
    """Over one place: what faces down goes to the floor, above it nothing passes anything else."""
    y = np.linspace(-0.2, 1, 200, dtype=np.float32)
    positions = np.stack([0 * y, y, 0 * y], axis=1)
    normals = np.where((y < 0.1)[:, None], (0, -1, 0), (0, 1, 0)).astype(np.float32)
    for wall in (0.0, 0.05):
        pressed, _ = press(positions, normals, 0.0, 0.1, wall)
        assert (np.diff(pressed[:, 1]) > 0).all()
        assert np.ptp(pressed[y < 0.1, 1]) < 0.01
        assert np.array_equal(pressed[y > 0.3], positions[y > 0.3])


@pytest.mark.parametrize("thickness", [0.012, 0.02, 0.05])
def test_a_foot_plate_is_not_pressed_flat(thickness: float) -> None:
    """A lamp: a plate as thick as the layer that is pressed, or not much more, below a stem."""
    plate = trimesh.creation.box((0.6, thickness, 0.6)).apply_translation((0, thickness / 2, 0))
    stem = trimesh.creation.box((0.1, 1 - thickness, 0.1)).apply_translation((0, (1 + thickness) / 2, 0))
    shape = trimesh.util.concatenate([plate, stem])
    result, _ = stood(seen(shape, fall=7))
    was = fine(shape).vertices
    floor = result.vertices[:, 1].min()
    on_plate = (np.abs(was[:, 1] - thickness) < 1e-6) & (np.abs(was[:, [0, 2]]).max(axis=1) > 0.06)
    assert on_plate.sum() > 20
    assert (result.vertices[on_plate, 1] - floor).min() > 0.5 * thickness


def test_what_hangs_over_the_foot_is_not_pressed_through_it() -> None:
    heights = np.array([0, 0.4, 0.6, 2], np.float32)
    x = np.linspace(-1, 1, 21, dtype=np.float32)
    positions = np.array([(a, y, b) for a in x for b in x for y in heights], np.float32)
    normals = np.tile(np.array([(0, -1, 0), (0, 1, 0)] * 2, np.float32), (len(x) ** 2, 1))
    pressed, _ = press(positions, normals, 0.0, 1.0)
    assert pressed[:, 1].reshape(-1, 4) == pytest.approx(np.tile(heights, (len(x) ** 2, 1)), abs=1e-6)


def test_an_uneven_underside_is_pressed_wherever_it_is() -> None:
    """A sheet, longer than wide, that rises to the right: the parts within the layer come down, with what is on it."""
    x, z = (grid.ravel() for grid in np.meshgrid(np.linspace(0, 2, 61), np.linspace(0, 1, 31)))
    y = 0.9 * x / 2
    bottom, top = (np.stack([x, y + thick, z], axis=1).astype(np.float32) for thick in (0, 0.5))
    normals = np.repeat(np.array([(0, -1, 0), (0, 1, 0)], np.float32), len(x), axis=0)
    pressed, _ = press(np.concatenate([bottom, top]), normals, 0.0, 1.0)
    low, high = pressed[: len(x), 1], pressed[len(x) :, 1]
    assert low.max() < 0.02
    assert (high - low).min() > 0.45
