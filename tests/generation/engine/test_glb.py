"""The file: what is in it, and that our own inspection and Khronos take it."""

import json
import struct
from typing import Any

import cv2
import numpy as np
import pytest

from generation import engine, meshes
from generation.engine.relief import relief
from generation.engine.tangents import tangents
from tests import samples
from tests.generation import khronos

from .results import loaded

MUG = samples.SAMPLES[1]


def document(glb: bytes) -> dict[str, Any]:
    """The JSON of a GLB."""
    length = struct.unpack_from("<I", glb, 12)[0]
    found: dict[str, Any] = json.loads(glb[20 : 20 + length])
    return found


@pytest.fixture(scope="module")
def cut() -> bytes:
    """The mug, cut out."""
    return engine.encode_cut_out(engine.cut_out(samples.normalised(MUG)))


def test_a_normal_map_is_there_if_asked_for_and_delivered(cut: bytes) -> None:
    options = engine.Options(quality="draft", normal_map=True)
    glb = engine.reconstruct(cut, options=options)
    assert khronos.errors(glb) == []
    assert glb == engine.reconstruct(cut, options=options)
    delivered = meshes.inspect([glb]).glb
    assert khronos.errors(delivered) == []
    for file in (glb, delivered):
        material = document(file)["materials"][0]
        pictures = {
            document(file)["textures"][texture["index"]]["source"]
            for texture in (material["pbrMetallicRoughness"]["baseColorTexture"], material["normalTexture"])
        }
        assert len(pictures) == len(document(file)["images"]) == 2


def test_no_normal_map_unasked(cut: bytes) -> None:
    found = document(engine.reconstruct(cut, options=engine.Options(quality="draft")))
    assert "normalTexture" not in found["materials"][0]
    assert len(found["images"]) == len(found["textures"]) == 1


def test_every_choice_gives_a_valid_file(cut: bytes) -> None:
    mug = cv2.imdecode(np.frombuffer(cut, np.uint8), cv2.IMREAD_UNCHANGED)
    assert mug is not None
    behind = cv2.imencode(".png", np.ascontiguousarray(mug[:, ::-1]))[1].tobytes()
    for options, back in (
        (engine.Options(quality="draft", back="mirrored", flatten_light=True), None),
        (engine.Options(quality="draft", flatten_light=True, normal_map=True), behind),
    ):
        assert khronos.errors(engine.reconstruct(cut, options=options, back_png=back)) == []


def test_what_is_bright_stands_out() -> None:
    """Normals lean away from a bright dot: red is to the right, green is up, as glTF wants it."""
    y, x = np.indices((512, 512)) - 255.5
    dot = (100 + 100 * np.exp(-(x * x + y * y) / 30)).astype(np.uint8)
    normals = relief(np.dstack([dot] * 3)).astype(float) / 127.5 - 1
    assert normals[256, 251, 0] < -0.05 < 0.05 < normals[256, 260, 0]
    assert normals[260, 256, 1] < -0.05 < 0.05 < normals[251, 256, 1]
    assert np.allclose(np.linalg.norm(normals, axis=2), 1, atol=0.02)
    assert np.abs(normals[20:60, 20:60, :2]).max() < 0.01


@pytest.mark.parametrize(("mirrored", "side"), [(False, 1), (True, -1)])
def test_tangents_follow_the_texture(mirrored: bool, side: int) -> None:
    """To the right in it, also where it lies the wrong way round, as on the back; level where it is no help."""
    positions = np.array([[0, 0, 0], [2, 0, 0], [0, 3, 0], [9, 9, 9]], np.float32)
    uv = np.array([[0, 1], [1, 1], [0, 0], [0, 0]], np.float32)
    triangles = np.array([[0, 1, 2]], np.uint32)
    normals = np.array([[0, 0, 1]] * 3 + [[0, 1, 0]], np.float32)
    if mirrored:
        triangles, normals = triangles[:, ::-1], -normals
    found = tangents(positions, normals, uv, triangles)
    assert np.allclose(found[:3], [1, 0, 0, side])
    assert np.isclose(np.linalg.norm(found[3, :3]), 1)
    assert abs(found[3, 1]) < 1e-6


@pytest.mark.parametrize("most", [500, 3000, 90_000, 300_000])
def test_as_many_triangles_as_asked_for_at_most_and_not_many_fewer(cut: bytes, most: int) -> None:
    glb = engine.reconstruct(cut, options=engine.Options(quality="draft", triangles=most))
    mesh = loaded(glb)
    assert 0.6 * most <= len(mesh.faces) <= most
    assert mesh.is_watertight
    assert khronos.errors(glb) == []


def test_without_texture_there_is_a_grey_shape_the_same_as_with(cut: bytes) -> None:
    bare, coloured = (
        engine.reconstruct(cut, options=engine.Options(quality="draft", texture=texture)) for texture in (False, True)
    )
    found = document(bare)
    assert not {"textures", "images", "samplers"} & set(found)
    assert "TEXCOORD_0" not in found["meshes"][0]["primitives"][0]["attributes"]
    assert found["materials"][0]["pbrMetallicRoughness"]["baseColorFactor"] == [0.6, 0.6, 0.6, 1.0]
    assert khronos.errors(bare) == []
    assert khronos.errors(meshes.inspect([bare]).glb) == []
    assert len(loaded(bare).faces) == len(loaded(coloured).faces)
    assert np.allclose(loaded(bare).bounds, loaded(coloured).bounds)
    assert bare == engine.reconstruct(cut, options=engine.Options(quality="draft", texture=False))
