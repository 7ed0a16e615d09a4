"""A scene is the flat list of the surfaces it draws, in metres. Runs inside the confined process.

Each index must name a vertex, each coordinate must be finite, each node must have one parent. The transforms of
nodes are applied to their vertices, so what comes out needs no graph; vertices that no triangle uses are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from generation.accessors import Array, Floats, accessor, entries, floats, integer, numbers
from generation.confined import Refusal
from generation.glb import Container

MAX_TRIANGLES: Final = 5_000_000
MAX_VERTICES: Final = 3 * MAX_TRIANGLES
MAX_NODES: Final = 10_000
MAX_PRIMITIVES: Final = 4_096
TRIANGLES, STRIP, FAN = 4, 5, 6
TEXTURE_COORDINATES: Final = tuple(f"TEXCOORD_{number}" for number in range(8))


@dataclass(kw_only=True)
class Surface:
    """One primitive in the world's frame: (n, 3) positions in metres, (t, 3) indices, and what else is drawn."""

    positions: Floats
    faces: npt.NDArray[np.uint32]
    material: int | None
    attributes: dict[str, Array] = field(default_factory=dict)


def placements(document: dict[str, Any]) -> Iterator[tuple[int, npt.NDArray[np.float64]]]:
    """Each use of a mesh by the scene: its index and its 4 x 4 transform to the world, in the scene's order.

    Raises ``Refusal``: out_of_range, damaged, no_geometry, scene_graph (a cycle, or a node with two parents), rigged.
    """
    scenes, nodes = entries(document, "scenes"), entries(document, "nodes")
    if not scenes:
        raise Refusal("no_geometry")
    if len(nodes) > MAX_NODES:
        raise Refusal("scene_graph")
    scene = scenes[integer(document.get("scene", 0), below=len(scenes))]
    seen: set[int] = set()
    todo = [(index, np.identity(4)) for index in reversed(_children(scene, "nodes", len(nodes)))]
    while todo:
        index, above = todo.pop()
        if index in seen:
            raise Refusal("scene_graph")
        seen.add(index)
        node = nodes[index]
        if "skin" in node:
            raise Refusal("rigged")
        here = above @ _transform(node)
        if not np.isfinite(here).all():
            raise Refusal("not_finite")
        if "mesh" in node:
            yield integer(node["mesh"], below=len(entries(document, "meshes"))), here
        todo += [(child, here) for child in reversed(_children(node, "children", len(nodes)))]


def _children(owner: dict[str, Any], name: str, count: int) -> list[int]:
    value = owner.get(name, [])
    if not isinstance(value, list):
        raise Refusal("damaged")
    return [integer(index, below=count) for index in value]


def _transform(node: dict[str, Any]) -> npt.NDArray[np.float64]:
    """A node's own 4 x 4 matrix. Raises ``Refusal``: damaged."""
    if "matrix" in node:
        return np.array(numbers(node["matrix"], 16)).reshape(4, 4).T
    matrix = np.identity(4)
    x, y, z, w = numbers(node.get("rotation", [0, 0, 0, 1]), 4)
    length = math.hypot(x, y, z, w)
    if not math.isfinite(length) or length < 1e-6:
        raise Refusal("damaged")
    x, y, z, w = x / length, y / length, z / length, w / length
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    matrix[:3, :3] = rotation * np.array(numbers(node.get("scale", [1, 1, 1]), 3))
    matrix[:3, 3] = numbers(node.get("translation", [0, 0, 0]), 3)
    return matrix


def surfaces(container: Container) -> list[Surface]:
    """What the scene draws, in the world's frame.

    Raises ``Refusal``: those of ``placements`` and ``accessor``, too_many_triangles, primitive, no_geometry,
    not_finite.
    """
    found: list[Surface] = []
    triangles = vertices = 0
    meshes = entries(container.document, "meshes")
    for index, matrix in placements(container.document):
        for primitive in entries(meshes[index], "primitives"):
            surface = _surface(container, primitive)
            triangles += len(surface.faces)
            vertices += len(surface.positions)
            if triangles > MAX_TRIANGLES or vertices > MAX_VERTICES or len(found) >= MAX_PRIMITIVES:
                raise Refusal("too_many_triangles")
            _place(surface, matrix)
            found.append(surface)
    if not triangles:
        raise Refusal("no_geometry")
    return found


