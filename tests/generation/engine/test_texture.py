"""What the texture shows: the photo in front, calm sides, and a back by choice."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from generation.engine.cutout import cut_out
from generation.engine.depth import Depth
from generation.engine.errors import BackDoesNotMatch, NoSubject
from generation.engine.frame import FILL, Frame, frame
from generation.engine.inflation import inflate
from generation.engine.options import Options
from generation.engine.second_view import seen_from_behind
from generation.engine.steps import sharpen
from generation.engine.texture import coordinates, frame_side, texture
from tests import samples

PLAIN = Options()
MIRRORED = Options(back="mirrored")
Picture = NDArray[np.uint8]


def framed(rgba: Picture, most: int = 512) -> Frame:
    """A cut-out in its frame, as the engine puts it there."""
    _, _, width, height = cv2.boundingRect((rgba[..., 3] > 127).astype(np.uint8))
    return frame(rgba, frame_side(max(width, height), most))


def halves(subject: Frame, options: Options = PLAIN, back: Frame | None = None) -> tuple[Picture, Picture]:
    """Front and back of the atlas (side, side, 3), the depth being that of the outline."""
    alpha = np.asarray(cv2.resize(subject.alpha, (512, 512), interpolation=cv2.INTER_AREA), np.float32)
    jpeg = texture(subject, sharpen(alpha, Depth(*inflate(alpha))), options, back).colour
    assert jpeg is not None
    atlas = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert atlas is not None
    left, right = np.split(np.asarray(cv2.cvtColor(atlas, cv2.COLOR_BGR2RGB), np.uint8), 2, axis=1)
    return left, right


def shown(subject: Frame, side: int) -> Frame:
    """The part of a frame that one half of an atlas shows."""
    middle = slice((subject.side - side) // 2, (subject.side + side) // 2)
    return Frame(subject.rgb[middle, middle], subject.alpha[middle, middle])


def disc() -> Picture:
    """A grey disc of 496 pixels as a cut-out."""
    rgba = np.zeros((500, 500, 4), np.uint8)
    cv2.circle(rgba, (250, 250), 248, (128, 128, 128, 255), -1)
    return rgba


@pytest.mark.parametrize("path", samples.SAMPLES, ids=lambda path: path.stem)
def test_the_front_has_the_colours_of_the_photo(path: Path) -> None:
    """On average within 4 of 255, edge and JPEG included."""
    rgba = cut_out(samples.normalised(path)).rgba
    x, y, w, h = cv2.boundingRect((rgba[..., 3] > 127).astype(np.uint8))
    subject = framed(rgba)
    front, _ = halves(subject)
    # Where the subject's box lies in the half, by the frame's definition alone.
    corners = 0.5 + np.array([[-w, -h], [w, h]]) / max(w, h) * FILL / 2
    (left, top), (right, bottom) = coordinates(corners.astype(np.float32), np.zeros(2, np.bool_)) * (2, 1) * len(front)
    size = (round(right - left), round(bottom - top))
    seen = front[round(top) : round(top) + size[1], round(left) : round(left) + size[0]].astype(float)
    photo = cv2.resize(rgba[y : y + h, x : x + w], size, interpolation=cv2.INTER_AREA).astype(float)
    inside = photo[..., 3] > 250
    assert np.abs(seen - photo[..., :3])[inside].mean() < 4


def test_the_sides_are_not_streaked() -> None:
    """The rays of a disc end before the outline, where they would be drawn out along the side."""
    rgba = disc()
    y, x = np.indices(rgba.shape[:2]) - 250
    rgba[..., :3] = np.where(np.degrees(np.arctan2(y, x)) // 3 % 2, 60, 200)[..., None]
    subject = framed(rgba)
    both = halves(subject, MIRRORED)
    y, x = np.indices(both[0].shape[:2]) - (len(both[0]) - 1) / 2
    radius = np.hypot(x, y) / (FILL * subject.side / 2)

    def contrast(half: Picture, at: float) -> float:
        return float(half[np.abs(radius - at) < 0.005].std())

    for half in both:
        assert contrast(half, 0.995) < 0.25 * contrast(half, 0.8)
        assert contrast(half, 0.9) > 0.9 * contrast(half, 0.8)


def test_the_invented_back_has_no_face() -> None:
    rgba = disc()
    for x in (170, 330):
        cv2.circle(rgba, (x, 200), 30, (0, 0, 0, 255), -1)
    front, back = halves(framed(rgba))
    middle = np.s_[150:350, 100:400]
    assert np.ptp(front[middle]) > 100
    assert np.ptp(back[middle]) < 40


def test_the_mirrored_back_shows_the_front() -> None:
    rgba = cut_out(samples.normalised(samples.SAMPLES[1])).rgba
    subject = framed(rgba)
    front, back = halves(subject, MIRRORED)
    assert np.abs(front.astype(float) - back)[shown(subject, len(front)).alpha > 0.5].mean() < 3


def two_photos() -> tuple[Picture, Picture]:
    """A thing with a handle to the viewer's right, grey in front; from behind red, a green mark on the handle."""
    front = np.zeros((400, 600, 4), np.uint8)
    cv2.rectangle(front, (100, 50), (350, 350), (128, 128, 128, 255), -1)
    cv2.rectangle(front, (350, 150), (500, 250), (128, 128, 128, 255), -1)
    back = np.ascontiguousarray(front[:, ::-1])
    back[back[..., 3] > 0] = (140, 40, 40, 255)
    cv2.circle(back, (170, 200), 30, (40, 140, 40, 255), -1)
    return front, np.asarray(cv2.resize(back, None, fx=0.7, fy=0.8), np.uint8)


