"""GLBs in, GLBs of our own writing out: whatever a provider sends, in whatever mood."""

from __future__ import annotations

import copy
import io
import json
import struct
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from generation import inspection, meshes
from generation.confined import Refusal
from tests.generation import glbs, khronos
from tests.generation.glbs import CORNERS, SIDES, Sketch, array, cube, glb, parsed, picture, textured

CANARY = "CANARY-7f3a"
CODES = {
    *("empty", "not_glb", "damaged", "too_large", "too_many_triangles", "external_reference", "compressed"),
    *("unsupported_extension", "sparse", "rigged", "scene_graph", "primitive", "out_of_range", "not_finite"),
    *("no_geometry", "image"),
}


def inspected(data: bytes) -> meshes.Inspection:
    """By the confined process, and judged by Khronos."""
    result = meshes.inspect([data])
    assert khronos.errors(result.glb) == []
    return result


def by_trimesh(data: bytes) -> trimesh.Trimesh:
    """The whole scene as one mesh, by another reader than ours."""
    result: trimesh.Trimesh = trimesh.load_scene(io.BytesIO(data), file_type="glb").to_mesh()
    return result


def code(data: bytes) -> str | None:
    """How the worker's function refuses, without the cost of a process."""
    try:
        inspection.remake(data)
    except Refusal as refusal:
        return refusal.code
    return None


# --- what comes out --------------------------------------------------------------------------------------------


def test_measures_a_cube() -> None:
    result = inspected(cube().glb())
    assert (result.triangles, result.vertices, result.size, result.watertight) == (12, 8, (1.0, 1.0, 1.0), True)
    assert np.array_equal(array(result.glb, 0), CORNERS)
    assert np.array_equal(array(result.glb, 1), SIDES)


def test_same_in_same_out_and_twice_changes_nothing() -> None:
    first = meshes.inspect([textured(picture()).glb()]).glb
    assert meshes.inspect([textured(picture()).glb()]).glb == first
    assert meshes.inspect([first]).glb == first


@pytest.mark.parametrize(
    ("shape", "closed"),
    [
        (trimesh.creation.icosphere(subdivisions=4), True),
        (trimesh.creation.torus(1.0, 0.3), True),
        (trimesh.creation.annulus(0.5, 1.0, 1.0), True),
        (trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]]), False),
    ],
)
def test_agrees_with_trimesh(shape: Any, closed: bool) -> None:
    result = inspected(shape.export(file_type="glb"))
    assert result.triangles == len(shape.faces)
    assert result.size == pytest.approx(tuple(shape.extents), rel=1e-6)
    assert result.watertight == shape.is_watertight == closed


def test_textured_mesh_keeps_its_look_and_loses_its_words() -> None:
    sphere: Any = trimesh.creation.uv_sphere()
    visual: Any = trimesh.visual
    material = visual.material.PBRMaterial(
        name=CANARY, baseColorTexture=Image.new("RGB", (64, 64), (10, 200, 30)), roughnessFactor=0.4
    )
    sphere.visual = visual.TextureVisuals(uv=sphere.vertices[:, :2] % 1, material=material)
    sphere.metadata["author"] = CANARY
    data = sphere.export(file_type="glb")
    assert CANARY.encode() in data
    result = inspected(data)
    document, binary = parsed(result.glb)
    assert document["materials"][0]["pbrMetallicRoughness"]["roughnessFactor"] == 0.4
    view = document["bufferViews"][document["images"][0]["bufferView"]]
    assert binary[view["byteOffset"] :].startswith(b"\x89PNG")
    assert CANARY.encode() not in result.glb


