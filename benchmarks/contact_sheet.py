"""Pictures of the engine's results, to be looked at by people who work on it.

    python benchmarks/contact_sheet.py OUT.png FILE.glb|PHOTO ... [--quality standard]

One row per file: (the cut-out of a photo,) front, 40° left and right, side, back, from a little above for all
but the first, drawn by a small z-buffer renderer. A photo (PNG or JPEG) goes through the engine first.
"""

import argparse
import json
import struct
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))
from generation import engine

VIEWS = [(0, 0), (-40, 10), (40, 10), (90, 10), (180, 10)]
TYPES = {5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3}


def read_glb(data: bytes) -> dict[str, Any]:
    """Positions, normals, texture coordinates, triangles and texture (RGB) of a GLB the engine wrote."""
    length = struct.unpack_from("<I", data, 12)[0]
    document = json.loads(data[20 : 20 + length])
    binary = data[28 + length :]

    def view(number: int) -> bytes:
        found = document["bufferViews"][number]
        return binary[found["byteOffset"] : found["byteOffset"] + found["byteLength"]]

    def accessor(number: int) -> NDArray[Any]:
        found = document["accessors"][number]
        values = np.frombuffer(view(found["bufferView"]), TYPES[found["componentType"]])
        return values.reshape(-1, WIDTHS[found["type"]])

    primitive = document["meshes"][0]["primitives"][0]
    attributes = primitive["attributes"]
    picture = cv2.imdecode(np.frombuffer(view(document["images"][0]["bufferView"]), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return {
        "positions": accessor(attributes["POSITION"]),
        "normals": accessor(attributes["NORMAL"]),
        "uv": accessor(attributes["TEXCOORD_0"]),
        "triangles": accessor(primitive["indices"]).reshape(-1, 3).astype(np.int64),
        "texture": cv2.cvtColor(picture, cv2.COLOR_BGR2RGB),
    }


def render(mesh: dict[str, Any], yaw: float, pitch: float, side: int, *, textured: bool = True) -> NDArray[np.uint8]:
    """A view of the mesh (side, side, 3): orthographic, light from the upper left of the viewer."""
    y, p = np.deg2rad(yaw), np.deg2rad(pitch)
    around = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    over = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    turn = over @ around
    middle = (mesh["positions"].max(axis=0) + mesh["positions"].min(axis=0)) / 2
    at = (mesh["positions"] - middle) @ turn.T
    normals = mesh["normals"] @ turn.T
    screen = np.stack([at[:, 0] * side * 0.85 + side / 2, side / 2 - at[:, 1] * side * 0.85], axis=1)
    shade = 0.45 + 0.55 * np.clip(normals @ (np.array([-0.4, 0.5, 0.77]) / np.linalg.norm([-0.4, 0.5, 0.77])), 0, 1)
    picture = np.full((side * side, 3), 235.0)
    nearest = np.full(side * side, -np.inf)
    a, b, c = (screen[mesh["triangles"][:, corner]] for corner in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    visible = np.flatnonzero(area < -1e-9)
    for part in np.array_split(visible, max(1, len(visible) // 20_000)):
        corners = np.stack([a[part], b[part], c[part]], axis=1)
        low = np.floor(corners.min(axis=1)).astype(int).clip(0, side - 1)
        high = np.ceil(corners.max(axis=1)).astype(int).clip(0, side - 1)
        span = high - low + 1
        count = span[:, 0] * span[:, 1]
        owner = np.repeat(np.arange(len(part)), count)
        offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        px, py = low[owner, 0] + offset % span[owner, 0], low[owner, 1] + offset // span[owner, 0]
        fx, fy = px + 0.5, py + 0.5
        k = corners[owner]
        whole = area[part][owner]
        w0 = ((k[:, 1, 0] - fx) * (k[:, 2, 1] - fy) - (k[:, 1, 1] - fy) * (k[:, 2, 0] - fx)) / whole
        w1 = ((k[:, 2, 0] - fx) * (k[:, 0, 1] - fy) - (k[:, 2, 1] - fy) * (k[:, 0, 0] - fx)) / whole
        weights = np.stack([w0, w1, 1 - w0 - w1], axis=1)
        hit = (weights >= -1e-6).all(axis=1)
        weights, triangle = weights[hit], mesh["triangles"][part][owner[hit]]
        pixel = py[hit] * side + px[hit]
        depth = (weights * at[triangle, 2]).sum(axis=1)
        order = np.argsort(depth, kind="stable")
        pixel, depth, weights, triangle = pixel[order], depth[order], weights[order], triangle[order]
        front = np.zeros(len(pixel), bool)
        front[len(pixel) - 1 - np.unique(pixel[::-1], return_index=True)[1]] = True
        front &= depth > nearest[pixel]
        pixel, weights, triangle = pixel[front], weights[front], triangle[front]
        nearest[pixel] = depth[front]
        light = (weights * shade[triangle]).sum(axis=1, keepdims=True)
        colour = np.full((len(pixel), 3), 200.0)
        if textured:
            height, width = mesh["texture"].shape[:2]
            uv = (weights[..., None] * mesh["uv"][triangle]).sum(axis=1)
            u = (uv[:, 0] * width).astype(int).clip(0, width - 1)
            v = (uv[:, 1] * height).astype(int).clip(0, height - 1)
            colour = mesh["texture"][v, u].astype(float)
        picture[pixel] = colour * light
    return picture.reshape(side, side, 3).clip(0, 255).astype(np.uint8)


def row(path: Path, quality: str, side: int) -> NDArray[np.uint8]:
    """All views of one file side by side."""
    data = path.read_bytes()
    first = np.full((side, side, 3), 235, np.uint8)
    if path.suffix.lower() != ".glb":
        cut = engine.cut_out(data)
        data = engine.reconstruct(engine.encode_cut_out(cut), quality=quality)
        alpha = cut.rgba[..., 3:].astype(float) / 255
        flat = (cut.rgba[..., :3] * alpha + np.array([255, 0, 255]) * (1 - alpha)).astype(np.uint8)
        scale = side / max(flat.shape[:2])
        small = cv2.resize(flat, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:side, :side]
        first[: small.shape[0], : small.shape[1]] = small
    mesh = read_glb(data)
    views = [render(mesh, yaw, pitch, side) for yaw, pitch in VIEWS]
    clay = render(mesh, 40, 10, side, textured=False)
    return np.concatenate([first, *views, clay], axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("out", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--quality", default="standard", choices=list(engine.QUALITIES))
    parser.add_argument("--side", type=int, default=300)
    options = parser.parse_args()
    rows = [row(path, options.quality, options.side) for path in options.files]
    cv2.imwrite(str(options.out), cv2.cvtColor(np.concatenate(rows), cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