def test_the_second_photo_is_the_back() -> None:
    """Whatever its size, and the right way round: the mark is behind the handle, which is right in front."""
    front, back = two_photos()
    subject = framed(front)
    left, right = halves(subject, PLAIN, seen_from_behind(back, subject))
    side = len(right)

    def colour(half: Picture, x: int, y: int) -> list[int]:
        place = (np.array([[x - 300, y - 200]]) / 400 * FILL + 0.5).astype(np.float32)
        u, v = coordinates(place, np.zeros(1, np.bool_))[0] * (2 * side, side)
        return [int(value) for value in half[int(v), int(u)]]

    assert np.argmax(colour(right, 430, 200)) == 1
    assert np.argmax(colour(right, 200, 200)) == 0
    assert np.ptp(colour(left, 430, 200)) < 5
    # At the outline, the front's own colour.
    assert np.ptp(colour(right, 103, 200)) < 0.5 * np.ptp(colour(right, 200, 200))


def test_a_second_photo_of_something_else_is_refused() -> None:
    front, _ = two_photos()
    other = np.zeros((500, 100, 4), np.uint8)
    other[20:480, 40:60] = 255
    with pytest.raises(BackDoesNotMatch):
        seen_from_behind(other, framed(front))
    with pytest.raises(NoSubject):
        seen_from_behind(0 * other, framed(front))


def test_a_tiny_second_photo_fits_into_the_frame() -> None:
    """Stretched to the front's outline, the margin around 14 pixels is wider than that around the front."""
    front = np.full((300, 300, 4), 128, np.uint8)
    front[..., 3] = 255
    back = np.zeros((40, 40, 4), np.uint8)
    back[8:32, 13:27] = 255
    subject = framed(front)
    seen = seen_from_behind(back, subject)
    assert seen.side == subject.side
    assert ((seen.alpha > 0.5) == (subject.alpha > 0.5)).mean() > 0.95


@pytest.mark.parametrize("scale", [0.75, 0.8, 1.3])
def test_another_exposure_is_drawn_towards_the_front(scale: float) -> None:
    rgba = disc()
    darker = rgba.copy()
    darker[..., :3] = 128 * scale
    subject = framed(rgba)
    seen = seen_from_behind(darker, subject).rgb[subject.alpha > 0.5].mean()
    assert abs(seen - 128) <= max(2, abs(128 * scale - 128) * 0.3)


@pytest.mark.parametrize(
    ("longest", "most", "side"), [(100, 1024, 256), (500, 1024, 512), (1000, 1024, 1024), (2000, 1024, 1024)]
)
def test_the_atlas_holds_the_photos_pixels_and_hardly_more(longest: int, most: int, side: int) -> None:
    """The smallest power of two that loses less than 5 % of a subject's pixels, within the quality's limit."""
    rgba = np.zeros((longest + 10, 60, 4), np.uint8)
    rgba[5:-5, 5:55] = 200
    subject = framed(rgba, most)
    front, _ = halves(subject)
    assert front.shape == (side, side, 3)
    drawn = cv2.boundingRect((shown(subject, side).alpha > 0.5).astype(np.uint8))[3]
    assert drawn >= min(longest, most) * 0.95
    # And the outline keeps its distance to the other half.
    assert 0.02 < (side - drawn) / 2 / side < 0.25


def test_the_halves_do_not_bleed_into_each_other() -> None:
    """Shrunk to 16 pixels a half, as a far-away viewer's mipmap, blue in front is still blue and red behind red."""
    rgba = np.zeros((520, 520, 4), np.uint8)
    rgba[10:510, 10:510] = (0, 0, 200, 255)
    other = rgba.copy()
    other[10:510, 10:510] = (200, 0, 0, 255)
    subject = framed(rgba)
    left, right = halves(subject, PLAIN, seen_from_behind(other, subject))
    atlas = cv2.resize(np.concatenate([left, right], axis=1), (32, 16), interpolation=cv2.INTER_AREA)
    assert (atlas[1:-1, :16, 2] > 150).all()
    assert (atlas[1:-1, :16, 0] < 40).all()
    assert (atlas[3:-3, 19:-3, 0] > 150).all()


def test_a_thin_subject_has_its_own_colour_all_over() -> None:
    rgba = np.zeros((600, 600, 4), np.uint8)
    rgba[20:580, 297:303] = (180, 90, 30, 255)
    subject = framed(rgba)
    for half in halves(subject):
        inside = shown(subject, len(half)).alpha > 0.5
        assert np.abs(half[inside].astype(float) - (180, 90, 30)).max() < 30
