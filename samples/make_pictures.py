"""Pictures of models for the first page and ``docs/photos.md``: made by the embedded engine, drawn by our viewer.

    CHROMIUM=/path/to/chromium python -m samples.make_pictures

Writes ``docs/images/*.webp`` (for each example what was sent, and its model from two sides), each once more as AVIF
in two sizes, and in ``docs/images/light`` for browsers without scripts; and in ``static/landing`` the boat's model and
its picture. Needs the front end built, and the development packages.
"""

from __future__ import annotations

import base64
import io
import os
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from PIL import Image, ImageChops
from playwright.sync_api import Page, sync_playwright

from generation import engine, pixels
from samples.mistakes import EXAMPLES, boat

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
LANDING = ROOT / "static" / "landing"
SIZE = (320, 240)
"""Of the pictures in the guide, in pixels."""
STAGE = (720, 640)
"""In which models are drawn, in pixels."""
FIRST_PAGE = (720, 640)
"""Of the picture on the first page, in pixels."""
FADE = 90
"""Over so many pixels that picture begins and ends, left and right."""
SMALL = 224, 168
"""Of a guide's picture where a pixel of the page is one of the screen."""
WITHOUT_SCRIPTS = (200, 150)
"""Of a guide's picture where no script runs: such a browser loads all of a page at once, which may have 100 kB."""
GROUND = "#edf0ee"
"""The stage's, under those: what is transparent takes twice the bytes."""
LEFT, SIDE = (-24, 14, 0.9), (62, 14, 0.9)
ARRIVAL = (-20, 14, 1.2)
"""From where: degrees to the right of the front, degrees above, and how near."""

SHOW = """async ({ address, turn, tilt, zoom, width, height }) => {
  const { viewer } = await import("/static/dist/viewer.js");
  const handle = viewer(address, "", { word: (name) => name });
  handle.element.style.cssText = `display: block; width: ${width}px; height: ${height}px`;
  document.body.replaceChildren(handle.element);
  await handle.ready;
  const radians = Math.PI / 180;
  return handle.frame(width, height, { turn: turn * radians, tilt: tilt * radians, zoom }).toDataURL("image/png");
}"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def model(photo: bytes, options: engine.Options = engine.Options()) -> bytes:  # noqa: B008 - frozen
    """The GLB that the engine makes of a photo, by the way an upload goes."""
    cut = engine.cut_out(pixels.redraw(photo)[1][0])
    return engine.reconstruct(engine.encode_cut_out(cut), options=options)


def drawn(page: Page, folder: Path, glb: bytes, seen: tuple[float, float, float], size: tuple[int, int]) -> Image.Image:
    """The model as the viewer shows it, on nothing. Raises ``RuntimeError`` where it shows none."""
    name = f"{sha256(glb).hexdigest()}.glb"
    (folder / name).write_bytes(glb)
    width, height = size
    asked = {"address": f"/{name}", "width": width, "height": height} | dict(
        zip(("turn", "tilt", "zoom"), seen, strict=True)
    )
    for _ in range(3):  # a browser that has just begun may draw nothing yet
        said: str = page.evaluate(SHOW, asked)
        picture = Image.open(io.BytesIO(base64.b64decode(said.partition(",")[2])))
        if picture.getchannel("A").getbbox():
            break
    else:
        raise RuntimeError("The viewer drew nothing.")
    return picture.resize(size, Image.Resampling.LANCZOS)


def filling(picture: Image.Image) -> Image.Image:
    """What is seen of a model, with a little room around, in the shape of the guide's pictures."""
    left, top, right, bottom = picture.getchannel("A").getbbox() or (0, 0, *picture.size)
    width = max(right - left, (bottom - top) * SIZE[0] / SIZE[1]) * 1.12
    height = width * SIZE[1] / SIZE[0]
    x, y = (left + right - width) / 2, (top + bottom - height) / 2
    box = (round(x), round(y), round(x + width), round(y + height))
    return picture.crop(box).resize(SIZE, Image.Resampling.LANCZOS)


