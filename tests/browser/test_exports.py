"""Every format that the page makes of a GLB says the same as the GLB, to readers that are not ours."""

from __future__ import annotations

import base64
import io
import struct
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import trimesh
from lxml import etree
from numpy.typing import NDArray
from PIL import Image
from PIL.GifImagePlugin import GifImageFile
from playwright.sync_api import Page, expect
from pxr import Usd, UsdGeom, UsdShade, UsdValidation

from tests.browser.conftest import SEND, Watched, join
from tests.browser.cutout import CUT_OUT
from tests.browser.looks import objections
from tests.long import LONG
from tests.stack import RunningSite

pytestmark = [pytest.mark.browser, pytest.mark.stack]
CORE = "{http://schemas.microsoft.com/3dmanufacturing/core/2015/02}"
COLOURS = "{http://schemas.microsoft.com/3dmanufacturing/material/2015/02}"
SCENE = ("usdLux", "usdPhysics", "usdSkel", "usdMedia")
"""Validators of what our files do not have."""
LONGEST_MM = 120.0
RED, BLUE = (200, 30, 20), (20, 60, 220)
"""Amounts of light: a GLB's colours of vertices are linear."""

Save = Callable[[str], Path]
Corners = NDArray[np.float64]
"""The corners of all triangles, (triangles, 3, 3), in the order of the file."""


def pieces() -> bytes:
    """A GLB of a box with two colours of vertices, turned and mirrored, and a ball of one colour beside it."""
    box = trimesh.creation.box((1.0, 2.0, 0.5))
    box.visual.vertex_colors = [[*(RED if x > 0 else BLUE), 255] for x in box.vertices[:, 0]]
    ball = trimesh.creation.icosphere(subdivisions=2, radius=0.4)
    paint = trimesh.visual.material.PBRMaterial(baseColorFactor=[255, 255, 255, 255], metallicFactor=0.0)
    ball.visual = trimesh.visual.TextureVisuals(material=paint)
    scene = trimesh.Scene()
    turned = trimesh.transformations.rotation_matrix(0.7, (1, 2, 3), (0.1, 0.2, 0.3))
    scene.add_geometry(box, transform=turned @ np.diag([-1.0, 1.0, 1.0, 1.0]))
    scene.add_geometry(ball, transform=trimesh.transformations.translation_matrix((1.5, -0.5, 0.25)))
    exported = scene.export(file_type="glb")
    assert isinstance(exported, bytes)
    return exported


def corners(loaded: trimesh.Trimesh | trimesh.Scene) -> Corners:
    """The corners of what trimesh has read."""
    mesh = loaded.to_mesh() if isinstance(loaded, trimesh.Scene) else loaded
    return np.asarray(mesh.triangles)


def same(found: Corners, expected: Corners) -> None:
    """As many triangles, within one in a hundred, in the same box; and facing the same way."""
    assert len(found) == pytest.approx(len(expected), rel=0.01)
    scale = np.ptp(expected, axis=(0, 1)).max()
    for end in (np.min, np.max):
        assert end(found, axis=(0, 1)) == pytest.approx(end(expected, axis=(0, 1)), abs=scale * 1e-4)
    assert volume(found) == pytest.approx(volume(expected), rel=1e-3)


def volume(triangles: Corners) -> float:
    """Within the triangles, negative where they are inside out."""
    return float(np.einsum("ij,ij->", triangles[:, 0], np.cross(triangles[:, 1], triangles[:, 2])) / 6)


def printed(triangles: Corners) -> Corners:
    """As a printer gets them: Z up, in millimetres, in the corner of the plate."""
    up = np.stack([triangles[..., 0], -triangles[..., 2], triangles[..., 1]], axis=-1)
    size = np.ptp(up, axis=(0, 1))
    return np.asarray((up - up.min(axis=(0, 1))) * (LONGEST_MM / size.max()))


