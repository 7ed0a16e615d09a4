"""A photo is redrawn: its pixels are copied upright, in sRGB, at a size we use, and nothing else is.

Runs inside the confined process (task "picture"); ``generation/images.py`` is the way in. A file's format is what
its bytes say. What comes out is a new picture made from a plain array of pixels, so no tag can survive, known or
unknown. Every way in which a file can be unacceptable has a code; see ``Refusal``.
"""

from __future__ import annotations

import io
import re
from typing import Any, Final

import pillow_heif.options
from PIL import AvifImagePlugin, Image, ImageCms, ImageFile, JpegImagePlugin, PngImagePlugin, WebPImagePlugin
from pillow_heif import HeifImageFile

from generation import untag
from generation.confined import Refusal

MAX_SIDE: Final = 2048
MIN_SIDE: Final = 64
MAX_PIXELS: Final = 50_000_000

# We check sizes ourselves, before a decoder allocates; Pillow's own limit would come first with another error.
Image.MAX_IMAGE_PIXELS = None
# Two threads would share one time limit and double the stacks.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
pillow_heif.options.DECODE_THREADS = 1
pillow_heif.options.THUMBNAILS = False
pillow_heif.options.DEPTH_IMAGES = False
pillow_heif.options.AUX_IMAGES = False

DECODERS: Final[dict[str, type[ImageFile.ImageFile]]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,  # the class itself, so that a phone's MPO is its primary picture
    "PNG": PngImagePlugin.PngImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "HEIC": HeifImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
}
OTHERS: Final = (
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"%PDF", "PDF"),
    (b"8BPS", "PSD"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\x00\x00\x01\x00", "ICO"),
)
HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2"})
SEQUENCE_BRANDS: Final = frozenset({b"hevc", b"hevx", b"hevm", b"hevs", b"msf1"})
PNG_KEPT: Final = frozenset({b"iCCP", b"eXIf"})  # needed below, then left behind
ORIENTATION: Final = 0x0112
TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
WIDE_GREY: Final = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})


def redraw(data: bytes | bytearray) -> tuple[dict[str, Any], list[bytes]]:
    """A header (``width``, ``height`` in pixels, ``media_type``) and the new picture. Raises ``Refusal``."""
    kind = sniff(data)
    try:
        clean = _upright(_srgb(_scaled(_open(kind, data))))
    except (Refusal, MemoryError):
        raise
    except untag.Moving:
        raise Refusal("animated") from None
    except Exception:
        # Decoders meet a hostile file with errors of every class; all of them say the same to a person.
        raise Refusal("damaged") from None
    transparent = clean.mode == "RGBA" and clean.getchannel("A").getextrema() != (255, 255)
    result = io.BytesIO()
    if transparent:
        clean.save(result, "PNG", compress_level=3)
    else:
        clean.convert("RGB").save(result, "JPEG", quality=95, subsampling="4:4:4")
    header = {
        "width": clean.width,
        "height": clean.height,
        "media_type": "image/png" if transparent else "image/jpeg",
    }
    return header, [result.getvalue()]


def rehearse() -> None:
    """Redraw pictures of our own, so that everything Pillow loads on first use is loaded."""
    small, tags = Image.new("RGB", (MIN_SIDE, MIN_SIDE)), Image.Exif()
    tags[ORIENTATION] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for picture, form, options in (
        (small, "JPEG", {"exif": tags, "icc_profile": profile}),
        (small.convert("P"), "PNG", {"exif": tags, "transparency": 0}),
        (small, "WEBP", {"exif": tags}),
    ):
        file = io.BytesIO()
        picture.save(file, form, **options)
        redraw(file.getvalue())


def sniff(data: bytes | bytearray) -> str:
    """The format, one of ``DECODERS``. Raises ``Refusal``: empty, not_an_image, unsupported, animated."""
    head = bytes(data[:1024])
    if not head:
        raise Refusal("empty")
    if (known := untag.kind_of(head)) is not None:
        return {"jpeg": "JPEG", "png": "PNG", "webp": "WebP"}[known]
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    if head.startswith(b"GIF8") and _gif_moves(data):
        raise Refusal("animated")
    for signature, name in OTHERS:
        if head.startswith(signature):
            raise Refusal("unsupported", found=name)
    if re.match(rb"(\xef\xbb\xbf)?\s*<", head) and b"<svg" in head.lower():
        raise Refusal("unsupported", found="SVG")
    raise Refusal("not_an_image")


