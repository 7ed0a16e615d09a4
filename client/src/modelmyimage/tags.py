"""A photo leaves this machine without what its file says about you: place, time, camera, names, comments, thumbnails.

The coded picture is not touched, bit for bit. What a decoder needs to show it right stays: the colour profile, and how
the camera was held. Of HEIC and AVIF the tags cannot be taken out without coding them anew: they go as they are, and
the site takes the tags off before anything else.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modelmyimage.errors import NotAPhoto

PNG = b"\x89PNG\r\n\x1a\n"
PNG_KEPT = frozenset(
    {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"sBIT"}
    # An animation stays one: that it is none of ours to show is for the site to say.
    | {b"acTL", b"fcTL", b"fdAT"}
)
WEBP_KEPT = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP", b"ANIM", b"ANMF"})
WEBP_EXIF, WEBP_XMP = 0x08, 0x04
EXIF = b"Exif\x00\x00"
ICC = b"ICC_PROFILE\x00"
ORIENTATION = 0x0112
ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
FAMILY = {b"heic": "heic", b"heix": "heic", b"mif1": "heic", b"msf1": "heic", b"avif": "avif", b"avis": "avif"}


@dataclass(frozen=True)
class Photo:
    """What is sent. ``stripped`` is false where the tags go along and the site has to take them off."""

    data: bytes
    media_type: str
    stripped: bool = True


def photo_of(source: str | os.PathLike[str] | bytes) -> Photo:
    """A file, or the bytes of one, ready to be sent. Raises ``NotAPhoto``."""
    if isinstance(source, bytes):
        return without_tags(source)
    try:
        return without_tags(Path(source).read_bytes())
    except OSError as error:
        raise NotAPhoto(f"{os.fspath(source)} cannot be read: {error.strerror}.") from None


def without_tags(data: bytes) -> Photo:
    """The same picture without tags. Raises ``NotAPhoto``."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return Photo(_jpeg(data), "image/jpeg")
        if data.startswith(PNG):
            return Photo(_png(data), "image/png")
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return Photo(_webp(data), "image/webp")
    except (IndexError, struct.error):
        raise NotAPhoto("The picture’s file is damaged or cut short. Nothing was sent.") from None
    if data[4:8] == b"ftyp" and data[8:12] in FAMILY:
        return Photo(data, f"image/{FAMILY[data[8:12]]}", stripped=False)
    raise NotAPhoto("This is no JPEG, PNG, WebP, HEIC or AVIF. Nothing was sent.")


def orientation(tiff: bytes) -> int:
    """How the camera was held, by EXIF: 1 to 8; 1 where it does not say."""
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    try:
        if order is None:
            return 1
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for at in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, values, value = struct.unpack_from(f"{order}HHIH", tiff, at)
            if (tag, kind, values) == (ORIENTATION, 3, 1):
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def _upright(turn: int) -> bytes:
    """EXIF that says how the camera was held and nothing else."""
    return struct.pack(">4sIHHHIHHI", b"MM\x00*", 8, 1, ORIENTATION, 3, 1, turn, 0, 0)


def _jpeg(data: bytes) -> bytes:
    parts, at, turned = [b"\xff\xd8"], 2, False
    while True:
        if data[at] != 0xFF:
            raise IndexError
        marker = data[at + 1]
        if marker == 0xFF:  # filling
            at += 1
        elif marker == 0xD9:  # whatever was appended stays behind
            return b"".join([*parts, b"\xff\xd9"])
        elif marker in ALONE:
            at += 2
        else:
            (length,) = struct.unpack_from(">H", data, at + 2)
            segment = data[at : at + 2 + length]
            if length < 2 or len(segment) != 2 + length:
                raise IndexError
            at += len(segment)
            content = segment[4:]
            if marker == 0xE1 and content.startswith(EXIF) and not turned:
                turn = orientation(content[len(EXIF) :])
                turned = turn != 1
                if turned:
                    small = EXIF + _upright(turn)
                    parts.append(b"\xff\xe1" + struct.pack(">H", len(small) + 2) + small)
            elif marker == 0xE0:
                if content.startswith(b"JFIF\x00") and len(content) >= 14:  # without its thumbnail
                    parts.append(b"\xff\xe0\x00\x10" + content[:12] + b"\x00\x00")
            elif _draws(marker, content):
                parts.append(segment)
            if marker == 0xDA:
                end = _scan_end(data, at)
                parts.append(data[at:end])
                at = end


def _draws(marker: int, content: bytes) -> bool:
    """Whether a decoder needs it: all but comments and the applications’ own; of those, the profile and Adobe’s."""
    if marker == 0xE2:
        return content.startswith(ICC)
    if marker == 0xEE:
        return content.startswith(b"Adobe")
    return marker != 0xFE and not 0xE0 <= marker <= 0xEF


def _scan_end(data: bytes, at: int) -> int:
    """Where the coded picture that begins there is followed by a marker."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0:
            raise IndexError
        following = data[at + 1]
        if following == 0xFF:
            at += 1
        elif following == 0 or following in ALONE:
            at += 2
        else:
            return at


def _png(data: bytes) -> bytes:
    parts, at, kind, turn = [PNG], len(PNG), b"", 1
    while kind != b"IEND":
        (length,) = struct.unpack_from(">I", data, at)
        kind, chunk = data[at + 4 : at + 8], data[at : at + 12 + length]
        if len(chunk) != 12 + length:
            raise IndexError
        if kind == b"eXIf" and turn == 1:
            turn = orientation(chunk[8:-4])
            if turn != 1:
                body = b"eXIf" + _upright(turn)
                parts.append(struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)))
        elif kind in PNG_KEPT:
            parts.append(chunk)
        at += len(chunk)
    return b"".join(parts)


def _webp(data: bytes) -> bytes:
    parts: list[bytes] = []
    turn, header = 1, None
    for kind, content in _riff(data):
        if kind == b"EXIF":
            turn = orientation(content.removeprefix(EXIF))
        elif kind == b"VP8X" and len(content) == 10:
            header = len(parts)
            parts.append(content)
        elif kind in WEBP_KEPT:
            parts.append(_riff_chunk(kind, content))
    if header is not None:
        flags = parts[header][0] & ~(WEBP_EXIF | WEBP_XMP) | (WEBP_EXIF if turn != 1 else 0)
        parts[header] = _riff_chunk(b"VP8X", bytes([flags]) + parts[header][1:])
        if turn != 1:
            parts.append(_riff_chunk(b"EXIF", _upright(turn)))
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _riff(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    (declared,) = struct.unpack_from("<I", data, 4)
    at, end = 12, declared + 8
    if end > len(data):
        raise IndexError
    while at + 8 <= end:
        (length,) = struct.unpack_from("<I", data, at + 4)
        if at + 8 + length > end:
            raise IndexError
        yield data[at : at + 4], data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _riff_chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + b"\x00" * (len(content) % 2)