def test_nothing_says_who_made_it_of_what() -> None:
    sketch = textured(picture("JPEG", comment=CANARY.encode(), exif=b"Exif\x00\x00" + CANARY.encode()))
    document = sketch.document
    document["asset"] |= {"generator": CANARY, "copyright": CANARY, "extras": {"prompt": CANARY}}
    document["extensions"] = {"KHR_xmp_json_ld": {"packets": [{"dc:creator": CANARY}]}}
    document["extensionsUsed"] = ["KHR_xmp_json_ld", "VENDOR_" + CANARY]
    for name in ("scenes", "nodes", "meshes", "materials", "textures", "images", "accessors", "bufferViews", "buffers"):
        document[name][0] |= {"name": CANARY, "extras": CANARY, "extensions": {"VENDOR_x": {"by": CANARY}}}
        document[name][0]["CANARY-7f3a"] = 1
    document["meshes"][0]["primitives"][0] |= {"extras": CANARY, "targets": []}
    document["meshes"][0]["primitives"][0]["attributes"]["_CANARY-7f3a"] = 0
    document["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]["extras"] = CANARY
    document["cameras"] = [{"type": "perspective", "name": CANARY}]
    document["animations"] = [{"name": CANARY}]
    sketch.view(CANARY.encode())  # bytes that nothing uses
    data = sketch.glb((0x12345678, CANARY.encode() + b"\x00"))
    assert data.count(CANARY.encode()) > 20
    result = inspected(data)
    assert CANARY.encode() not in result.glb
    assert parsed(result.glb)[0]["asset"] == {"version": "2.0", "generator": "ModelMyImage"}


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_embedded_pictures_keep_their_pixels_and_lose_their_tags(form: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = CANARY
    tagged = picture(form, exif=exif.tobytes(), xmp=CANARY.encode()) + CANARY.encode() * (form != "WEBP")
    assert CANARY.encode() in tagged
    result = inspected(textured(tagged, webp=form == "WEBP").glb())
    assert CANARY.encode() not in result.glb
    document, binary = parsed(result.glb)
    view = document["bufferViews"][document["images"][0]["bufferView"]]
    drawn = Image.open(io.BytesIO(binary[view["byteOffset"] :][: view["byteLength"]]))
    assert drawn.getpixel((4, 4)) == pytest.approx((200, 30, 30), abs=4)
    assert drawn.format == form
    assert document["images"][0]["mimeType"] == f"image/{form.lower()}"  # by content: the input said PNG
    assert document.get("extensionsRequired", []) == (["EXT_texture_webp"] if form == "WEBP" else [])


def test_transforms_are_applied() -> None:
    sketch = cube()
    half = 0.5**0.5
    sketch.document["nodes"] = [
        {"children": [1, 2], "scale": [2, 2, 2]},
        {"mesh": 0, "translation": [10, 0, 0]},
        {"mesh": 0, "rotation": [0, half, 0, half], "scale": [1, 3, -1]},
    ]
    result = inspected(sketch.glb())
    loaded = by_trimesh(sketch.glb())
    assert result.triangles == 24
    assert result.size == pytest.approx(tuple(loaded.extents), rel=1e-5)
    assert result.watertight
    ours = by_trimesh(result.glb)
    assert ours.bounds == pytest.approx(loaded.bounds, abs=1e-5)
    assert ours.volume == pytest.approx(8 + 24, rel=1e-5), "a mirrored part was turned inside out"


def test_normals_and_tangents_follow_and_are_units() -> None:
    sketch = cube()
    attributes = sketch.document["meshes"][0]["primitives"][0]["attributes"]
    normals = np.tile(np.array([[0, 0, 5]], "f4"), (8, 1))
    normals[3] = 0
    normals[4] = np.nan
    attributes["NORMAL"] = sketch.accessor(normals)
    attributes["TANGENT"] = sketch.accessor(np.tile(np.array([[3, 0, 0, 0.2]], "f4"), (8, 1)))
    sketch.document["nodes"] = [{"mesh": 0, "rotation": [0.5**0.5, 0, 0, 0.5**0.5], "scale": [1, 1, 4]}]
    result = inspected(sketch.glb())
    named = parsed(result.glb)[0]["meshes"][0]["primitives"][0]["attributes"]
    found = array(result.glb, named["NORMAL"])
    assert found[0] == pytest.approx([0, -1, 0], abs=1e-6)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-6)
    assert array(result.glb, named["TANGENT"])[0] == pytest.approx([1, 0, 0, 1], abs=1e-6)


def test_strides_strips_fans_and_quantised_numbers_mean_the_same() -> None:
    sketch = Sketch()
    mixed = np.zeros(8, dtype=[("position", "<i2", 3), ("gap", "<u2"), ("colour", "u1", 3), ("gap2", "u1")])
    mixed["position"] = CORNERS * 32767
    mixed["colour"] = (CORNERS * 255).astype("u1")
    mixed["gap"] = 0x4141
    view = sketch.view(mixed.tobytes(), byteStride=12)
    sketch.document["accessors"] = [
        {"bufferView": view, "componentType": 5122, "normalized": True, "count": 8, "type": "VEC3"},
        {"bufferView": view, "byteOffset": 8, "componentType": 5121, "normalized": True, "count": 8, "type": "VEC3"},
    ]
    sketch.mesh({"attributes": {"POSITION": 0, "COLOR_0": 1}, "indices": sketch.accessor(SIDES.astype("u1"))})
    sketch.document["extensionsUsed"] = sketch.document["extensionsRequired"] = ["KHR_mesh_quantization"]
    result = inspected(sketch.glb())
    assert result.size == (1.0, 1.0, 1.0)
    assert result.watertight
    assert b"AA" not in parsed(result.glb)[1], "bytes between the strides were copied"
    colours = array(result.glb, parsed(result.glb)[0]["meshes"][0]["primitives"][0]["attributes"]["COLOR_0"])
    assert np.array_equal(colours[:, :3], (CORNERS * 255).astype("u1"))
    assert (colours[:, 3] == 255).all()

    quad = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], "f4")
    for mode, order in ((5, [0, 1, 2, 3]), (6, [0, 1, 3, 2])):
        sketch = Sketch()
        order_of = sketch.accessor(np.array(order, "u4").reshape(-1, 1))
        sketch.mesh({"attributes": {"POSITION": sketch.accessor(quad)}, "indices": order_of, "mode": mode})
        result = inspected(sketch.glb())
        faces = array(result.glb, parsed(result.glb)[0]["meshes"][0]["primitives"][0]["indices"]).reshape(-1, 3)
        corners = array(result.glb, 0)[faces]
        area = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2]
        assert area.tolist() == [1, 1], "a triangle was turned over"


