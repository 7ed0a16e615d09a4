"""What photo we take, and the plain picture that everything after intake works with.

``normalise`` is the only way from a photo's bytes to a picture. The work is done by ``generation/pixels.py`` in a
confined process; here are its limits and what we tell people whose photo we cannot take.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.translation import gettext as _

from generation import confined

MAX_SIDE: Final = 2048
MIN_SIDE: Final = 64
MAX_PIXELS: Final = 50_000_000
SECONDS: Final = 20.0
MEMORY: Final = 1_500_000_000  # 50 million pixels twice over, and the decoders themselves
OUTPUT_LIMIT: Final = 32_000_000  # more than MAX_SIDE x MAX_SIDE pixels of four bytes can need


class Refused(Exception):
    """This photo cannot be taken: ``code`` for programs, ``message`` (translated) says what to do."""

    def __init__(self, code: str, facts: dict[str, Any] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = _message(code, facts or {})


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Upright sRGB pixels without any tag: PNG when something is transparent, JPEG (quality 95, 4:4:4) if not."""

    data: bytes = field(repr=False)
    width: int
    height: int
    media_type: str


def normalise(chunks: Iterable[bytes]) -> Picture:
    """The picture in a photo's bytes, longest side at most ``MAX_SIDE`` pixels.

    Raises ``Refused`` (empty, not_an_image, unsupported, animated, too_small, too_many_pixels, damaged,
    took_too_long) and whatever reading ``chunks`` raises.
    """
    try:
        header, data = confined.run("picture", chunks, seconds=SECONDS, memory=MEMORY, output_limit=OUTPUT_LIMIT)
    except confined.TimedOut:
        raise Refused("took_too_long") from None
    except (confined.Crashed, confined.OutOfBounds):
        # Only a file that no camera wrote gets here; which decoder it broke is not its sender's to know.
        raise Refused("damaged") from None
    if "refused" in header:
        raise Refused(header["refused"], header)
    return Picture(data=data, width=header["width"], height=header["height"], media_type=header["media_type"])


def _message(code: str, facts: dict[str, Any]) -> str:
    formats = _("We read JPEG, PNG, WebP, HEIC and AVIF.")
    match code:
        case "empty":
            return _("The file is empty: 0 bytes. Choose the photo again.")
        case "unsupported":
            return _("This is a %(found)s file.") % facts + " " + formats
        case "animated":
            return _("This picture moves. Send one frame of it.") + " " + formats
        case "too_small":
            return _(
                "%(width)d × %(height)d pixels. Each side needs at least %(least)d once the longer one is "
                "%(most)d or less."
            ) % {**facts, "least": MIN_SIDE, "most": MAX_SIDE}
        case "too_many_pixels":
            return _(
                "%(width)d × %(height)d is %(found)d million pixels. The limit is %(most)d. Send a smaller copy."
            ) % {
                **facts,
                "found": -(-facts["width"] * facts["height"] // 1_000_000),
                "most": MAX_PIXELS // 1_000_000,
            }
        case "damaged":
            return _("This file is cut short or damaged. Open it on your device, save it anew, and send that.")
        case "took_too_long":
            return _("Reading this file took too long. Save it anew as a JPEG and send that.")
        case _:
            return _("This is not a picture.") + " " + formats
