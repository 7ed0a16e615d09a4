"""Tags are gone, the picture is the same, and it is still shown the right way up and in the right colours."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image, ImageCms, ImageOps, PngImagePlugin

from modelmyimage import NotAPhoto, photo_of, without_tags
from modelmyimage.tags import orientation
from tests.conftest import MUG, PHOTOS, ROOT

SECRET = b"Sunnyside Lane 7"
PICTURES = sorted(
    path
    for folder in (ROOT / "static" / "samples", PHOTOS)
    if folder.is_dir()
    for path in folder.iterdir()
    if path.suffix in (".jpg", ".png", ".webp")
)


def shown(data: bytes) -> tuple[tuple[int, int], bytes]:
    """What somebody sees."""
    with Image.open(io.BytesIO(data)) as picture:
        return ImageOps.exif_transpose(picture).size, ImageOps.exif_transpose(picture).convert("RGBA").tobytes()


def tagged(kind: str, *, turn: int = 6) -> bytes:
    """A picture with everything that may be in one."""
    picture = Image.effect_noise((60, 40), 80).convert("RGB")
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turn
    exif[ExifTags.Base.Artist] = SECRET.decode()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (52.0, 30.0, 1.5)
    more: dict[str, Any] = {}
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", SECRET.decode())
        text.add_itxt("XML:com.adobe.xmp", SECRET.decode())
        more = {"pnginfo": text}
    elif kind == "JPEG":
        more = {"comment": SECRET, "progressive": True}
    if kind != "PNG":
        more["xmp"] = b"<x:xmpmeta>" + SECRET
    made = io.BytesIO()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture.save(made, kind, exif=exif, icc_profile=profile, quality=90, **more)
    return made.getvalue() + (SECRET if kind == "JPEG" else b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("turn", [1, 6])
def test_everything_that_may_be_in_one(kind: str, turn: int) -> None:
    before = tagged(kind, turn=turn)
    assert SECRET in before
    after = without_tags(before).data
    assert SECRET not in after
    assert shown(after) == shown(before)
    with Image.open(io.BytesIO(after)) as picture:
        assert picture.info["icc_profile"] == Image.open(io.BytesIO(before)).info["icc_profile"]
        assert dict(picture.getexif()) == ({} if turn == 1 else {ExifTags.Base.Orientation: turn})
        assert not picture.getexif().get_ifd(ExifTags.IFD.GPSInfo)
        assert "xmp" not in picture.info
    assert without_tags(after).data == after
    if kind == "WEBP":
        assert after[20] & 0x0C == (0 if turn == 1 else 0x08)  # it announces what it has: no XMP


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_real_photos(path: Path) -> None:
    before = path.read_bytes()
    after = photo_of(path)
    assert after.stripped
    assert shown(after.data) == shown(before)
    with Image.open(io.BytesIO(after.data)) as picture:
        assert set(picture.getexif()) <= {ExifTags.Base.Orientation}


def test_a_photo_of_a_phone() -> None:
    path = PHOTOS / "elephant_phone_exif_gps_orientation6.jpg"
    if not path.exists():
        pytest.skip("../shared/data is not here")
    with Image.open(path) as before:
        assert before.getexif().get_ifd(ExifTags.IFD.GPSInfo)
        maker = str(before.getexif()[ExifTags.Base.Make]).encode()
    after = photo_of(path).data
    assert maker not in after
    with Image.open(io.BytesIO(after)) as picture:
        assert dict(picture.getexif()) == {ExifTags.Base.Orientation: 6}


def test_every_orientation_in_both_orders() -> None:
    for order, mark in ((">", b"MM\x00*"), ("<", b"II*\x00")):
        for turn in range(10):
            tiff = mark + struct.pack(f"{order}IHHHIHHI", 8, 1, 0x0112, 3, 1, turn, 0, 0)
            assert orientation(tiff) == (turn if 1 <= turn <= 8 else 1)
            assert orientation(tiff[:-9]) == 1
    assert orientation(b"") == orientation(b"MM\x00*\xff\xff\xff\xff") == 1


def test_second_pictures_and_thumbnails_stay_behind() -> None:
    mug = MUG.read_bytes()
    thumbnail = b"\xff\xe0" + struct.pack(">H", 16 + 3) + b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x01\x01" + b"tag"
    several = b"\xff\xe2" + struct.pack(">H", 2 + 4 + len(SECRET)) + b"MPF\x00" + SECRET
    after = without_tags(mug[:2] + thumbnail + several + mug[2:] + mug).data
    assert b"tag" not in after[:40]
    assert after[:20] == mug[:2] + thumbnail[:2] + b"\x00\x10" + thumbnail[4:16] + b"\x00\x00"  # of no size
    assert SECRET not in after
    assert len(after) < len(mug) + 40
    assert shown(after) == shown(mug)


def test_heic_and_avif_go_as_they_are() -> None:
    for brand, kind in ((b"heic", "image/heic"), (b"avif", "image/avif")):
        data = b"\x00\x00\x00\x18ftyp" + brand + b"\x00" * 12
        photo = without_tags(data)
        assert (photo.data, photo.media_type, photo.stripped) == (data, kind, False)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_what_is_cut_short_or_scrambled_is_an_error_that_says_so(kind: str) -> None:
    whole = tagged(kind)
    for length in (*range(4, 200), len(whole) // 2):
        with pytest.raises(NotAPhoto):
            without_tags(whole[:length])
    for at in range(12, 400):
        try:
            after = without_tags(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]).data
        except NotAPhoto:
            continue
        assert len(after) <= len(whole)


def test_other_files() -> None:
    for data in (
        b"",
        b"GIF89a" + b"\0" * 40,
        b"%PDF-1.7",
        zlib.compress(b"x"),
        b"\x00\x00\x00\x18ftypmp42" + b"\0" * 9,
    ):
        with pytest.raises(NotAPhoto):
            without_tags(data)
