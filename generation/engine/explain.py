"""What the engine made, as pictures for the people who work on it: mask, depth maps, and a contact sheet.

The contact sheet is drawn from the finished file by a small z-buffer renderer, so it shows what a viewer gets and
not what the engine believes.
"""

import json
import struct
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .cutout import CutOut
from .depth import Depth
from .errors import EngineError
from .frame import Frame

Picture = NDArray[np.uint8]

# Name, degrees to the side and degrees from above of each view of the sheet.
VIEWS = [
    ("front", 0, 0),
    ("40 right", -40, 10),
    ("40 left", 40, 10),
    ("side", 90, 10),
    ("back", 180, 10),
]
GROUND = 235
"""The grey that everything stands on."""
LIGHT = np.array([-0.4, 0.5, 0.77]) / np.linalg.norm([-0.4, 0.5, 0.77])
"""Where the light comes from: the upper left of whoever looks."""
AMBIENT = 0.45
VIEW_SHARE = 0.85
"""The share of a view that a mesh's longest side takes."""
LEGEND = 28
"""Height of a depth picture's legend, pixels."""

TYPES = {5121: "<u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}


@dataclass(frozen=True)
class Mesh:
    """What a file shows: ``positions``, ``normals`` (v, 3), ``uv`` (v, 2), ``triangles`` (t, 3), ``texture`` RGB."""

    positions: NDArray[np.float64]
    normals: NDArray[np.float64]
    uv: NDArray[np.float64]
    triangles: NDArray[np.int64]
    texture: Picture

    @property
    def size(self) -> tuple[float, float, float]:
        """Width, height and depth in the file's unit, metres."""
        x, y, z = self.positions.max(axis=0) - self.positions.min(axis=0)
        return float(x), float(y), float(z)

    @property
    def volume(self) -> float:
        """Cubic metres inside the surface, by the divergence theorem."""
        a, b, c = (self.positions[self.triangles[:, corner]] for corner in range(3))
        return float((a * np.cross(b, c)).sum()) / 6


def read(data: bytes) -> Mesh:
    """The one mesh of a GLB that the engine wrote."""
    length = struct.unpack_from("<I", data, 12)[0]
    document: dict[str, Any] = json.loads(data[20 : 20 + length])
    binary = data[28 + length :]

    def view(number: int) -> bytes:
        found = document["bufferViews"][number]
        start = found.get("byteOffset", 0)
        return binary[start : start + found["byteLength"]]

    def accessor(number: int) -> NDArray[Any]:
        found = document["accessors"][number]
        width = WIDTHS[found["type"]]
        values = np.frombuffer(
            view(found["bufferView"]), TYPES[found["componentType"]], found["count"] * width, found.get("byteOffset", 0)
        )
        return values.reshape(-1, width)

    primitive = document["meshes"][0]["primitives"][0]
    attributes = primitive["attributes"]
    look = document["materials"][primitive["material"]]["pbrMetallicRoughness"]
    image = document["images"][document["textures"][look["baseColorTexture"]["index"]]["source"]]
    texture = cv2.imdecode(np.frombuffer(view(image["bufferView"]), np.uint8), cv2.IMREAD_COLOR)
    if texture is None:
        raise EngineError("The file's texture cannot be decoded.")
    return Mesh(
        positions=accessor(attributes["POSITION"]).astype(np.float64),
        normals=accessor(attributes["NORMAL"]).astype(np.float64),
        uv=accessor(attributes["TEXCOORD_0"]).astype(np.float64),
        triangles=accessor(primitive["indices"]).reshape(-1, 3).astype(np.int64),
        texture=np.asarray(cv2.cvtColor(texture, cv2.COLOR_BGR2RGB), np.uint8),
    )


def render(mesh: Mesh, yaw: float, pitch: float, side: int, *, textured: bool = True) -> Picture:
    """A view of the mesh (side, side, 3): orthographic, from ``yaw`` degrees to the side and ``pitch`` above."""
    turn = _turn(yaw, pitch)
    middle = (mesh.positions.max(axis=0) + mesh.positions.min(axis=0)) / 2
    at = (mesh.positions - middle) @ turn.T / max(mesh.size)
    screen = np.stack([at[:, 0] * side * VIEW_SHARE + side / 2, side / 2 - at[:, 1] * side * VIEW_SHARE], axis=1)
    shade = AMBIENT + (1 - AMBIENT) * np.clip(mesh.normals @ turn.T @ LIGHT, 0, 1)
    a, b, c = (screen[mesh.triangles[:, corner]] for corner in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    visible = np.flatnonzero(area < -1e-9)
    picture = np.full((side * side, 3), float(GROUND))
    nearest = np.full(side * side, -np.inf)
    for part in np.array_split(visible, max(1, len(visible) // 20_000)):
        corners = np.stack([a[part], b[part], c[part]], axis=1)
        pixel, owner, weights = _covered(corners, area[part], side)
        triangle = mesh.triangles[part][owner]
        depth = (weights * at[triangle, 2]).sum(axis=1)
        # The last of those that fall on one pixel is the nearest.
        order = np.argsort(depth, kind="stable")
        last = len(order) - 1 - np.unique(pixel[order][::-1], return_index=True)[1]
        front = order[last]
        front = front[depth[front] > nearest[pixel[front]]]
        pixel, weights, triangle = pixel[front], weights[front], triangle[front]
        nearest[pixel] = depth[front]
        colour = _colours(mesh, triangle, weights) if textured else np.full((len(pixel), 3), 200.0)
        picture[pixel] = colour * (weights * shade[triangle]).sum(axis=1, keepdims=True)
    return picture.reshape(side, side, 3).clip(0, 255).astype(np.uint8)


def _turn(yaw: float, pitch: float) -> NDArray[np.float64]:
    """The rotation that brings the mesh before whoever looks from there."""
    y, p = np.deg2rad(yaw), np.deg2rad(pitch)
    around = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    over = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    return np.asarray(over @ around, np.float64)


def _covered(
    corners: NDArray[np.float64], area: NDArray[np.float64], side: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Pixels under triangles (t, 3, 2) of twice the signed ``area``: pixel, triangle, barycentric weights (p, 3)."""
    low = np.floor(corners.min(axis=1)).astype(int).clip(0, side - 1)
    high = np.ceil(corners.max(axis=1)).astype(int).clip(0, side - 1)
    span = high - low + 1
    count = span[:, 0] * span[:, 1]
    owner = np.repeat(np.arange(len(corners)), count)
    offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    px, py = low[owner, 0] + offset % span[owner, 0], low[owner, 1] + offset // span[owner, 0]
    x, y = px + 0.5, py + 0.5
    a, b, c = (corners[owner, corner] for corner in range(3))
    first = ((b[:, 0] - x) * (c[:, 1] - y) - (b[:, 1] - y) * (c[:, 0] - x)) / area[owner]
    second = ((c[:, 0] - x) * (a[:, 1] - y) - (c[:, 1] - y) * (a[:, 0] - x)) / area[owner]
    weights = np.stack([first, second, 1 - first - second], axis=1)
    hit = (weights >= -1e-6).all(axis=1)
    return py[hit] * side + px[hit], owner[hit], weights[hit]


def _colours(mesh: Mesh, triangle: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The texture's colours (p, 3) at places given by triangle and barycentric weights."""
    height, width = mesh.texture.shape[:2]
    uv = (weights[..., None] * mesh.uv[triangle]).sum(axis=1)
    u = (uv[:, 0] * width).astype(int).clip(0, width - 1)
    v = (uv[:, 1] * height).astype(int).clip(0, height - 1)
    return np.asarray(mesh.texture[v, u], np.float64)


def sheet(data: bytes, cut: CutOut | None = None, side: int = 300) -> Picture:
    """The contact sheet of a GLB: (its cut-out on magenta,) every view, and one in grey clay."""
    mesh = read(data)
    tiles = [_named(render(mesh, yaw, pitch, side), name) for name, yaw, pitch in VIEWS]
    tiles.append(_named(render(mesh, 40, 10, side, textured=False), "clay"))
    if cut is not None:
        tiles.insert(0, _named(_on_magenta(cut, side), "cut-out"))
    return np.concatenate(tiles, axis=1)


def _named(tile: Picture, name: str) -> Picture:
    cv2.putText(tile, name, (8, tile.shape[0] - 9), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (50, 50, 50), 1, cv2.LINE_AA)
    return tile


def _on_magenta(cut: CutOut, side: int) -> Picture:
    alpha = cut.rgba[..., 3:].astype(float) / 255
    flat = (cut.rgba[..., :3] * alpha + np.array([255, 0, 255]) * (1 - alpha)).astype(np.uint8)
    scale = side / max(flat.shape[:2])
    small = cv2.resize(flat, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:side, :side]
    tile = np.full((side, side, 3), GROUND, np.uint8)
    top, left = ((side - length) // 2 for length in small.shape[:2])
    tile[top : top + small.shape[0], left : left + small.shape[1]] = small
    return tile


def depth_maps(framed: Frame, depth: Depth) -> dict[str, Picture]:
    """Each map of a framed subject's depth as a picture by its name, and its ``thickness``.

    Front and back are coloured on one scale; each picture has a legend of its range in frame widths.
    """
    maps = {name: values for name, values in vars(depth).items() if np.ndim(values) == 2}
    maps["thickness"] = depth.front - depth.back
    inside = cv2.resize(framed.alpha, depth.front.shape[::-1], interpolation=cv2.INTER_AREA) > 0.5
    both = np.stack([depth.front, depth.back])[:, inside]
    shared = (float(both.min()), float(both.max()))
    return {
        name: _coloured(
            values, inside, shared if name in ("front", "back") else (0.0, max(1e-6, float(values[inside].max())))
        )
        for name, values in maps.items()
    }


def _coloured(values: NDArray[np.float32], inside: NDArray[np.bool_], limits: tuple[float, float]) -> Picture:
    """A map (h, w) in colours from dark (low) to light (high), grey outside, with a legend below."""
    low, high = limits
    grey = np.clip((values - low) / max(high - low, 1e-9) * 255, 0, 255).astype(np.uint8)
    picture = cv2.cvtColor(cv2.applyColorMap(grey, cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB)
    picture[~inside] = GROUND
    width = picture.shape[1]
    legend = np.full((LEGEND, width, 3), 255, np.uint8)
    bar = np.tile(np.linspace(0, 255, width - 160).astype(np.uint8), (LEGEND - 16, 1))
    legend[8:-8, 80:-80] = cv2.cvtColor(cv2.applyColorMap(bar, cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB)
    for number, x in ((low, 10), (high, width - 70)):
        text = f"{number:+.3f}"
        cv2.putText(legend, text, (x, LEGEND - 10), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (30, 30, 30), 1, cv2.LINE_AA)
    return np.concatenate([np.asarray(picture, np.uint8), legend])


def png(picture: Picture) -> bytes:
    """A picture (h, w) or (h, w, 3) as PNG. Raises EngineError."""
    bgr = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".png", bgr)
    if not done:
        raise EngineError("The picture cannot be written as a PNG.")
    return data.tobytes()
