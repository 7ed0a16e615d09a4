"""The objects to learn from: openly licensed meshes, one GLB each, as listed in the corpus's manifest."""

from __future__ import annotations

import csv
import json
import struct
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

TYPES = {5121: "<u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3}


@dataclass(frozen=True)
class Mesh:
    """A coloured object, +Y up, its front roughly towards +Z, longest side about 1.

    ``positions`` (v, 3) and ``uv`` (v, 2) float32, ``triangles`` (t, 3) int32, ``texture`` (h, w, 3) uint8 sRGB.
    """

    positions: NDArray[np.float32]
    uv: NDArray[np.float32]
    triangles: NDArray[np.int32]
    texture: NDArray[np.uint8]


def names(corpus: Path, split: str) -> list[str]:
    """File names of one split ("train" or "val"), sorted."""
    with (corpus / "manifest.csv").open(newline="") as file:
        return sorted(row["name"] for row in csv.DictReader(file) if row["split"] == split)


def load(path: Path) -> Mesh:
    """Read a GLB of one mesh, one primitive and one JPEG texture, as all files of the corpus are."""
    data = path.read_bytes()
    length = struct.unpack_from("<I", data, 12)[0]
    document = json.loads(data[20 : 20 + length])
    binary = memoryview(data)[28 + length :]

    def view(number: int) -> memoryview:
        found = document["bufferViews"][number]
        start = found.get("byteOffset", 0)
        return binary[start : start + found["byteLength"]]

    def accessor(number: int) -> NDArray[np.generic]:
        found = document["accessors"][number]
        width = WIDTHS[found["type"]]
        start = found.get("byteOffset", 0)
        values = np.frombuffer(view(found["bufferView"]), TYPES[found["componentType"]], found["count"] * width, start)
        return values.reshape(-1, width)

    primitive = document["meshes"][0]["primitives"][0]
    attributes = primitive["attributes"]
    image = document["images"][0]
    picture = cv2.imdecode(np.frombuffer(view(image["bufferView"]), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return Mesh(
        positions=np.ascontiguousarray(accessor(attributes["POSITION"]), np.float32),
        uv=np.ascontiguousarray(accessor(attributes["TEXCOORD_0"]), np.float32),
        triangles=np.ascontiguousarray(accessor(primitive["indices"]).reshape(-1, 3), np.int32),
        texture=np.ascontiguousarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)),
    )