def test_unused_vertices_go_and_parts_of_one_body_are_joined() -> None:
    sketch = Sketch()
    points = sketch.accessor(np.vstack([CORNERS, [[900, 900, 900]]]).astype("f4"))
    top, rest = sketch.accessor(SIDES[:6]), sketch.accessor(SIDES[6:])
    sketch.mesh(
        {"attributes": {"POSITION": points}, "indices": top}, {"attributes": {"POSITION": points}, "indices": rest}
    )
    result = inspected(sketch.glb())
    assert result.size == (1.0, 1.0, 1.0)
    assert result.vertices == 12  # four and eight
    assert result.watertight


def faces_of_cube(change: Callable[[Any], Any]) -> bytes:
    sketch = Sketch()
    sketch.mesh(
        {"attributes": {"POSITION": sketch.accessor(CORNERS)}, "indices": sketch.accessor(change(SIDES.copy()))}
    )
    return sketch.glb()


def test_watertight_means_every_edge_twice_in_opposite_directions() -> None:
    def turned(sides: Any) -> Any:
        sides[[0, 1]] = sides[[1, 0]]
        return sides

    assert meshes.inspect([faces_of_cube(lambda sides: sides)]).watertight
    assert not meshes.inspect([faces_of_cube(lambda sides: sides[3:])]).watertight
    assert not meshes.inspect([faces_of_cube(turned)]).watertight
    assert not meshes.inspect([faces_of_cube(lambda sides: np.vstack([sides, sides]))]).watertight
    point = np.zeros((3, 1), "u2")
    assert meshes.inspect([faces_of_cube(lambda sides: np.vstack([sides, point]))]).watertight