def _iso_media(head: bytes) -> str:
    """HEIC, AVIF and films share a container; its brands tell them apart."""
    size = int.from_bytes(head[:4], "big")
    major, others = head[8:12], {head[at : at + 4] for at in range(16, min(size, len(head)), 4)}
    if major == b"avis" or major in SEQUENCE_BRANDS:
        raise Refusal("animated")
    if major == b"avif" or (major not in HEIC_BRANDS - {b"mif1", b"mif2"} and b"avif" in others):
        return "AVIF"
    if major in HEIC_BRANDS or others & (HEIC_BRANDS - {b"mif1", b"mif2"}):
        return "HEIC"
    raise Refusal("unsupported", found="MP4")


def _gif_moves(data: bytes | bytearray) -> bool:
    """Whether a GIF, whose blocks are followed but not decoded, has a second frame."""

    def table(flags: int) -> int:
        return 3 << ((flags & 7) + 1) if flags & 0x80 else 0

    frames = 0
    try:
        at = 13 + table(data[10])
        while data[at] in (0x21, 0x2C):
            if data[at] == 0x2C:
                frames += 1
                at += 11 + table(data[at + 9])
            else:
                at += 2
            while data[at]:
                at += 1 + data[at]
            at += 1
    except IndexError:
        pass
    return frames > 1


def _open(kind: str, data: bytes | bytearray) -> Image.Image:
    """The picture, its size checked and, for a JPEG, the decoder told to stop at the size we need."""
    if kind == "PNG":
        data = untag.png(data, keep=PNG_KEPT)
    picture = DECODERS[kind](io.BytesIO(data))
    if kind != "HEIC" and getattr(picture, "n_frames", 1) > 1:
        raise Refusal("animated")
    check_size(*picture.size)
    if kind == "JPEG":
        picture.draft(None, (MAX_SIDE, MAX_SIDE))
    picture.load()
    check_size(*picture.size, least=1)  # HEIC may hold another size than it declares
    return picture


def check_size(width: int, height: int, *, least: int = MIN_SIDE) -> None:
    """Raises ``Refusal``: too_many_pixels, or too_small (as it is, or once the longer side is ``MAX_SIDE``)."""
    if width * height > MAX_PIXELS:
        raise Refusal("too_many_pixels", width=width, height=height)
    shorter = min(width, height)
    if shorter < least or shorter * MAX_SIDE < least * max(width, height):
        raise Refusal("too_small", width=width, height=height)


def _scaled(picture: Image.Image) -> Image.Image:
    """At most ``MAX_SIDE`` a side, in a mode whose values can be averaged."""
    profile, orientation = picture.info.get("icc_profile"), _orientation(picture)
    if picture.mode in WIDE_GREY:
        # convert() would cut 16 bits off at 255 instead of dividing.
        picture = picture.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    elif picture.has_transparency_data:
        picture = picture.convert("RGBA")
    elif picture.mode not in ("L", "RGB", "CMYK"):
        picture = picture.convert("RGB")
    if max(picture.size) > MAX_SIDE:
        scale = MAX_SIDE / max(picture.size)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    picture.info = {"icc_profile": profile, "orientation": orientation}
    return picture


def _orientation(picture: Image.Image) -> int:
    """EXIF's orientation, 1 (upright) when the tags say nothing that can be read."""
    try:
        return int(picture.getexif().get(ORIENTATION, 1))
    except Exception:
        # A photo with broken tags is still a photo.
        return 1


def _srgb(picture: Image.Image) -> Image.Image:
    """In sRGB by the embedded colour profile; one that cannot be used is ignored, as viewers do."""
    info, alpha = picture.info, None
    if picture.mode == "RGBA":
        alpha = picture.getchannel("A")
    if info["icc_profile"]:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(info["icc_profile"]))
            grey = source.profile.xcolor_space == "GRAY"
            colours = picture.convert("L" if grey else "RGB") if alpha is not None or grey else picture
            converted = ImageCms.profileToProfile(colours, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            picture = converted or picture
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass
    picture = picture.convert("RGB")
    if alpha is not None:
        picture.putalpha(alpha)
    picture.info = info
    return picture


def _upright(picture: Image.Image) -> Image.Image:
    """Turned by the orientation tag, then copied as bare pixels into a picture that knows nothing else."""
    if (turn := TURNS.get(picture.info["orientation"])) is not None:
        picture = picture.transpose(turn)
    return Image.frombytes(picture.mode, picture.size, picture.tobytes())
