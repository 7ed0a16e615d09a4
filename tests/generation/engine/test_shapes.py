"""Outlines of every kind: holes, needles, specks, and the pictures in which there is nothing."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks import robustness
from generation import engine
from tests import samples
from tests.long import LONG

from .results import loaded, modelled, require_good


def as_seen(picture: bytes, quality: str = "standard") -> bytes:
    """The model as the picture shows it: an upright one may be turned, and have another outline."""
    cut = engine.encode_cut_out(engine.cut_out(picture))
    return engine.reconstruct(cut, options=engine.Options(quality=quality, pose="photo"))


def test_a_ring_is_a_torus_and_a_disc_is_a_ball() -> None:
    ring = samples.shaped(samples.drawn(400, 400, (40, 40, 360, 360), (140, 140, 260, 260)))
    disc = samples.shaped(samples.drawn(400, 400, (40, 40, 360, 360)))
    assert require_good(modelled(ring, "draft"), "draft").euler_number == 0
    assert require_good(modelled(disc, "draft"), "draft").euler_number == 2


def test_a_disc_is_about_as_deep_as_wide() -> None:
    disc = samples.shaped(samples.drawn(400, 400, (40, 40, 360, 360)))
    width, height, depth = loaded(as_seen(disc)).extents
    assert np.isclose(width, height, atol=0.01)
    assert 0.7 < depth / width < 1.1


@pytest.mark.parametrize(
    ("width", "height", "box"),
    [
        (1000, 64, (0, 22, 1000, 42)),  # 50 : 1
        (64, 1000, (22, 0, 42, 1000)),
        (64, 64, (2, 2, 62, 62)),
        (64, 64, (0, 0, 63, 64)),  # nearly everything
        (2048, 2048, (10, 10, 2040, 2040)),
        (300, 200, (130, 80, 160, 110)),  # small in a large picture
    ],
)
@pytest.mark.parametrize("quality", ["draft", "high"])
def test_boxes_of_every_size(width: int, height: int, box: tuple[int, int, int, int], quality: str) -> None:
    mask = np.zeros((height, width), np.bool_)
    mask[box[1] : box[3], box[0] : box[2]] = True
    mesh = require_good(as_seen(samples.shaped(mask), quality), quality)
    assert mesh.euler_number == 2
    expected = (box[2] - box[0]) / (box[3] - box[1])
    assert np.isclose(mesh.extents[0] / mesh.extents[1], expected, rtol=0.15)


def test_a_wire_does_not_break() -> None:
    """A ball on a wire of 2 pixels in 600 stays one piece, wire and all."""
    mask = samples.drawn(600, 600, (200, 380, 400, 580))
    mask[20:400, 299:301] = True
    mesh = require_good(as_seen(samples.shaped(mask), "draft"), "draft")
    assert mesh.body_count == 1
    assert mesh.extents[1] > 2.5 * mesh.extents[0]


def test_two_things_are_two_bodies_and_are_reported() -> None:
    mask = samples.drawn(400, 200, (10, 10, 180, 190)) | samples.drawn(400, 200, (210, 10, 390, 190))
    picture = samples.shaped(mask)
    assert engine.cut_out(picture).warnings == ("several_subjects",)
    assert require_good(modelled(picture), "standard").body_count == 2


def _opaque(height: int = 300, width: int = 400) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 200, np.uint8)


def _noise() -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (300, 400, 3), dtype=np.uint8)


def _night(name: str) -> NDArray[np.uint8]:
    """A photo in which the network notices nothing, although something is brightest."""
    return np.asarray(Image.open(samples.PHOTOS[0].with_name(name)).convert("RGB"))


def _hairline() -> NDArray[np.uint8]:
    picture = _opaque()
    picture[150] = 0
    return picture


def _one_row() -> NDArray[np.uint8]:
    picture = np.zeros((200, 400, 4), np.uint8)
    picture[100, 20:380] = 255
    return picture


def _dot() -> NDArray[np.uint8]:
    picture = np.zeros((200, 400, 4), np.uint8)
    picture[90:100, 90:100] = 255
    return picture


@pytest.mark.parametrize(
    "pixels",
    [
        pytest.param(_opaque(), id="blank"),
        pytest.param(_opaque(64, 64) // 2, id="blank, smallest"),
        pytest.param(_noise(), id="noise"),
        pytest.param(_night("moon.png"), id="moon"),
        pytest.param(_night("hubble_deep_field.jpg"), id="stars"),
        pytest.param(_hairline(), id="hairline"),
        pytest.param(np.zeros((300, 400, 4), np.uint8), id="transparent"),
        pytest.param(_one_row(), id="one row"),
        pytest.param(_dot(), id="dot"),
    ],
)
def test_no_subject(pixels: NDArray[np.uint8]) -> None:
    picture = samples.png(pixels)
    with pytest.raises(engine.NoSubject):
        engine.cut_out(picture)
    if pixels.shape[2] == 4:
        with pytest.raises(engine.NoSubject):
            engine.reconstruct(picture)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0" + bytes(40)])
def test_bytes_that_are_no_picture(data: bytes) -> None:
    with pytest.raises(engine.BadPicture):
        engine.cut_out(data)
    with pytest.raises(engine.BadPicture):
        engine.reconstruct(data)


def test_a_cut_out_needs_something_cut_out() -> None:
    with pytest.raises(engine.BadPicture):
        engine.reconstruct(samples.png(_noise()))


def test_pictures_of_every_kind_are_refused_or_modelled_soundly() -> None:
    """The first of the 10,000 that ``benchmarks/robustness.py`` goes through."""
    count = 1000 if LONG else 40
    assert [outcome for number in range(count) if (outcome := robustness.tried(0, number)).fault] == []