def test_seams_and_the_sign_of_nought_do_not_leak() -> None:
    sketch = Sketch()
    loose = CORNERS[SIDES[:, 0]]
    loose[::3][loose[::3] == 0] = -0.0
    sketch.mesh({"attributes": {"POSITION": sketch.accessor(loose)}})
    assert inspected(sketch.glb()).watertight


def test_materials_keep_what_the_tables_name() -> None:
    sketch = textured(picture())
    sketch.document["samplers"] = [{"magFilter": 9729, "wrapS": 33071, "name": CANARY}]
    sketch.document["textures"][0]["sampler"] = 0
    transform = {"KHR_texture_transform": {"offset": [0.5, 0], "scale": [2, 2], "rotation": 1}}
    sketch.document["materials"] = [
        {
            "pbrMetallicRoughness": {
                "baseColorTexture": {"index": 0, "extensions": transform},
                "baseColorFactor": [1, 2, -3, 0.5],
                "metallicFactor": 0,
            },
            "normalTexture": {"index": 0, "scale": 0.5, "texCoord": 1},  # coordinates that the surface has not
            "emissiveFactor": [1, 1, 1],
            "alphaMode": "MASK",
            "alphaCutoff": 0.3,
            "doubleSided": True,
            "extensions": {
                "KHR_materials_emissive_strength": {"emissiveStrength": 3, "by": CANARY},
                "KHR_materials_clearcoat": {"clearcoatFactor": 1, "clearcoatTexture": {"index": 0}},
                "KHR_materials_unlit": {"x": CANARY},
                "KHR_materials_variants": {"x": CANARY},
            },
        }
    ]
    sketch.document["extensionsUsed"] = ["KHR_texture_transform", "KHR_materials_clearcoat"]
    document, _ = parsed(meshes.inspect([sketch.glb()]).glb)
    assert document["materials"] == [
        {
            "pbrMetallicRoughness": {
                "baseColorTexture": {"index": 0, "extensions": transform},
                "baseColorFactor": [1, 1, 0, 0.5],
                "metallicFactor": 0,
            },
            "emissiveFactor": [1, 1, 1],
            "alphaMode": "MASK",
            "alphaCutoff": 0.3,
            "doubleSided": True,
            "extensions": {
                "KHR_materials_emissive_strength": {"emissiveStrength": 3},
                "KHR_materials_clearcoat": {"clearcoatFactor": 1, "clearcoatTexture": {"index": 0}},
                "KHR_materials_unlit": {},
            },
        }
    ]
    assert document["samplers"] == [{"magFilter": 9729, "wrapS": 33071}]


def test_many_vertices_take_wide_indices() -> None:
    ball: Any = trimesh.creation.icosphere(subdivisions=7)
    assert len(ball.vertices) > 65_535
    result = inspected(ball.export(file_type="glb"))
    assert result.triangles == len(ball.faces)
    assert result.watertight


def test_the_largest_mesh_fits_and_one_triangle_more_does_not() -> None:
    side = 1581  # a sheet of 2 x 1581² = 4,999,122 triangles
    y, x = np.mgrid[0 : side + 1, 0 : side + 1].astype("f4")
    points = np.stack([x.ravel(), y.ravel(), np.sin(x.ravel())], axis=1).astype("f4")
    corner = (np.arange(side)[:, None] * (side + 1) + np.arange(side)).ravel().astype("u4")
    faces = np.stack([corner, corner + 1, corner + side + 2, corner, corner + side + 2, corner + side + 1], axis=1)
    sketch = Sketch()
    sketch.mesh({"attributes": {"POSITION": sketch.accessor(points)}, "indices": sketch.accessor(faces.reshape(-1, 1))})
    start = time.perf_counter()
    result = meshes.inspect([sketch.glb()])
    assert result.triangles == 4_999_122
    assert not result.watertight
    assert time.perf_counter() - start < 30
    sketch.document["nodes"] = [{"children": [1, 2]}, {"mesh": 0}, {"mesh": 0}]
    with pytest.raises(meshes.MeshRefused, match="too_many_triangles"):
        meshes.inspect([sketch.glb()])


