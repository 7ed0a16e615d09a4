"""What a provider is sent: the cut-out, drawn anew in the form the service takes, and no larger than it needs.

Works on PNGs of our own making only. Nothing but pixels goes out: no tag, no name, no profile.
"""

from __future__ import annotations

import base64
import io
from typing import Final

from PIL import Image

SIDE: Final = 2048
"""The longest side that any service makes use of, in pixels."""
GREY: Final = (127, 127, 127)
PLAIN: Final = (255, 255, 255)
"""The background for services that know no transparency."""


def png(cut_out: bytes, *, side: int = SIDE, limit: int = 10_000_000, padded: float = 0.0) -> bytes:
    """The cut-out (PNG with alpha), at most ``side`` pixels and ``limit`` bytes; smaller until it fits.

    ``padded``: room around it on each side, as a share of its longest side, for services that expect some.
    """
    picture = _pixels(cut_out)
    if padded:
        room = round(max(picture.size) * padded)
        wider = Image.new("RGBA", (picture.width + 2 * room, picture.height + 2 * room))
        wider.paste(picture, (room, room))
        picture = wider
    return _fitting(picture, side, limit, "PNG")


def jpeg(cut_out: bytes, *, side: int = SIDE, limit: int = 10_000_000) -> bytes:
    """The cut-out on a plain background (JPEG), at most ``side`` pixels and ``limit`` bytes."""
    picture = _pixels(cut_out)
    ground = Image.new("RGBA", picture.size, (*PLAIN, 255))
    return _fitting(Image.alpha_composite(ground, picture).convert("RGB"), side, limit, "JPEG")


def squared(cut_out: bytes, *, filled: float = 0.85) -> bytes:
    """The cut-out (PNG) in the middle of a square of which its longest side takes that share.

    For services that make a square of whatever they get, by cutting off its ends or by squeezing it.
    """
    picture = _pixels(cut_out)
    picture = picture.crop(picture.getchannel("A").getbbox())
    side = round(max(picture.size) / filled)
    square = Image.new("RGBA", (side, side))
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    out = io.BytesIO()
    square.save(out, "PNG")
    return out.getvalue()


def framed(cut_out: bytes, *, filled: float = 0.85) -> bytes:
    """The object on grey (PNG), in the middle of a square of which its longest side is the share ``filled``.

    What TripoSR makes of a photo whose background it removes itself; other pictures it squeezes into a square.
    """
    picture = _pixels(cut_out)
    picture = picture.crop(picture.getchannel("A").getbbox())
    side = round(max(picture.size) / filled)
    ground = Image.new("RGBA", (side, side), (*GREY, 255))
    ground.alpha_composite(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return _fitting(ground, side, 1 << 30, "PNG")


def _pixels(cut_out: bytes) -> Image.Image:
    """The picture as RGBA; what is transparent has no colour that could be brought back."""
    with Image.open(io.BytesIO(cut_out), formats=["PNG"]) as opened:
        picture = opened.convert("RGBA")
    seen = picture.getchannel("A").point([0] + [255] * 255)
    return Image.composite(picture, Image.new("RGBA", picture.size), seen)


def _fitting(picture: Image.Image, side: int, limit: int, form: str) -> bytes:
    while True:
        picture.thumbnail((side, side))
        out = io.BytesIO()
        picture.save(out, form, quality=92, compress_level=2)  # three times as fast as usual, a tenth larger
        if out.tell() <= limit or side < 128:
            return out.getvalue()
        side = max(picture.size) * 3 // 4


def data_uri(picture: bytes) -> str:
    """A PNG or JPEG as a data URI."""
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def blank() -> bytes:
    """A picture of nothing (PNG, one pixel), to write over what cannot be deleted."""
    out = io.BytesIO()
    Image.new("RGB", (1, 1)).save(out, "PNG")
    return out.getvalue()
