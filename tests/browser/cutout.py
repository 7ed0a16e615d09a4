"""A photo that is cut out already, for tests that are about what comes after the photo was chosen.

The create page runs the network for cutting out only on a photo with nothing clear in it, and the engine likewise:
seconds of work each time. ``test_on_device``, ``test_create`` and ``test_main_job`` have it done.
"""

import io
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import FilePayload

SAMPLES = Path(__file__).resolve().parents[2] / "static" / "samples"
LONGEST = 640


def cut_out() -> FilePayload:
    """The sample's middle, an ellipse of it, as the file that a person might choose."""
    with Image.open(SAMPLES / "mug.jpg") as opened:
        photo = opened.convert("RGB")
    photo.thumbnail((LONGEST, LONGEST))
    width, height = photo.size
    subject = Image.new("L", photo.size)
    ImageDraw.Draw(subject).ellipse((width * 0.2, height * 0.2, width * 0.8, height * 0.8), fill=255)
    photo.putalpha(subject)
    out = io.BytesIO()
    photo.save(out, "PNG")
    return {"name": "mug.png", "mimeType": "image/png", "buffer": out.getvalue()}


CUT_OUT = cut_out()
