"""GLBs written by hand for tests, so that every field of them can be wrong."""

from __future__ import annotations

import io
import json
import struct
from typing import Any

import numpy as np
from PIL import Image

TYPES = {"f4": 5126, "u1": 5121, "u2": 5123, "u4": 5125, "i1": 5120, "i2": 5122}
SHAPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}
# A cube of 1 m from its corners: 8 vertices, 12 triangles, seen from outside anticlockwise.
CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], "f4")
SIDES = np.array(
    [
        [0, 1, 3, 0, 3, 2],
        [4, 6, 7, 4, 7, 5],
        [0, 4, 5, 0, 5, 1],
        [2, 3, 7, 2, 7, 6],
        [0, 2, 6, 0, 6, 4],
        [1, 5, 7, 1, 7, 3],
    ],
    "u2",
).reshape(-1, 1)


class Sketch:
    """A document and its binary chunk, to be filled and spoilt."""

    def __init__(self) -> None:
        self.binary = bytearray()
        self.document: dict[str, Any] = {
            "asset": {"version": "2.0"},
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [{"mesh": 0}],
            "meshes": [],
            "accessors": [],
            "bufferViews": [],
            "buffers": [{"byteLength": 0}],
        }

    def view(self, data: bytes, **more: Any) -> int:
        """Add bytes; returns the view's index."""
        self.binary += bytes(-len(self.binary) % 4)
        self.document["bufferViews"].append(
            {"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data), **more}
        )
        self.binary += data
        self.document["buffers"][0]["byteLength"] = len(self.binary)
        return len(self.document["bufferViews"]) - 1

    def accessor(self, array: Any, **more: Any) -> int:
        """Add an (n, components) array; returns the accessor's index."""
        array = np.ascontiguousarray(array)
        self.document["accessors"].append(
            {
                "bufferView": self.view(array.tobytes()),
                "componentType": TYPES[array.dtype.str[1:]],
                "count": len(array),
                "type": SHAPES[array.shape[1]],
                **more,
            }
        )
        return len(self.document["accessors"]) - 1

    def mesh(self, *primitives: dict[str, Any]) -> int:
        """Add a mesh; returns its index."""
        self.document["meshes"].append({"primitives": list(primitives)})
        return len(self.document["meshes"]) - 1

    def image(self, data: bytes) -> int:
        """Add a picture file; returns the image's index."""
        self.document.setdefault("images", []).append({"bufferView": self.view(data), "mimeType": "image/png"})
        return len(self.document["images"]) - 1

    def glb(self, *more: tuple[int, bytes]) -> bytes:
        """The file as it is now, with further chunks."""
        return glb(json.dumps(self.document).encode(), bytes(self.binary), *more)


def glb(text: bytes, binary: bytes = b"", *more: tuple[int, bytes]) -> bytes:
    """A container around a JSON text and a binary chunk, and further chunks."""
    chunks = [(0x4E4F534A, text + b" " * (-len(text) % 4))]
    if binary:
        chunks.append((0x004E4942, binary + bytes(-len(binary) % 4)))
    body = b"".join(struct.pack("<II", len(data), kind) + data for kind, data in [*chunks, *more])
    return struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body


def parsed(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Document and binary chunk of a well-formed GLB."""
    (length,) = struct.unpack_from("<I", data, 12)
    return json.loads(data[20 : 20 + length]), data[28 + length :]


def array(data: bytes, index: int) -> Any:
    """An accessor of a GLB of our own writing."""
    document, binary = parsed(data)
    accessor = document["accessors"][index]
    view = document["bufferViews"][accessor["bufferView"]]
    dtype = {code: name for name, code in TYPES.items()}[accessor["componentType"]]
    flat = np.frombuffer(binary, "<" + dtype, offset=view["byteOffset"], count=view["byteLength"] // int(dtype[1]))
    return flat.reshape(accessor["count"], -1)


def picture(form: str = "PNG", size: int = 8, **options: Any) -> bytes:
    """A small picture file."""
    file = io.BytesIO()
    Image.new("RGB", (size, size), (200, 30, 30)).save(file, form, **options)
    return file.getvalue()


def cube() -> Sketch:
    """A closed cube."""
    sketch = Sketch()
    sketch.mesh({"attributes": {"POSITION": sketch.accessor(CORNERS)}, "indices": sketch.accessor(SIDES)})
    return sketch


def textured(image: bytes, *, webp: bool = False) -> Sketch:
    """A cube with a texture."""
    sketch = cube()
    primitive = sketch.document["meshes"][0]["primitives"][0]
    primitive["attributes"]["TEXCOORD_0"] = sketch.accessor(CORNERS[:, :2])
    primitive["material"] = 0
    index = sketch.image(image)
    source = {"extensions": {"EXT_texture_webp": {"source": index}}} if webp else {"source": index}
    sketch.document["textures"] = [source]
    sketch.document["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}]
    if webp:
        sketch.document["extensionsUsed"] = sketch.document["extensionsRequired"] = ["EXT_texture_webp"]
    return sketch
