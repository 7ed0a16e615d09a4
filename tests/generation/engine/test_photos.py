"""Every picture that shows something becomes a sound model."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from generation import engine
from tests import samples
from tests.generation import khronos
from tests.long import LONG

from .results import modelled, require_good


@pytest.mark.parametrize("path", [*samples.SAMPLES, *samples.PHOTOS], ids=lambda path: path.stem)
def test_a_photo_becomes_a_model(path: Path) -> None:
    glb = modelled(samples.normalised(path))
    require_good(glb, "standard")
    assert khronos.errors(glb) == []


SHARED = samples.shared_photos() if LONG else samples.shared_photos()[::2]


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem, marks=samples.needs_shared) for path in SHARED])
def test_a_shared_photo_becomes_a_model(path: Path) -> None:
    glb = modelled(samples.normalised(path))
    require_good(glb, "standard")
    assert khronos.errors(glb) == []


@pytest.mark.parametrize("quality", list(engine.QUALITIES))
def test_each_quality_keeps_its_limits_and_uses_them(quality: str) -> None:
    glb = modelled(samples.normalised(samples.SAMPLES[1]), quality)
    assert khronos.errors(glb) == []
    mesh = require_good(glb, quality)
    assert len(mesh.faces) > 0.7 * engine.QUALITIES[quality].triangles


def test_the_four_samples_are_small_and_carry_no_metadata() -> None:
    assert [path.stem for path in samples.SAMPLES] == ["boat", "mug", "mushroom", "vase"]
    for path in samples.SAMPLES:
        data = path.read_bytes()
        assert len(data) <= 100_000
        assert data[2:11] == b"\xff\xe0\x00\x10JFIF\x00"
        assert b"\xff\xe1" not in data[:400]
        assert b"\xff\xfe" not in data[:400]


@pytest.mark.parametrize(("name", "euler"), [("mug", 0), ("vase", -2)])
def test_a_handle_is_a_tunnel(name: str, euler: int) -> None:
    path = next(path for path in samples.SAMPLES if path.stem == name)
    assert require_good(modelled(samples.normalised(path)), "standard").euler_number == euler


def test_nothing_is_said_about_a_subject_that_stands_free() -> None:
    for path in samples.SAMPLES:
        assert engine.cut_out(path.read_bytes()).warnings == ()


def test_a_subject_that_is_cut_off_is_reported() -> None:
    chelsea = engine.cut_out(samples.normalised(samples.PHOTOS[1]))
    assert chelsea.warnings == ("touches_border",)


def test_the_front_of_the_model_shows_the_photo() -> None:
    """In the photo's pose, the outline from the front is the cut-out's."""
    cut = engine.cut_out(samples.SAMPLES[1].read_bytes())
    glb = engine.reconstruct(engine.encode_cut_out(cut), options=engine.Options(pose="photo"))
    mesh = require_good(glb, "standard")
    _, _, width, height = cv2.boundingRect((cut.rgba[..., 3] > 127).astype(np.uint8))
    assert np.isclose(mesh.extents[0] / mesh.extents[1], width / height, rtol=0.02)
    seen = np.zeros((512, 512), np.uint8)
    corners = mesh.vertices[mesh.faces][..., :2] / mesh.extents[1] * 500
    corners = np.stack([256 + corners[..., 0], 506 - corners[..., 1]], axis=2).round().astype(np.int32)
    for corner in corners:
        cv2.fillConvexPoly(seen, corner, 1)
    x, y, w, h = cv2.boundingRect(seen)
    subject = (cut.rgba[..., 3] > 127).astype(np.uint8)
    left, top, width, height = cv2.boundingRect(subject)
    expected = cv2.resize(subject[top : top + height, left : left + width], (w, h), interpolation=cv2.INTER_AREA)
    got, wanted = seen[y : y + h, x : x + w] > 0, np.asarray(expected > 0)
    assert (got & wanted).sum() / (got | wanted).sum() > 0.98
