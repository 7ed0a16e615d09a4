"""The GLB container and its JSON: read strictly, written plainly. Runs inside the confined process.

Reading accepts one JSON chunk and at most one binary chunk, and JSON without duplicate keys, NaN, infinities,
excessive depth, or an address of anything outside the file. Writing produces those two chunks and nothing else.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from generation.confined import Refusal

MAGIC: Final = 0x46546C67
JSON_CHUNK: Final = 0x4E4F534A
BINARY_CHUNK: Final = 0x004E4942
MAX_BYTES: Final = 256_000_000
MAX_JSON_BYTES: Final = 16_000_000
MAX_DEPTH: Final = 64
ADDRESS: Final = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*:")
COMPRESSIONS: Final = frozenset({"KHR_draco_mesh_compression", "EXT_meshopt_compression", "KHR_meshopt_compression"})

Piece = bytes | memoryview


@dataclass(frozen=True)
class Container:
    """A GLB's two chunks."""

    document: dict[str, Any]
    binary: memoryview


def read(data: bytes | bytearray) -> Container:
    """Open a GLB 2.0.

    Raises ``Refusal``: empty, not_glb, too_large, damaged, external_reference, compressed.
    """
    if not data:
        raise Refusal("empty")
    if len(data) > MAX_BYTES:
        raise Refusal("too_large")
    if len(data) < 12 or data[:4] != b"glTF":
        raise Refusal("not_glb")
    _, version, length = struct.unpack_from("<III", data)
    if version != 2:
        raise Refusal("not_glb")
    if length != len(data):
        raise Refusal("damaged")
    chunks = _chunks(memoryview(data).toreadonly())
    if not chunks or chunks[0][0] != JSON_CHUNK:
        raise Refusal("damaged")
    document = _document(bytes(chunks[0][1]))
    binary = chunks[1][1] if len(chunks) > 1 and chunks[1][0] == BINARY_CHUNK else memoryview(b"")
    return Container(document, binary)


def _chunks(data: memoryview) -> list[tuple[int, memoryview]]:
    """All chunks, in order. Which of them are read is for the caller."""
    chunks, at = [], 12
    while at < len(data):
        if at + 8 > len(data):
            raise Refusal("damaged")
        length, kind = struct.unpack_from("<II", data, at)
        chunk = data[at + 8 : at + 8 + length]
        if len(chunk) != length:
            raise Refusal("damaged")
        chunks.append((kind, chunk))
        at += 8 + length
    return chunks


def _document(text: bytes) -> dict[str, Any]:
    if len(text) > MAX_JSON_BYTES:
        raise Refusal("too_large")
    try:
        # Padding is spaces by the standard, and zeros by some exporters.
        document = json.loads(
            text.rstrip(b"\x00").decode(),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except (ValueError, RecursionError):
        raise Refusal("damaged") from None
    if not isinstance(document, dict):
        raise Refusal("damaged")
    _walk(document)
    asset = document.get("asset")
    if not isinstance(asset, dict) or asset.get("version") != "2.0":
        raise Refusal("not_glb")
    if asset.get("minVersion", "2.0") != "2.0":
        raise Refusal("not_glb")
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        # Two readers could each believe another one of the values.
        raise Refusal("damaged")
    return result


def _no_constant(name: str) -> NoReturn:
    raise Refusal("damaged")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise Refusal("damaged")
    return value


def _walk(document: dict[str, Any]) -> None:
    """Refuse depth, and whatever points outside the file or hides geometry, wherever it stands."""
    todo: list[tuple[Any, int, bool]] = [(document, 1, False)]
    while todo:
        value, depth, in_extension = todo.pop()
        if depth > MAX_DEPTH:
            raise Refusal("damaged")
        if isinstance(value, dict):
            for key, inner in value.items():
                if key.casefold() == "uri":
                    raise Refusal("external_reference")
                if key in COMPRESSIONS:
                    raise Refusal("compressed")
                todo.append((inner, depth + 1, in_extension or key == "extensions"))
        elif isinstance(value, list):
            todo += [(inner, depth + 1, in_extension) for inner in value]
        elif isinstance(value, str) and in_extension and ADDRESS.match(value):
            raise Refusal("external_reference")
        elif isinstance(value, str) and value in COMPRESSIONS:
            raise Refusal("compressed")


def write(document: dict[str, Any], binary: Sequence[Piece]) -> list[Piece]:
    """A GLB as pieces to be written one after the other. ``binary`` holds multiples of four bytes."""
    text = json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
    text += b" " * (-len(text) % 4)
    body = sum(len(piece) for piece in binary)
    pieces: list[Piece] = [
        struct.pack("<III", MAGIC, 2, 12 + 8 + len(text) + 8 + body),
        struct.pack("<II", len(text), JSON_CHUNK),
        text,
        struct.pack("<II", body, BINARY_CHUNK),
    ]
    return pieces + list(binary)