# --- what we refuse --------------------------------------------------------------------------------------------


def spoilt(change: Callable[[dict[str, Any]], Any]) -> bytes:
    """A textured cube whose document was changed."""
    sketch = textured(picture())
    change(sketch.document)
    return sketch.glb()


def at(path: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    """A change: put ``value`` at a path such as ``accessors/0/count``."""

    def change(document: Any) -> None:
        *way, last = [int(step) if step.isdecimal() else step for step in path.split("/")]
        for step in way:
            document = document[step]
        document[last] = value

    return change


def nested(depth: int) -> bytes:
    return b'{"asset":{"version":"2.0"},"extras":' + b"[" * depth + b"]" * depth + b"}"


DATA_URI = "data:application/octet-stream;base64,AAAA"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (at("buffers/0/uri", "https://example.com/a.bin"), "external_reference"),
        (at("buffers/0/uri", DATA_URI), "external_reference"),
        (at("images/0/uri", "/etc/passwd"), "external_reference"),
        (at("extensions", {"VENDOR_deep": {"a": [{"URI": "x"}]}}), "external_reference"),
        (at("materials/0/extensions", {"VENDOR_x": {"link": " https://example.com"}}), "external_reference"),
        (at("materials/0/extensions", {"VENDOR_x": [[DATA_URI]]}), "external_reference"),
        (at("extras", {"x": {"uri": ""}}), "external_reference"),
        (at("meshes/0/primitives/0/extensions", {"KHR_draco_mesh_compression": {}}), "compressed"),
        (at("bufferViews/0/extensions", {"EXT_meshopt_compression": {}}), "compressed"),
        (at("extensionsRequired", ["KHR_meshopt_compression"]), "compressed"),
        (at("extensionsRequired", ["KHR_texture_basisu"]), "unsupported_extension"),
        (at("extensionsRequired", "KHR_materials_ior"), "unsupported_extension"),
        (at("accessors/0/count", 9), "out_of_range"),
        (at("accessors/0/count", 0), "out_of_range"),
        (at("accessors/0/count", -1), "out_of_range"),
        (at("accessors/0/count", 8.0), "out_of_range"),
        (at("accessors/0/count", True), "out_of_range"),
        (at("accessors/0/count", 1 << 31), "too_many_triangles"),
        (at("accessors/0/byteOffset", 4), "out_of_range"),
        (at("accessors/0/byteOffset", 10**30), "out_of_range"),
        (at("accessors/0/componentType", 5130), "damaged"),
        (at("accessors/0/componentType", [1]), "damaged"),
        (at("accessors/0/type", "MAT4"), "damaged"),
        (at("accessors/0/type", "VEC2"), "damaged"),
        (at("accessors/0/sparse", {"count": 1}), "sparse"),
        (at("accessors/0/bufferView", 99), "out_of_range"),
        (at("accessors/1/componentType", 5122), "damaged"),
        (at("bufferViews/0/byteLength", 95), "out_of_range"),
        (at("bufferViews/0/byteLength", 1 << 40), "out_of_range"),
        (at("bufferViews/0/byteOffset", 1 << 40), "out_of_range"),
        (at("bufferViews/0/byteOffset", -4), "out_of_range"),
        (at("bufferViews/0/byteStride", 8), "out_of_range"),
        (at("bufferViews/0/byteStride", 16), "out_of_range"),
        (at("bufferViews/0/buffer", 1), "out_of_range"),
        (at("buffers/0/byteLength", 1 << 30), "out_of_range"),
        (at("buffers", []), "out_of_range"),
        (at("meshes/0/primitives/0/indices", 0), "damaged"),
        (at("meshes/0/primitives/0/indices", "0"), "out_of_range"),
        (at("meshes/0/primitives/0/mode", 1), "primitive"),
        (at("meshes/0/primitives/0/mode", 9), "out_of_range"),
        (at("meshes/0/primitives/0/attributes", {}), "no_geometry"),
        (at("meshes/0/primitives/0/attributes", []), "damaged"),
        (at("meshes/0/primitives/0/attributes/NORMAL", 1), "out_of_range"),
        (at("meshes/0/primitives/0/material", 5), "out_of_range"),
        (at("meshes/0/primitives", []), "no_geometry"),
        (at("meshes/0/primitives", [3]), "damaged"),
        (at("meshes", []), "out_of_range"),
        (at("nodes", []), "out_of_range"),
        (at("nodes/0/children", [0]), "scene_graph"),
        (at("nodes/0/children", 0), "damaged"),
        (at("nodes", [{"children": [1]}, {"children": [0]}]), "scene_graph"),
        (at("nodes", [{"children": [1, 1]}, {"mesh": 0}]), "scene_graph"),
        (at("nodes", [{}] * 10_001), "scene_graph"),
        (at("nodes/0/skin", 0), "rigged"),
        (at("nodes/0/matrix", [1] * 15), "damaged"),
        (at("nodes/0/matrix", [1e308] * 16), "not_finite"),
        (at("nodes/0/scale", [1e300, 1, 1]), "not_finite"),
        (at("nodes/0/rotation", [0, 0, 0, 0]), "damaged"),
        (at("nodes/0/translation", ["1", 0, 0]), "damaged"),
        (at("scenes", []), "no_geometry"),
        (at("scenes/0/nodes", []), "no_geometry"),
        (at("scene", 1), "out_of_range"),
        (at("textures/0/source", 7), "out_of_range"),
        (at("materials/0/pbrMetallicRoughness", 7), "damaged"),
        (at("materials/0/alphaMode", "GHOST"), "damaged"),
        (at("materials/0/pbrMetallicRoughness/baseColorFactor", [1, 1, 1]), "damaged"),
        (at("materials/0/pbrMetallicRoughness/baseColorTexture/index", 9), "out_of_range"),
        (at("images/0/bufferView", 0), "image"),
        (at("asset", {"version": "1.0"}), "not_glb"),
        (at("asset", {"version": "2.0", "minVersion": "2.1"}), "not_glb"),
        (at("asset", None), "not_glb"),
    ],
)
def test_refuses_a_document_with_a_reason(change: Callable[[dict[str, Any]], Any], expected: str) -> None:
    assert code(spoilt(lambda document: None)) is None
    assert code(spoilt(change)) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty"),
        (b"glT", "not_glb"),
        (b"solid stl" + bytes(100), "not_glb"),
        (b"glTF" + struct.pack("<II", 1, 12), "not_glb"),
        (b"glTF" + struct.pack("<II", 2, 12), "damaged"),
        (cube().glb()[:-1], "damaged"),
        (cube().glb() + b"x", "damaged"),
        (b"glTF" + struct.pack("<IIII", 2, 20, 1 << 31, 0x4E4F534A), "damaged"),
        (glb(b"[]"), "damaged"),
        (glb(b"{"), "damaged"),
        (glb(b"\xff\xfe{}"), "damaged"),
        (glb(b'{"asset":{"version":"2.0","version":"2.0"}}'), "damaged"),
        (glb(b'{"asset":{"version":"2.0"},"extras":NaN}'), "damaged"),
        (glb(b'{"asset":{"version":"2.0"},"extras":-Infinity}'), "damaged"),
        (glb(b'{"asset":{"version":"2.0"},"extras":1e999}'), "damaged"),
        (glb(b'{"asset":{"version":"2.0"},"extras":' + b"9" * 5000 + b"}"), "damaged"),
        (glb(nested(100)), "damaged"),
        (glb(nested(1_000_000)), "damaged"),
        (glb(b'{"asset":{"version":"2.0"}}'), "no_geometry"),
        (glb(b" " * 16_000_001), "too_large"),
    ],
)
def test_refuses_a_container_with_a_reason(data: bytes, expected: str) -> None:
    with pytest.raises(meshes.MeshRefused) as caught:
        meshes.inspect([data])
    assert caught.value.code == expected


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["POSITION", "TEXCOORD_0", "COLOR_0"])
def test_refuses_numbers_that_are_none(name: str, wrong: float) -> None:
    sketch = textured(picture())
    values = np.zeros((8, 2 if name == "TEXCOORD_0" else 3), "f4")
    values[5, 1] = wrong
    sketch.document["meshes"][0]["primitives"][0]["attributes"][name] = sketch.accessor(values)
    assert code(sketch.glb()) == "not_finite"