def halves(points: NDArray[np.float64], uv: NDArray[np.float64], image: Image.Image) -> NDArray[np.float64]:
    """The mean colour of the picture at the upper and at the lower vertices; v runs upwards."""
    pixels = np.asarray(image.convert("RGB")).astype(float)
    height, width = pixels.shape[:2]
    across = np.clip(uv[:, 0] * width, 0, width - 1).astype(int)
    down = np.clip((1 - uv[:, 1]) * height, 0, height - 1).astype(int)
    upper = points[:, 1] > np.median(points[:, 1])
    return np.stack([pixels[down[half], across[half]].mean(axis=0) for half in (upper, ~upper)])


def painted(mesh: trimesh.Trimesh) -> NDArray[np.float64]:
    """The colours of a mesh's two halves."""
    assert isinstance(mesh.visual, trimesh.visual.TextureVisuals)
    material = mesh.visual.material
    image = getattr(material, "baseColorTexture", None) or material.image
    return halves(np.asarray(mesh.vertices), np.asarray(mesh.visual.uv), image)


def check_obj(path: Path, expected: Corners, paint: NDArray[np.float64] | None) -> None:
    with ZipFile(path) as archive:
        names = archive.namelist()
        assert {stamp.date_time for stamp in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        archive.extractall(path.parent / "obj")
        shape, materials = archive.read("model.obj").decode(), archive.read("model.mtl").decode()
    loaded = trimesh.load_scene(path.parent / "obj" / "model.obj", group_material=False, split_object=True)
    same(corners(loaded), expected)
    assert shape.startswith("mtllib model.mtl\n")
    named = [line.split()[1] for line in materials.splitlines() if line.startswith("map_Kd ")]
    assert bool(named) is (paint is not None)
    assert set(named) <= set(names)
    if paint is not None:
        assert painted(loaded.to_mesh()) == pytest.approx(paint, abs=3)
    else:
        reds = [line for line in shape.splitlines() if line.startswith("v ") and len(line.split()) == 7]
        assert len(reds) >= 8


def check_stl(path: Path, expected: Corners) -> None:
    content = path.read_bytes()
    assert content[:80] == bytes(80)
    assert len(content) == 84 + 50 * struct.unpack("<I", content[80:84])[0]
    same(corners(trimesh.load_mesh(path)), printed(expected))


def check_ply(path: Path, expected: Corners, colours: list[tuple[int, ...]]) -> None:
    mesh = trimesh.load_mesh(path)
    same(corners(mesh), expected)
    assert isinstance(mesh.visual, trimesh.visual.ColorVisuals)
    found = np.asarray(mesh.visual.vertex_colors)[:, :3].astype(int)
    for colour in colours:
        assert np.abs(found - colour).max(axis=1).min() <= 12, colour


def check_3mf(path: Path, expected: Corners, colours: list[tuple[int, ...]]) -> None:
    with ZipFile(path) as archive:
        assert archive.testzip() is None
        model = etree.fromstring(archive.read("3D/3dmodel.model"))
        types = etree.fromstring(archive.read("[Content_Types].xml"))
        relations = etree.fromstring(archive.read("_rels/.rels"))
    assert {entry.get("Extension") for entry in types} == {"rels", "model"}
    assert [entry.get("Target") for entry in relations] == ["/3D/3dmodel.model"]
    assert model.get("unit") == "millimeter"
    assert model.findall(f"{CORE}metadata") == []
    vertices = np.array([[float(one.get(axis)) for axis in "xyz"] for one in model.iter(f"{CORE}vertex")])
    triangles = [[int(one.get(key)) for key in ("v1", "v2", "v3")] for one in model.iter(f"{CORE}triangle")]
    assert all(len(set(triangle)) == 3 for triangle in triangles)
    same(vertices[np.array(triangles)], printed(expected))
    same(corners(trimesh.load_mesh(path)), printed(expected))
    shades = [bytes.fromhex(one.get("color")[1:]) for one in model.iter(f"{COLOURS}color")]
    used = [int(one.get("p1")) for one in model.iter(f"{CORE}triangle")]
    assert max(used) < len(shades)
    for colour in colours:
        assert min(max(abs(a - b) for a, b in zip(shade, colour, strict=True)) for shade in shades) <= 12, colour


def check_usdz(path: Path, expected: Corners, paint: NDArray[np.float64] | None) -> None:
    with ZipFile(path) as archive:
        for entry in archive.infolist():
            name, extra = struct.unpack("<HH", path.read_bytes()[entry.header_offset + 26 :][:4])
            assert (entry.header_offset + 30 + name + extra) % 64 == 0
            assert entry.compress_type == 0
    stage = Usd.Stage.Open(str(path))
    assert UsdGeom.GetStageUpAxis(stage) == "Y"
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1.0
    assert stage.GetDefaultPrim().GetName() == "Model"
    registry = UsdValidation.ValidationRegistry()
    rules = [rule.name for rule in registry.GetAllValidatorMetadata() if not rule.name.startswith(SCENE)]
    context = UsdValidation.ValidationContext(registry.GetOrLoadValidatorsByName(rules))
    assert [str(error.GetMessage()) for error in context.Validate(stage)] == []
    found, pictures = [], 0
    for prim in stage.Traverse():
        if not prim.IsA(UsdGeom.Mesh):
            continue
        mesh = UsdGeom.Mesh(prim)
        assert set(mesh.GetFaceVertexCountsAttr().Get()) == {3}
        points = np.array(mesh.GetPointsAttr().Get(), dtype=float)
        found.append(points[np.array(mesh.GetFaceVertexIndicesAttr().Get()).reshape(-1, 3)])
        material, _ = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()
        surface = material.ComputeSurfaceSource()[0]
        (source,) = surface.GetInput("diffuseColor").GetConnectedSources()[0] or [None]
        picture = source and UsdShade.Shader(source.source.GetPrim()).GetInput("file")
        if picture:
            with ZipFile(path) as archive:
                image = Image.open(io.BytesIO(archive.read(picture.Get().path)))
            uv = np.array(prim.GetAttribute("primvars:st").Get(), dtype=float)
            assert halves(points, uv, image) == pytest.approx(paint, abs=3)
            pictures += 1
    assert pictures == (0 if paint is None else 1)
    same(np.concatenate(found), expected)


def on_screen(light: tuple[int, ...]) -> tuple[int, ...]:
    """The bytes that a screen shows so much light by (sRGB)."""
    part = np.array(light) / 255
    shown = np.where(part <= 0.0031308, part * 12.92, 1.055 * part ** (1 / 2.4) - 0.055)
    return tuple(np.round(shown * 255).astype(int))


def saver(page: Page, folder: Path) -> Save:
    """Saves a file by its button, as often as it is pressed."""
    folder.mkdir()

    def save(name: str) -> Path:
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Save {name}", exact=True).click()
        assert download.value.suggested_filename == name
        download.value.save_as(folder / name)
        return folder / name

    return save


def check_shapes(save: Save, glb: bytes, textured: bool, colours: list[tuple[int, ...]]) -> None:
    """The formats of a model, against the model."""
    scene = trimesh.load_scene(io.BytesIO(glb), file_type="glb")
    expected = corners(scene)
    paint = painted(scene.to_mesh()) if textured else None
    check_obj(save("model.obj.zip"), expected, paint)
    check_usdz(save("model.usdz"), expected, paint)
    check_ply(save("model.ply"), expected, colours)
    check_3mf(save("model.3mf"), expected, colours)
    check_stl(save("model.stl"), expected)


def check_turning(page: Page, save: Save) -> None:
    wide = page.locator("[name='turn-px']:checked")
    assert wide.get_attribute("value") == "512"
    width = 512 if LONG else 160  # without a graphics card, a tenth of the pixels is a tenth of the work
    wide.evaluate("(choice, width) => choice.setAttribute('value', width)", width)
    with Image.open(save("model.gif")) as gif:
        assert isinstance(gif, GifImageFile)
        assert (gif.size, gif.n_frames, gif.info["loop"]) == ((width, width), 48, 0)
        frames = []
        for number in (0, 12, 24):
            gif.seek(number)
            frames.append(np.asarray(gif.convert("RGB")).astype(int))
    assert all(len(np.unique(frame @ (65536, 256, 1))) > 50 for frame in frames)
    assert np.abs(frames[0] - frames[1]).mean() > 1
    assert np.abs(frames[0] - frames[2]).mean() > 1

    films = [name for name in ("mp4", "webm") if page.locator(f"[data-format={name}]").is_visible()]
    assert films
    if not LONG:  # a film takes its whole length to make
        return
    content = save(f"model.{films[0]}").read_bytes()
    assert content[4:8] == b"ftyp" if films[0] == "mp4" else content[:4] == b"\x1a\x45\xdf\xa3"
    assert len(content) > 20_000


def test_every_format_says_what_the_glb_says(site: RunningSite, watched: Watched, tmp_path: Path) -> None:
    page = watched.page
    join(page, site.url, "formats@example.org")
    page.locator("#id_photo").set_input_files(CUT_OUT)
    page.locator(SEND).click()
    page.wait_for_url(f"{site.url}/jobs/*")
    expect(page.locator("#save")).to_be_enabled()
    save = saver(page, tmp_path / "engine")
    glb = save("model.glb").read_bytes()

    page.get_by_text("Other formats").click()
    expect(page.locator("#formats-note")).to_contain_text("Made in this tab")
    assert page.locator("#print-sides").inner_text() != ""
    asked = len(watched.requests)
    page.context.set_offline(True)

    # A length that cannot be printed is said at its field, and nothing else is lost by it.
    page.get_by_label("Longest side", exact=True).fill("0.5")
    page.get_by_role("button", name="Save model.stl").click()
    expect(page.locator("#print-length-error")).to_contain_text("from 1 to 2000 mm")
    expect(page.get_by_label("Longest side", exact=True)).to_be_focused()
    assert objections(page) == []
    page.get_by_label("Longest side", exact=True).fill(str(LONGEST_MM))

    texture = trimesh.load_scene(io.BytesIO(glb), file_type="glb").to_mesh().visual.material.baseColorTexture
    usual = np.median(np.asarray(texture.convert("RGB")).reshape(-1, 3), axis=0)
    check_shapes(save, glb, textured=True, colours=[tuple(usual.astype(int))])
    page.get_by_role("button", name="Save model.gif").click()
    # By a key: while the page draws frames, a tap that is played may take long enough for a long press.
    page.get_by_role("button", name="Cancel model.gif").press("Enter")
    expect(page.locator("#announce")).to_have_text("Stopped. Nothing was saved.")
    expect(page.get_by_role("button", name="Save model.gif")).to_be_focused()
    assert objections(page) == []

    # Another GLB, in the same panel: several parts, turned, mirrored, with colours of vertices.
    page.evaluate(
        """async (file) => {
          const area = document.getElementById("formats");
          area.replaceWith(area.cloneNode(true));
          const { Panel } = await import(area.dataset.script);
          const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
          new Panel(document.getElementById("formats"), new Blob([bytes]));
        }""",
        base64.b64encode(pieces()).decode(),
    )
    page.context.set_offline(False)
    expect(page.locator("#formats-note")).to_contain_text("Made in this tab")
    page.get_by_label("Longest side", exact=True).fill(str(LONGEST_MM))
    save = saver(page, tmp_path / "pieces")
    check_shapes(save, pieces(), textured=False, colours=[on_screen(RED), on_screen(BLUE)])
    check_turning(page, save)

    assert [
        url
        for url in watched.requests[asked:]
        if "/jobs/" in url and not url.endswith(("/events", "/state", "/receipt"))
    ] == []
    assert watched.off_origin(site.url) == []
    assert [text for text in watched.complaints if "ERR_INTERNET_DISCONNECTED" not in text] == []
