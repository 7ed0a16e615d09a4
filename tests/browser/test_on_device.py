"""What would leave a device of a photo: its pixels alone, and of those only its subject's."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray
from PIL import Image, ImageCms

from generation import pixels
from generation.engine import CutOut, Options, cut_out, encode_cut_out, reconstruct
from tests.browser.conftest import Watched, join
from tests.browser.ondevice import on_device
from tests.stack import RunningSite

pytestmark = [pytest.mark.browser, pytest.mark.stack]
SAMPLE = Path(__file__).resolve().parents[2] / "static" / "samples" / "mug.jpg"
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:p="http://ns.adobe.com/photoshop/1.0/" p:City="Exampleville"/>'
    b"</rdf:RDF></x:xmpmeta>"
)
MARGIN = 10
"""By so many pixels of 960 the outline may be off."""


def busy() -> tuple[Image.Image, NDArray[np.bool_]]:
    """A mug on a ground of coloured patches, and which pixels are the mug."""
    mug = Image.fromarray(cut_out(SAMPLE.read_bytes()).rgba)
    patches = np.random.default_rng(8).integers(0, 256, (mug.height // 16, mug.width // 16, 3), np.uint8)
    scene = Image.fromarray(patches).resize(mug.size, Image.Resampling.BICUBIC)
    scene.paste(mug, mask=mug.getchannel("A"))
    return scene, np.asarray(mug.getchannel("A")) > 127


def tagged(scene: Image.Image, form: str) -> bytes:
    """The scene as a phone would write it: where, when, by what and by whom, and a colour profile."""
    tags = Image.Exif()
    tags[0x010F], tags[0x013B], tags[0x0131] = "Examplephone", "A Person", "Exampleroom 3"
    tags.get_ifd(0x8769)[0xA431] = "SN-0815"
    tags.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    out = io.BytesIO()
    scene.save(out, form, exif=tags, xmp=XMP, icc_profile=profile, quality=92)
    return out.getvalue()


def chunks(png: bytes) -> list[bytes]:
    """The names of all of a PNG's chunks; nothing may lie behind the last."""
    names, at = [], 8
    while at < len(png):
        names.append(png[at + 4 : at + 8])
        at += 12 + int.from_bytes(png[at : at + 4], "big")
    assert at == len(png)
    return names


def segments(jpeg: bytes) -> list[int]:
    """The marks of all of a JPEG's segments before its scan."""
    marks, at = [], 2
    while jpeg[at + 1] != 0xDA:
        marks.append(jpeg[at + 1])
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    assert jpeg.endswith(b"\xff\xd9")
    return marks


def test_no_tag_and_no_background_leaves(watched: Watched, site: RunningSite) -> None:
    page = watched.page
    join(page, site.url, "device@example.org")
    device = on_device(page, site.url)
    scene, known = busy()
    photo = tagged(scene, "JPEG")

    # Cut out: PNG, nothing but pixels, and of those only the subject's.
    cut = device.prepare(photo, edges=(0, -1, 1))
    assert (cut["cut"], cut["why"], cut["type"]) == ("done", "", "image/png")
    assert set(chunks(cut["data"])) == {b"IHDR", b"IDAT", b"IEND"}
    rgba = np.asarray(Image.open(io.BytesIO(cut["data"])))
    assert rgba.shape == (*known.shape, 4)
    found = rgba[..., 3] > 127
    assert (found & known).sum() / (found | known).sum() >= 0.9
    outside = cv2.dilate(known.astype(np.uint8), np.ones((2 * MARGIN + 1,) * 2, np.uint8)) == 0
    assert outside.mean() > 0.5
    assert not rgba[outside].any()
    assert not rgba[rgba[..., 3] == 0].any()
    told = {tag["name"]: (tag["group"], tag["value"]) for tag in cut["tags"]}
    assert told["GPSLatitude"][0] == told["City"][0] == "place"
    assert told["Make"] == ("camera", "Examplephone")
    assert told["BodySerialNumber"] == ("camera", "SN-0815")
    assert told["Artist"] == ("person", "A Person")

    # The edge moves, at once and only the way it is asked to.
    usual, tighter, wider = (np.asarray(Image.open(io.BytesIO(one)))[..., 3] > 127 for one in cut["again"])
    assert not (tighter & ~usual).any()
    assert not (usual & ~wider).any()
    assert tighter.sum() < 0.95 * usual.sum() < usual.sum() < 0.95 * wider.sum()

    # The engine takes what is left for the whole, and makes the same thing of it as of the photo.
    header, redrawn = pixels.redraw(cut["data"])
    assert header["media_type"] == "image/png"
    ours, its = cut_out(redrawn[0]), cut_out(photo)
    assert ours.warnings == ()
    here, there = ours.rgba[..., 3] > 127, its.rgba[..., 3] > 127
    assert (here & there).sum() / (here | there).sum() > 0.93
    one, other = (model(cut) for cut in (ours, its))
    assert one.is_watertight
    assert one.extents == pytest.approx(other.extents, abs=0.05)
    assert one.volume == pytest.approx(other.volume, rel=0.15)

    # Left as it is, and turned: still no tag.
    for form in ("JPEG", "WEBP", "AVIF"):
        whole = device.prepare(tagged(scene, form), form.lower(), cutOut=False, turns=1, longest=480)
        assert (whole["cut"], whole["width"], whole["height"]) == ("off", 400, 480)
        assert set(segments(whole["data"])) <= {0xE0, 0xDB, 0xC0, 0xC2, 0xC4, 0xDD}
        assert {tag["group"] for tag in whole["tags"]} >= {"place", "camera", "person", "program"}

    # A format that the browser does not know, a file that is none, and one that claims to be too large.
    heic = device.prepare(heif(scene.reduce(2)), "heic", cutOut=False)
    assert (heic["type"], heic["width"], heic["height"]) == ("image/jpeg", *scene.reduce(2).size)
    assert device.prepare(b"\xff\xd8\xff" + bytes(200))["unreadable"] == "damaged"
    assert device.prepare(b"no picture at all" * 9)["unreadable"] == "kind"
    bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (60_000).to_bytes(4, "big") * 2 + bytes(99)
    assert device.prepare(bomb, "png")["unreadable"] == "pixels"

    # Where the network cannot be had, the whole picture is left, and a reason.
    page.evaluate("document.getElementById('device').dataset.weights = ''")
    without = device.prepare(photo)
    assert (without["cut"], without["why"], without["type"]) == ("unavailable", "absent", "image/jpeg")
    assert watched.off_origin(site.url) == []
    assert watched.complaints == []

    # Nor where workers do not work.
    page.reload()
    page.evaluate("document.getElementById('device').dataset.worker = '/nowhere.js'")
    without = device.prepare(photo)
    assert (without["cut"], without["why"], without["type"]) == ("unavailable", "worker", "image/jpeg")
    assert set(segments(without["data"])) <= {0xE0, 0xDB, 0xC0, 0xC2, 0xC4, 0xDD}


def model(cut: CutOut) -> trimesh.Trimesh:
    """What the engine builds of it, in metres, without seams."""
    glb = reconstruct(encode_cut_out(cut), options=Options(quality="draft"))
    mesh: trimesh.Trimesh
    (mesh,) = trimesh.load_scene(io.BytesIO(glb), file_type="glb").geometry.values()
    mesh.merge_vertices(merge_tex=True, merge_norm=True)
    return mesh


def heif(scene: Image.Image) -> bytes:
    import pillow_heif

    out = io.BytesIO()
    pillow_heif.from_pillow(scene).save(out, quality=90)
    return out.getvalue()