def test_refuses_an_index_that_names_no_vertex() -> None:
    assert code(faces_of_cube(lambda sides: np.vstack([sides, [[8], [0], [1]]]).astype("u2"))) == "out_of_range"
    assert code(faces_of_cube(lambda sides: np.vstack([sides, [[7]]]).astype("u2"))) == "damaged"


def test_refuses_pictures_that_are_none_or_too_many_pixels() -> None:
    huge = bytearray(picture("PNG"))
    huge[16:24] = struct.pack(">II", 60_000, 60_000)
    for data in (b"GIF89a" + bytes(60), picture("PNG")[:-30], picture("JPEG")[:-30], bytes(huge), b"\x89PNG\r\n\x1a\n"):
        assert code(textured(data).glb()) == "image"
    moving = glbs.picture("WEBP", save_all=True, append_images=[Image.new("RGB", (8, 8), "blue")])
    assert code(textured(moving, webp=True).glb()) == "image"


def test_refuses_more_bytes_than_the_cap_without_reading_on() -> None:
    given = 0

    def endless() -> Any:
        nonlocal given
        while True:
            given += 1
            yield bytes(1_000_000)

    with pytest.raises(meshes.MeshRefused, match="too_large"):
        meshes.inspect(endless())
    assert given <= meshes.MAX_BYTES // 1_000_000 + 1


