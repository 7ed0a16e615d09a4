"""Which parts of a PNG, JPEG or WebP file draw the picture; everything else is left out, bit for bit.

What is left out: EXIF, XMP, IPTC, comments, text, times, colour profiles, thumbnails, maker notes, second pictures,
and whatever is appended. The coded picture itself is not touched. Runs inside the confined process.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_DRAWING = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
# JFIF's header, and Adobe's, without which a decoder mistakes the colours.
JPEG_KEPT_SEGMENTS = frozenset({0xE0, 0xEE})
JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
WEBP_DRAWING = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH"})
WEBP_ALPHA_FLAG = 0x10
WEBP_ANIMATION_FLAG = 0x02


class Broken(Exception):
    """The file's structure does not hold: cut short, or never right."""


class Moving(Exception):
    """The file holds several frames."""


def kind_of(data: bytes | bytearray | memoryview) -> str | None:
    """``jpeg``, ``png`` or ``webp`` by content; None for anything else."""
    head = bytes(data[:12])
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(PNG_SIGNATURE):
        return "png"
    if head[:4] == b"RIFF" and head[8:] == b"WEBP":
        return "webp"
    return None


def without_tags(data: bytes | bytearray | memoryview) -> bytes:
    """The same picture in the same coding, without anything about it. Raises ``Broken`` or ``Moving``."""
    match kind_of(data):
        case "jpeg":
            return _jpeg(memoryview(data))
        case "png":
            return png(data)
        case "webp":
            return _webp(memoryview(data))
        case _:
            raise Broken


def png(data: bytes | bytearray | memoryview, *, keep: frozenset[bytes] = frozenset()) -> bytes:
    """A PNG with the chunks that draw it and those named in ``keep``. Raises ``Broken`` or ``Moving``."""
    parts: list[bytes | memoryview] = [PNG_SIGNATURE]
    kind = b""
    for kind, chunk in _png_chunks(memoryview(data)):
        # An animation is announced by its count of frames; one frame is a still picture.
        if kind == b"acTL" and int.from_bytes(chunk[8:12], "big") != 1:
            raise Moving
        if kind in PNG_DRAWING or kind in keep:
            if zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:], "big"):
                raise Broken
            parts.append(chunk)
    if kind != b"IEND":
        raise Broken
    return b"".join(parts)


def _png_chunks(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Chunks with their length, type and checksum, up to and including the end marker."""
    at = len(PNG_SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        chunk = data[at : at + 12 + length]
        if len(chunk) != 12 + length:
            raise Broken
        kind = bytes(chunk[4:8])
        yield kind, chunk
        if kind == b"IEND":
            return
        at += len(chunk)


def _jpeg(data: memoryview) -> bytes:
    parts: list[bytes | memoryview] = [b"\xff\xd8"]
    raw = data.obj if isinstance(data.obj, (bytes, bytearray)) and len(data.obj) == len(data) else bytes(data)
    at = 2
    while at + 2 <= len(data):
        if data[at] != 0xFF:
            raise Broken
        marker = data[at + 1]
        if marker == 0xFF:  # filling
            at += 1
            continue
        if marker == 0xD9:
            parts.append(b"\xff\xd9")
            return b"".join(parts)
        if marker in JPEG_ALONE:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        end = at + 2 + length
        if length < 2 or end > len(data):
            raise Broken
        if (marker not in range(0xE0, 0xF0) and marker != 0xFE) or marker in JPEG_KEPT_SEGMENTS:
            parts.append(_jfif_without_thumbnail(data[at:end]) if marker == 0xE0 else data[at:end])
        at = end
        if marker == 0xDA:  # the coded picture follows, up to the next marker that is no restart
            while True:
                at = raw.find(b"\xff", at)
                if at < 0 or at + 1 >= len(raw):
                    raise Broken
                if raw[at + 1] == 0 or raw[at + 1] in JPEG_ALONE:
                    at += 2
                elif raw[at + 1] == 0xFF:
                    at += 1
                else:
                    break
            parts.append(data[end:at])
    raise Broken


def _jfif_without_thumbnail(segment: memoryview) -> bytes:
    """JFIF's header reduced to its fixed part; JFXX and other users of the segment disappear."""
    if bytes(segment[4:9]) != b"JFIF\x00" or len(segment) < 18:
        return b""
    return b"\xff\xe0\x00\x10" + bytes(segment[4:16]) + b"\x00\x00"


def _webp(data: memoryview) -> bytes:
    (declared,) = struct.unpack_from("<I", data, 4)
    if declared + 8 > len(data) or declared < 4:
        raise Broken
    parts: list[bytes | memoryview] = []
    at, end = 12, declared + 8
    while at + 8 <= end:
        kind = bytes(data[at : at + 4])
        (length,) = struct.unpack_from("<I", data, at + 4)
        chunk = data[at : at + 8 + length]
        if at + 8 + length > end:
            raise Broken
        if kind in (b"ANIM", b"ANMF"):
            raise Moving
        if kind == b"VP8X":
            if length != 10 or chunk[8] & WEBP_ANIMATION_FLAG:
                raise Moving if length == 10 else Broken
            chunk = memoryview(bytes(chunk[:8]) + bytes([chunk[8] & WEBP_ALPHA_FLAG]) + bytes(chunk[9:]))
        if kind in WEBP_DRAWING:
            parts += [chunk, b"\x00" * (length % 2)]
        at += 8 + length + length % 2
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body