def save(picture: Image.Image, path: Path) -> None:
    """As WebP."""
    picture.save(path, "WEBP", quality=60, alpha_quality=60, method=6)


def save_guide(picture: Image.Image, name: str) -> None:
    """A guide's picture: as WebP, as the lighter AVIF in two sizes, and once more as small as it may be."""
    save(picture, IMAGES / f"{name}.webp")
    (IMAGES / "small").mkdir(exist_ok=True)
    small = picture.resize(SMALL, Image.Resampling.LANCZOS)
    picture.save(IMAGES / f"{name}.avif", "AVIF", quality=42, speed=0)
    small.save(IMAGES / "small" / f"{name}.avif", "AVIF", quality=21, speed=0)
    save_light(picture, name)


def save_light(picture: Image.Image, name: str) -> None:
    """A guide's picture once more, as small as it may be."""
    ground = Image.new("RGBA", picture.size, GROUND)
    ground.alpha_composite(picture.convert("RGBA"))
    small = ground.convert("RGB").resize(WITHOUT_SCRIPTS, Image.Resampling.LANCZOS)
    (IMAGES / "light").mkdir(exist_ok=True)
    small.save(IMAGES / "light" / f"{name}.avif", "AVIF", quality=30, speed=0)


def save_first(picture: Image.Image) -> None:
    """The picture on the first page: as AVIF, and as WebP for browsers that do not know it."""
    width, height = picture.size
    # The shadow on the ground goes on beyond the picture: it fades out before the edge would cut it.
    across = Image.new("L", (width, 1))
    across.putdata([min(255, 255 * min(x, width - 1 - x) // FADE) for x in range(width)])
    picture.putalpha(ImageChops.multiply(picture.getchannel("A"), across.resize((width, height))))
    picture.save(LANDING / "boat-model.avif", "AVIF", quality=38, speed=0)
    save(picture, LANDING / "boat-model.webp")


def fitted(photo: bytes) -> Image.Image:
    """A photo in the shape of the guide's pictures: edges cut off, or whole on nothing where that would lose much."""
    picture = Image.open(io.BytesIO(photo)).convert("RGBA")
    ratios = SIZE[0] / picture.width, SIZE[1] / picture.height
    ratio = max(ratios) if max(ratios) / min(ratios) < 1.3 else min(ratios)
    picture = picture.resize((round(picture.width * ratio), round(picture.height * ratio)), Image.Resampling.LANCZOS)
    left, top = (picture.width - SIZE[0]) // 2, (picture.height - SIZE[1]) // 2
    return picture.crop((left, top, left + SIZE[0], top + SIZE[1]))


def make(page: Page, folder: Path) -> None:
    """All pictures."""
    IMAGES.mkdir(exist_ok=True)
    for name, example in EXAMPLES.items():
        photo = example()
        glb = model(photo)
        pictures = {"photo": fitted(photo)} | {
            side: filling(drawn(page, folder, glb, seen, STAGE)) for side, seen in (("front", LEFT), ("side", SIDE))
        }
        for side, picture in pictures.items():
            save_guide(picture, f"{name}-{side}")
        print(name, len(glb))
    small = model(boat(), engine.Options(quality="standard", triangles=6_000))
    (LANDING / "boat.glb").write_bytes(small)
    save_first(drawn(page, folder, small, ARRIVAL, STAGE).resize(FIRST_PAGE, Image.Resampling.LANCZOS))
    print("boat.glb", len(small))


def main() -> None:
    """Serve the viewer and the models on this machine, and draw."""
    with TemporaryDirectory() as made, sync_playwright() as playwright:
        folder = Path(made)
        (folder / "static").symlink_to(ROOT / "static")
        (folder / "index.html").write_text("<!doctype html><title>Pictures</title>")
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=made))
        Thread(target=server.serve_forever, daemon=True).start()
        flags = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM"), args=flags)
        page = browser.new_page(device_scale_factor=2)
        page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
        make(page, folder)
        browser.close()
        server.shutdown()


if __name__ == "__main__":
    main()
