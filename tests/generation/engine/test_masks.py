"""The cut-out: which of several things is the subject, when it is cut off, how true its outline is, its limits."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks import hostile, masks
from generation import engine
from generation.engine import subjects
from generation.engine.mask import WORKING_SIDE
from tests import samples
from tests.long import LONG

from .results import require_good

Mask = NDArray[np.bool_]


def disc(x: int, y: int, radius: int) -> Mask:
    """A disc in a picture of 600 x 400."""
    return samples.drawn(600, 400, (x - radius, y - radius, x + radius, y + radius))


BODY = disc(300, 200, 100)


@pytest.mark.parametrize(
    ("mask", "kept", "others"),
    [
        pytest.param(BODY, BODY, False, id="one"),
        pytest.param(BODY | disc(425, 200, 20), BODY | disc(425, 200, 20), False, id="loose part"),
        pytest.param(
            BODY | disc(425, 200, 20) | disc(470, 200, 20),
            BODY | disc(425, 200, 20) | disc(470, 200, 20),
            False,
            id="part of a part",
        ),
        pytest.param(BODY | disc(540, 60, 50), BODY, True, id="second subject"),
        pytest.param(BODY | disc(495, 200, 80), BODY, True, id="as large, close by"),
        pytest.param(BODY | disc(540, 60, 20), BODY, False, id="something small, far off"),
        pytest.param(disc(60, 60, 55) | disc(300, 200, 50), disc(300, 200, 50), True, id="the middle counts"),
        pytest.param(np.zeros((400, 600), np.bool_), np.zeros((400, 600), np.bool_), False, id="nothing"),
    ],
)
def test_a_loose_part_stays_and_a_second_subject_goes(mask: Mask, kept: Mask, others: bool) -> None:
    found, there_are_others = subjects.main_subject(mask)
    assert np.array_equal(found, kept)
    assert there_are_others == others


def beside_each_other() -> NDArray[np.uint8]:
    """A mug, and to the right of it, smaller, a vase."""
    mug, vase = (np.asarray(Image.open(path)) for path in samples.SAMPLES if path.stem in ("mug", "vase"))
    small = np.asarray(Image.fromarray(vase).resize((576, 480)))
    right = np.full((800, 576, 3), small[0, 0], np.uint8)
    right[200:680] = small
    return np.concatenate([mug, right], axis=1)


def test_the_main_subject_is_kept_unless_all_are_asked_for() -> None:
    picture = samples.png(beside_each_other())
    one, all_of_them = engine.cut_out(picture), engine.cut_out(picture, keep_all=True)
    assert one.warnings == ("others_left_out",)
    assert all_of_them.warnings == ("several_subjects",)
    assert one.rgba[:, :960, 3].any()
    assert not one.rgba[:, 960:, 3].any()
    assert np.array_equal(all_of_them.rgba[:, :960], one.rgba[:, :960])
    assert all_of_them.rgba[:, 960:, 3].any()


def test_transparency_is_the_last_word() -> None:
    """Whoever cut out a crowd wants the crowd; only specks go."""
    crowd = BODY | disc(540, 60, 50) | disc(40, 340, 8)
    speck = crowd.copy()
    speck[390, 590] = True
    cut = engine.cut_out(samples.shaped(speck))
    assert np.array_equal(cut.rgba[..., 3] > 127, crowd)
    assert cut.warnings == ("several_subjects",)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Pixels of every picture in which distances were measured."""
    sizes: list[int] = []
    measure = cv2.distanceTransform

    def counted(picture: NDArray[np.uint8], kind: int, window: int) -> NDArray[np.float32]:
        sizes.append(picture.size)
        return np.asarray(measure(picture, kind, window), np.float32)

    monkeypatch.setattr(cv2, "distanceTransform", counted)
    return sizes


def test_a_chain_of_parts_is_not_followed_for_ever(looks: list[int]) -> None:
    """Thousands of dots, each near enough to the last to be a part."""
    chain = hostile.dotted(384, 384, 4, chain=True)[..., 3] > 0
    main, _ = subjects.main_subject(chain)
    assert len(looks) == subjects.ROUNDS
    assert main.sum() > 24 * 24 + subjects.ROUNDS * 16


