"""The file: one mesh, one material, one or two embedded pictures (colour, normal map) as binary glTF 2.0.

Nothing in it says from what, by whom or when it was made; equal input gives equal bytes.
"""

import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .tangents import tangents

GENERATOR = "ModelMyImage"
METALLIC = 0.0
ROUGHNESS = 0.75
GREY = 0.6  # linear, of a surface without colours

_FLOAT, _UNSIGNED_SHORT, _UNSIGNED_INT = 5126, 5123, 5125
_VERTICES, _INDICES = 34962, 34963


def glb(
    *,
    positions: NDArray[np.float32],
    normals: NDArray[np.float32],
    uv: NDArray[np.float32],
    triangles: NDArray[np.uint32],
    jpeg: bytes | None,
    normal_jpeg: bytes | None = None,
) -> bytes:
    """A GLB of vertices (v, 3), unit normals (v, 3), texture coordinates (v, 2) and triangles (t, 3).

    ``jpeg`` is the colours; without, the surface is grey and has no coordinates. ``normal_jpeg`` is a normal map in
    tangent space; with one, which wants colours beside it, the vertices have tangents too.
    """
    attributes = {"POSITION": positions, "NORMAL": normals}
    look: dict[str, Any] = {"metallicFactor": METALLIC, "roughnessFactor": ROUGHNESS}
    material: dict[str, Any] = {"pbrMetallicRoughness": look}
    pictures = []
    if jpeg is None:
        look["baseColorFactor"] = [GREY, GREY, GREY, 1.0]
    else:
        attributes["TEXCOORD_0"] = uv
        look["baseColorTexture"] = {"index": 0}
        pictures.append(jpeg)
    if normal_jpeg is not None:
        attributes["TANGENT"] = tangents(positions, normals, uv, triangles)
        material["normalTexture"] = {"index": 1}
        pictures.append(normal_jpeg)
    small = len(positions) <= 0xFFFF
    indices = triangles.ravel().astype("<u2" if small else "<u4")
    blocks: list[tuple[bytes, int | None]] = [
        *((values.astype("<f4").tobytes(), _VERTICES) for values in attributes.values()),
        (indices.tobytes(), _INDICES),
        *((picture, None) for picture in pictures),
    ]
    views, binary = _packed(blocks)
    accessors: list[dict[str, Any]] = [
        {"bufferView": number, "componentType": _FLOAT, "count": len(values), "type": f"VEC{values.shape[1]}"}
        for number, values in enumerate(attributes.values())
    ]
    accessors[0]["min"] = [float(low) for low in positions.min(axis=0)]
    accessors[0]["max"] = [float(high) for high in positions.max(axis=0)]
    last = len(attributes)
    kind = _UNSIGNED_SHORT if small else _UNSIGNED_INT
    accessors.append({"bufferView": last, "componentType": kind, "count": len(indices), "type": "SCALAR"})
    primitive = {
        "attributes": {name: number for number, name in enumerate(attributes)},
        "indices": last,
        "material": 0,
    }
    document = {
        "asset": {"version": "2.0", "generator": GENERATOR},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [primitive]}],
        "materials": [material],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(binary)}],
    }
    if pictures:
        document |= {
            "textures": [{"source": number, "sampler": 0} for number in range(len(pictures))],
            # Linear with mipmaps; the atlas must not repeat.
            "samplers": [{"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}],
            "images": [{"bufferView": last + 1 + number, "mimeType": "image/jpeg"} for number in range(len(pictures))],
        }
    text = json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
    text += b" " * (-len(text) % 4)
    header = struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + len(binary))
    return b"".join(
        (header, struct.pack("<I4s", len(text), b"JSON"), text, struct.pack("<I4s", len(binary), b"BIN\0"), binary)
    )


def _packed(blocks: list[tuple[bytes, int | None]]) -> tuple[list[dict[str, Any]], bytes]:
    """Buffer views of the blocks, each starting on a multiple of four, and the buffer."""
    views: list[dict[str, Any]] = []
    binary = bytearray()
    for block, target in blocks:
        view: dict[str, Any] = {"buffer": 0, "byteOffset": len(binary), "byteLength": len(block)}
        if target is not None:
            view["target"] = target
        views.append(view)
        binary += block + b"\0" * (-len(block) % 4)
    return views, bytes(binary)