def _surface(container: Container, primitive: dict[str, Any]) -> Surface:
    """A primitive with the vertices it uses and no others, in its mesh's frame."""
    named = primitive.get("attributes")
    if not isinstance(named, dict):
        raise Refusal("damaged")
    if "POSITION" not in named:
        raise Refusal("no_geometry")
    raw, normalised = accessor(container, named["POSITION"], limit=MAX_VERTICES)
    count = len(raw)
    faces = _faces(container, primitive, count)
    used = np.zeros(count, dtype=bool)
    used[faces] = True
    if used.all():
        chosen: Any = slice(None)
    else:
        chosen = used
        faces = (np.cumsum(used, dtype=np.uint32) - np.uint32(1))[faces]

    def attribute(name: str, lengths: tuple[int, ...]) -> tuple[Array, bool] | None:
        if name not in named:
            return None
        array, is_normalised = accessor(container, named[name], limit=MAX_VERTICES)
        if len(array) != count or array.shape[1] not in lengths:
            raise Refusal("out_of_range")
        return array[chosen], is_normalised

    if raw.shape[1] != 3:
        raise Refusal("damaged")
    material = primitive.get("material")
    if material is not None:
        material = integer(material, below=len(entries(container.document, "materials")))
    surface = Surface(positions=floats(raw[chosen], normalised), faces=faces, material=material)
    for name, lengths in (("NORMAL", (3,)), ("TANGENT", (4,))):
        if (value := attribute(name, lengths)) is not None:
            # A direction that is no number is repaired in _place, like one of no length: nobody can see it.
            array = value[0].astype(np.float32)
            surface.attributes[name] = np.nan_to_num(array, nan=0.0, posinf=0.0, neginf=0.0)
    for name in TEXTURE_COORDINATES:
        if (value := attribute(name, (2,))) is None:
            break  # sets are numbered without gaps
        surface.attributes[name] = floats(*value)
    if (value := attribute("COLOR_0", (3, 4))) is not None:
        surface.attributes["COLOR_0"] = _colours(*value)
    return surface


def _colours(array: Array, normalised: bool) -> Array:
    """Four components each, as 8 or 16 bits where the file has those, else as floats from 0 to 1."""
    colours: Array
    if normalised and array.dtype.kind == "u" and array.dtype.itemsize <= 2:
        colours = array
        full = np.iinfo(array.dtype).max
    else:
        colours = np.clip(floats(array, normalised), 0, 1)
        full = 1
    result = np.full((len(colours), 4), full, dtype=colours.dtype)
    result[:, : colours.shape[1]] = colours
    return result


def _faces(container: Container, primitive: dict[str, Any], vertices: int) -> npt.NDArray[np.uint32]:
    """(t, 3) indices, each below ``vertices``, whatever way the primitive lists its triangles."""
    limit = 3 * MAX_TRIANGLES
    if "indices" in primitive:
        array, _ = accessor(container, primitive["indices"], limit=limit)
        if array.dtype.kind != "u" or array.shape[1] != 1:
            raise Refusal("damaged")
        order = array[:, 0].astype(np.uint32)
        if order.max() >= vertices:
            raise Refusal("out_of_range")
    else:
        order = np.arange(vertices, dtype=np.uint32)
    match integer(primitive.get("mode", TRIANGLES), below=7):
        case 4:
            if len(order) % 3:
                raise Refusal("damaged")
            return order.reshape(-1, 3)
        case 5 if len(order) >= 3:
            faces = np.stack([order[:-2], order[1:-1], order[2:]], axis=1)
            faces[1::2, 1:] = faces[1::2, :0:-1]
            return faces
        case 6 if len(order) >= 3:
            return np.stack([order[1:-1], order[2:], np.full(len(order) - 2, order[0], np.uint32)], axis=1)
        case _:
            raise Refusal("primitive")


def _place(surface: Surface, matrix: npt.NDArray[np.float64]) -> None:
    """Move a surface to the world's frame, and make its directions directions."""
    turn = matrix[:3, :3]
    mirrored = np.linalg.det(turn) < 0
    if not np.array_equal(matrix, np.identity(4)):
        surface.positions = (surface.positions @ turn.T + matrix[:3, 3]).astype(np.float32)
        if not np.isfinite(surface.positions).all():
            raise Refusal("not_finite")
    if mirrored:
        surface.faces = np.ascontiguousarray(surface.faces[:, ::-1])
    attributes = surface.attributes
    if "NORMAL" in attributes:
        # The cofactors turn normals as the inverse transpose does, and exist for a flattened matrix too.
        cofactors = np.cross(np.roll(turn, -1, axis=0), np.roll(turn, -2, axis=0))
        attributes["NORMAL"] = _units(attributes["NORMAL"] @ (cofactors.T * (-1 if mirrored else 1)))
    else:
        attributes.pop("TANGENT", None)
    if "TANGENT" in attributes:
        tangents = attributes["TANGENT"]
        side = np.where(tangents[:, 3:] < 0, -1, 1) * (-1 if mirrored else 1)
        attributes["TANGENT"] = np.hstack([_units(tangents[:, :3] @ turn.T), side.astype(np.float32)])


def _units(directions: Array) -> Floats:
    """Each row with length 1; a row of no length points up."""
    wide = directions.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    useless = ~(np.isfinite(lengths) & (lengths > 1e-20))
    result = wide / np.where(useless, 1, lengths)
    return np.where(useless, np.array([0.0, 1.0, 0.0]), result).astype(np.float32)
