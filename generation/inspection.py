"""A mesh is remade: a new GLB with its surfaces and their appearance, and nothing else that was in the file.

Runs inside the confined process (task "mesh"); ``generation/meshes.py`` is the way in. What is not copied by the
tables of ``appearance`` or as a surface by ``geometry`` cannot be in the result: names, extras, authors, cameras,
animations, unused data, unknown chunks. The same input always gives the same bytes.
"""

from __future__ import annotations

import io
from typing import Any, Final

import numpy as np
from PIL import Image

from generation import glb, solids, untag
from generation.accessors import Array
from generation.appearance import UNDERSTOOD, Appearance
from generation.confined import Refusal
from generation.geometry import Surface, surfaces

GENERATOR: Final = "ModelMyImage"
MAX_OUTPUT: Final = glb.MAX_BYTES - glb.MAX_JSON_BYTES
VERTICES, INDICES = 34962, 34963
COMPONENT_TYPES: Final = {"u1": 5121, "u2": 5123, "u4": 5125, "f4": 5126}
SHAPES: Final = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}


def rehearse() -> None:
    """Inspect a triangle with a texture of our own, so that everything numpy and Pillow load on first use is loaded."""
    for form in ("PNG", "JPEG", "WEBP"):
        file = io.BytesIO()
        Image.new("RGB", (4, 4)).save(file, form)
        writer = Writer()
        corners = np.eye(3, dtype=np.float32)
        position = writer.accessor(corners, target=VERTICES)
        coordinates = writer.accessor(corners[:, :2], target=VERTICES)
        webp = untag.kind_of(file.getvalue()) == "webp"
        document: dict[str, Any] = {
            "asset": {"version": "2.0"},
            "scenes": [{"nodes": [0]}],
            "nodes": [{"mesh": 0, "scale": [1, 2, 3]}],
            "meshes": [
                {"primitives": [{"attributes": {"POSITION": position, "TEXCOORD_0": coordinates}, "material": 0}]}
            ],
            "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
            "textures": [{"extensions": {"EXT_texture_webp": {"source": 0}}} if webp else {"source": 0}],
            "images": [{"bufferView": writer.view(file.getvalue()), "mimeType": "image/any"}],
            **writer.document(),
        }
        remake(b"".join(glb.write(document, writer.pieces)))


@np.errstate(all="ignore")  # what overflows is looked for, and refused
def remake(data: bytes | bytearray) -> tuple[dict[str, Any], list[glb.Piece]]:
    """A header (``triangles``, ``vertices``, ``size`` in metres, ``watertight``) and the new GLB.

    Raises ``Refusal``; its codes are listed in ``generation/meshes.py``.
    """
    container = glb.read(data)
    required = container.document.get("extensionsRequired", [])
    if not isinstance(required, list) or not all(name in UNDERSTOOD for name in map(str, required)):
        raise Refusal("unsupported_extension")
    parts = surfaces(container)
    appearance = Appearance(container)
    writer = Writer()
    primitives = [_primitive(part, appearance, writer) for part in parts]
    images = [{"bufferView": writer.view(image), "mimeType": kind} for kind, image in appearance.images]
    if writer.length > MAX_OUTPUT:
        raise Refusal("too_large")
    transformed = "KHR_texture_transform" in required and "KHR_texture_transform" in appearance.used
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": GENERATOR},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": primitives}],
        "materials": appearance.materials,
        "textures": appearance.textures,
        "samplers": appearance.samplers,
        "images": images,
        "extensionsUsed": sorted(appearance.used),
        "extensionsRequired": sorted(appearance.required | ({"KHR_texture_transform"} if transformed else set())),
        **writer.document(),
    }
    header = {
        "triangles": sum(len(part.faces) for part in parts),
        "vertices": sum(len(part.positions) for part in parts),
        "size": list(solids.extent(parts)),
        "watertight": solids.watertight(parts),
    }
    # The standard has no empty lists.
    return header, glb.write({name: value for name, value in document.items() if value != []}, writer.pieces)


def _primitive(part: Surface, appearance: Appearance, writer: Writer) -> dict[str, Any]:
    attributes = {"POSITION": writer.accessor(part.positions, target=VERTICES, bounds=True)}
    for name, array in part.attributes.items():
        attributes[name] = writer.accessor(array, target=VERTICES, normalised=array.dtype.kind == "u")
    # The largest value of a type is not an index: it once meant "start again".
    small = len(part.positions) <= np.iinfo(np.uint16).max
    indices = part.faces.reshape(-1, 1).astype(np.uint16 if small else np.uint32, copy=False)
    primitive: dict[str, Any] = {"attributes": attributes, "indices": writer.accessor(indices, target=INDICES)}
    if part.material is not None:
        sets = frozenset(int(name[9:]) for name in attributes if name.startswith("TEXCOORD_"))
        primitive["material"] = appearance.material(part.material, sets)
    return primitive


class Writer:
    """Lays arrays and files out in one buffer, each in a view of its own that begins at a multiple of four."""

    def __init__(self) -> None:
        self.pieces: list[glb.Piece] = []
        self.length = 0
        self.views: list[dict[str, int]] = []
        self.accessors: list[dict[str, Any]] = []

    def view(self, data: glb.Piece, **more: int) -> int:
        """Add bytes; returns the index of their view."""
        self.views.append({"buffer": 0, "byteOffset": self.length, "byteLength": len(data), **more})
        padding = b"\x00" * (-len(data) % 4)
        self.pieces += [data, padding]
        self.length += len(data) + len(padding)
        return len(self.views) - 1

    def accessor(self, array: Array, *, target: int, bounds: bool = False, normalised: bool = False) -> int:
        """Add an (n, components) array whose rows are multiples of four bytes, or indices; returns its index."""
        tight = np.ascontiguousarray(array)
        entry: dict[str, Any] = {
            "bufferView": self.view(tight.data.cast("B"), target=target),
            "componentType": COMPONENT_TYPES[tight.dtype.str[1:]],
            "count": len(tight),
            "type": SHAPES[tight.shape[1]],
        }
        if bounds:
            entry |= {"min": tight.min(axis=0).tolist(), "max": tight.max(axis=0).tolist()}
        if normalised:
            entry["normalized"] = True
        self.accessors.append(entry)
        return len(self.accessors) - 1

    def document(self) -> dict[str, Any]:
        """The part of the document that describes the buffer."""
        return {
            "accessors": self.accessors,
            "bufferViews": self.views,
            "buffers": [{"byteLength": self.length}],
        }