@pytest.mark.parametrize("chain", [True, False])
def test_transparency_is_searched_for_others_in_a_small_picture(chain: bool, looks: list[int]) -> None:
    """Only the check of the shape looks at every pixel."""
    dots = hostile.dotted(2000, 2000, 24, chain=chain)
    assert np.array_equal(engine.cut_out(samples.png(dots)).rgba[..., 3], dots[..., 3])
    assert len([size for size in looks if size > WORKING_SIDE**2]) == 1


@pytest.mark.parametrize(
    ("box", "cut"),
    [
        pytest.param((0, 0, 960, 800), False, id="free"),
        pytest.param((450, 0, 960, 800), True, id="from the left"),
        pytest.param((0, 0, 660, 800), True, id="handle"),
        pytest.param((0, 0, 960, 500), True, id="from below"),
    ],
)
def test_a_subject_cut_by_the_frame_is_reported(box: tuple[int, int, int, int], cut: bool) -> None:
    mug = Image.open(next(path for path in samples.SAMPLES if path.stem == "mug"))
    found = engine.cut_out(samples.png(np.asarray(mug.crop(box)))).warnings
    assert ("touches_border" in found) == cut


def test_a_cut_out_that_fits_its_picture_is_not_cut_off() -> None:
    fitted = np.ones((100, 200), np.bool_)
    fitted[50:, :20] = False
    assert engine.cut_out(samples.shaped(fitted)).warnings == ()
    assert engine.cut_out(samples.shaped(np.pad(fitted, ((9, 0), (0, 0))))).warnings == ("touches_border",)


@pytest.mark.parametrize(
    ("picture", "code"),
    [
        pytest.param(samples.png(np.full((300, 400, 3), 200, np.uint8)), "no_subject", id="blank"),
        pytest.param(samples.shaped(samples.drawn(200, 200, (90, 90, 105, 105))), "subject_too_small", id="dot"),
        pytest.param(samples.shaped(np.eye(300, dtype=np.bool_)), "subject_too_thin", id="thread"),
    ],
)
def test_a_refusal_says_which(picture: bytes, code: str) -> None:
    with pytest.raises(engine.NoSubject) as refused:
        engine.cut_out(picture)
    assert refused.value.code == code


def test_a_picture_that_is_all_subject_can_be_modelled() -> None:
    whole = engine.CutOut(np.full((80, 80, 4), 255, np.uint8))
    require_good(engine.reconstruct(engine.encode_cut_out(whole), options=engine.Options(quality="draft")), "draft")


def boasting_png(width: int, height: int) -> bytes:
    data = samples.png(np.zeros((64, 64, 3), np.uint8))
    header = b"IHDR" + struct.pack(">II", width, height) + data[24:29]
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


def boasting_jpeg(width: int, height: int) -> bytes:
    data = samples.SAMPLES[0].read_bytes()
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


@pytest.mark.parametrize("boasting", [boasting_png, boasting_jpeg])
@pytest.mark.parametrize("size", [(30_000, 30_000), (65_535, 300), (0, 100)])
def test_size_is_checked_before_anything_is_decoded(
    boasting: object, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(boasting)
    monkeypatch.setattr("cv2.imdecode", lambda *_: pytest.fail("decoded"))
    with pytest.raises(engine.BadPicture):
        engine.cut_out(boasting(*size))


@pytest.mark.shared
@pytest.mark.skipif(not masks.PHOTOS.is_dir(), reason="../shared/data is not part of a clone")
def test_outlines_are_true_on_composites() -> None:
    """Photos with alpha before three backgrounds; the figures are those of ``benchmarks/masks.py``."""
    photos = sorted(masks.PHOTOS.glob("*.png"))
    scores = [
        masks.agreement(masks.rule(jpeg), truth) for _, jpeg, truth in masks.composites(photos if LONG else photos[::2])
    ]
    assert np.mean(scores) > 0.94
    assert min(scores) > 0.6
