"""The file: one mesh, one material, one embedded picture as binary glTF 2.0.

Nothing in it says from what, by whom or when it was made; equal input gives equal bytes.
"""

import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

GENERATOR = "ModelMyImage"
METALLIC = 0.0
ROUGHNESS = 0.75

_FLOAT, _UNSIGNED_SHORT, _UNSIGNED_INT = 5126, 5123, 5125
_VERTICES, _INDICES = 34962, 34963


def glb(
    *,
    positions: NDArray[np.float32],
    normals: NDArray[np.float32],
    uv: NDArray[np.float32],
    triangles: NDArray[np.uint32],
    jpeg: bytes,
) -> bytes:
    """A GLB of vertices (v, 3), unit normals (v, 3), texture coordinates (v, 2) and triangles (t, 3)."""
    small = len(positions) <= 0xFFFF
    indices = triangles.ravel().astype("<u2" if small else "<u4")
    blocks = [
        (positions.astype("<f4").tobytes(), _VERTICES),
        (normals.astype("<f4").tobytes(), _VERTICES),
        (uv.astype("<f4").tobytes(), _VERTICES),
        (indices.tobytes(), _INDICES),
        (jpeg, None),
    ]
    views, binary = _packed(blocks)
    document = {
        "asset": {"version": "2.0", "generator": GENERATOR},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [
            {
                "primitives": [
                    {
                        "attributes": {"POSITION": 0, "NORMAL": 1, "TEXCOORD_0": 2},
                        "indices": 3,
                        "material": 0,
                    }
                ]
            }
        ],
        "materials": [
            {
                "pbrMetallicRoughness": {
                    "baseColorTexture": {"index": 0},
                    "metallicFactor": METALLIC,
                    "roughnessFactor": ROUGHNESS,
                }
            }
        ],
        "textures": [{"source": 0, "sampler": 0}],
        # Linear with mipmaps; the atlas must not repeat.
        "samplers": [{"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}],
        "images": [{"bufferView": 4, "mimeType": "image/jpeg"}],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": _FLOAT,
                "count": len(positions),
                "type": "VEC3",
                "min": [float(low) for low in positions.min(axis=0)],
                "max": [float(high) for high in positions.max(axis=0)],
            },
            {"bufferView": 1, "componentType": _FLOAT, "count": len(normals), "type": "VEC3"},
            {"bufferView": 2, "componentType": _FLOAT, "count": len(uv), "type": "VEC2"},
            {
                "bufferView": 3,
                "componentType": _UNSIGNED_SHORT if small else _UNSIGNED_INT,
                "count": len(indices),
                "type": "SCALAR",
            },
        ],
        "bufferViews": views,
        "buffers": [{"byteLength": len(binary)}],
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