def test_many_uses_of_one_mesh_are_counted_each() -> None:
    sketch = cube()
    sketch.document["scenes"] = [{"nodes": list(range(5000))}]
    sketch.document["nodes"] = [{"mesh": 0}] * 5000
    assert code(sketch.glb()) == "too_many_triangles"  # more surfaces than may be


# --- mutations: never anything but a valid GLB or a named refusal ----------------------------------------------

SEED = textured(picture("PNG"))
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [0, -1, 1, 2, 7, 255, 1 << 31, 1 << 70, 0.5, 1e30, "", "x", None, True, [], {}, [0], [1e9]]
)


def paths(node: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [way] * bool(way) + [path for key, value in inner for path in paths(value, (*way, key))]


@st.composite
def spoilt_documents(draw: st.DrawFn) -> bytes:
    document = copy.deepcopy(SEED.document)
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(paths(document)))
        owner = document
        for step in way:
            owner = owner[step]
        if draw(st.integers(0, 4)):
            owner[last] = copy.deepcopy(draw(VALUES))  # the next change may be made inside it
        else:
            del owner[last]
        if not paths(document):
            break
    return glb(json.dumps(document).encode(), bytes(SEED.binary))


@st.composite
def spoilt_bytes(draw: st.DrawFn) -> bytes:
    data = bytearray(SEED.glb())
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(data) - 1))
        data[at] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.just(len(data)) | st.integers(0, len(data)))])


@settings(max_examples=500, deadline=None)
@given(spoilt_documents() | spoilt_bytes())
def test_any_change_gives_a_mesh_or_a_named_refusal(data: bytes) -> None:
    try:
        header, pieces = inspection.remake(data)
    except Refusal as refusal:
        outcome: Any = refusal.code
    else:
        outcome = None
        again, _ = inspection.remake(b"".join(pieces))
        assert again == header
    assert outcome is None or outcome in CODES


@settings(max_examples=12, deadline=None)
@given(spoilt_documents() | spoilt_bytes())
def test_any_change_through_the_process_and_the_validator(data: bytes) -> None:
    try:
        result = meshes.inspect([data])
    except meshes.MeshRefused as refusal:
        outcome: Any = refusal.code
    else:
        outcome = khronos.errors(result.glb)
    assert outcome == [] or outcome in CODES
