"""Pictures of an object with the truth behind them: colours, outline, and the depth of its front and its back.

A z-buffer in a compiled loop. Per pixel it keeps the nearest surface, which is shaded, and the farthest, which is
the back. Light: one lamp with an optional shadow (a second z-buffer seen from the lamp), sky and ground light by
the normal's direction, darkening in hollows (blurred depth less depth), and a highlight (Blinn 1977).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from .corpus import Mesh

# The subject's longest side in the frame, as in generation/engine/frame.py.
FILL = 0.88
# Faces meeting at a sharper angle than this (cosine) are shaded as an edge.
CREASE = 0.7


@dataclass(frozen=True, kw_only=True)
class Camera:
    """The object is turned by ``yaw`` about +Y, tipped towards the camera by ``elevation``, then rolled; degrees.

    ``fov`` is the vertical field of view; the camera stands where the object's bounding sphere just fits into it.
    """

    yaw: float
    elevation: float
    roll: float = 0.0
    fov: float = 30.0


@dataclass(frozen=True, kw_only=True)
class Light:
    """Directions are in camera coordinates (x right, y up, z to the viewer); amounts multiply linear colours."""

    direction: tuple[float, float, float] = (-0.4, 0.6, 0.7)
    lamp: tuple[float, float, float] = (0.75, 0.75, 0.75)
    sky: tuple[float, float, float] = (0.45, 0.45, 0.45)
    ground: tuple[float, float, float] = (0.25, 0.25, 0.25)
    highlight: float = 0.0
    sharpness: float = 30.0
    shadow: bool = False
    hollows: float = 0.0
    smooth: bool = True
    grain: tuple[float, float, float] = (0.0, 1.0, 0.0)
    """Unevenness of the object's colour, as a pattern in space: strength, waves per longest side, phase."""


@dataclass(frozen=True)
class View:
    """A framed picture: ``rgb`` (side, side, 3) uint8, zero outside ``mask`` (side, side) from 0 to 1.

    ``front`` and ``back`` (side, side) are depths in frame widths towards the viewer, 0 at the object's centre,
    meaningful where ``mask`` > 0.5.
    """

    rgb: NDArray[np.uint8]
    mask: NDArray[np.float32]
    front: NDArray[np.float32]
    back: NDArray[np.float32]


def rotation(camera: Camera) -> NDArray[np.float64]:
    """From object to camera coordinates (3, 3)."""
    yaw, tip, roll = np.deg2rad([camera.yaw, camera.elevation, camera.roll])
    around = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    over = np.array([[1, 0, 0], [0, np.cos(tip), -np.sin(tip)], [0, np.sin(tip), np.cos(tip)]])
    twist = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return np.asarray(twist @ over @ around)


def render(mesh: Mesh, camera: Camera, light: Light, side: int, *, samples: int = 2) -> View | None:
    """Photograph an object into a frame of ``side`` pixels, ``samples``² rays a pixel; None if nothing is seen."""
    points = mesh.positions.astype(np.float64) @ rotation(camera).T
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    points -= middle
    radius = float(np.sqrt((points**2).sum(axis=1).max()))
    half = np.tan(np.deg2rad(camera.fov) / 2)
    distance = max(radius / np.sin(np.deg2rad(camera.fov) / 2), 1.05 * radius)
    away = distance - points[:, 2]
    flat = points[:, :2] * (distance / away)[:, None]  # at the distance of the object's centre, its own unit
    low, high = flat.min(axis=0), flat.max(axis=0)
    width = float((high - low).max()) / FILL  # of the frame, in the object's unit
    if not width > 1e-6 or half <= 0:
        return None
    fine = side * samples
    centre = (low + high) / 2
    screen = np.empty((len(points), 4))
    screen[:, 0] = ((flat[:, 0] - centre[0]) / width + 0.5) * fine
    screen[:, 1] = (0.5 - (flat[:, 1] - centre[1]) / width) * fine
    screen[:, 2] = 1 / away
    screen[:, 3] = points[:, 2]
    near, far, owner, weights = _z_buffer(screen, mesh.triangles, fine)
    seen = owner >= 0
    if not seen.any():
        return None
    normals = corner_normals(points, mesh.triangles, CREASE if light.smooth else 2.0)
    lamp = np.array(light.direction) / np.linalg.norm(light.direction)
    shade = _open_to_lamp(points, mesh.triangles, lamp, fine) if light.shadow else np.zeros((0, 0))
    hollow = _hollows(near, seen, width, light.hollows)
    rgb = _shade(
        owner, weights, points, mesh.triangles, normals, mesh.uv, mesh.texture, hollow, shade, lamp,
        np.array(light.lamp), np.array(light.sky), np.array(light.ground), light.highlight, light.sharpness,
        np.array(light.grain), radius, distance,
    )  # fmt: skip
    mask = _smaller(seen.astype(np.float32), samples)
    share = np.maximum(mask, 1e-6)
    colours = np.stack([_smaller(rgb[..., channel], samples) for channel in range(3)], axis=-1) / share[..., None]
    front, back = (
        np.asarray(_smaller(np.where(seen, depth, 0).astype(np.float32), samples) / share / width, np.float32)
        for depth in (near, far)
    )
    colours = np.clip(colours, 0, 1) ** (1 / 2.2) * 255 * (mask > 0)[..., None]
    return View(colours.round().astype(np.uint8), mask, front, back)


def _smaller(values: NDArray[np.float32], samples: int) -> NDArray[np.float32]:
    """Means of blocks."""
    if samples == 1:
        return np.asarray(values, np.float32)
    side = values.shape[0] // samples
    return np.asarray(cv2.resize(values, (side, side), interpolation=cv2.INTER_AREA), np.float32)


def _hollows(near: NDArray[np.float64], seen: NDArray[np.bool_], width: float, strength: float) -> NDArray[np.float32]:
    """How much light reaches each pixel (1 = all), from how far it lies below its surroundings."""
    if strength <= 0:
        return np.ones(near.shape, np.float32)
    weight = seen.astype(np.float32)
    depth = np.where(seen, near, 0).astype(np.float32) / np.float32(width)
    sigma = 0.03 * near.shape[0]
    mean = cv2.GaussianBlur(depth, (0, 0), sigma) / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-3)
    below = np.clip((mean - depth) / 0.06, 0, 1)
    return np.asarray(1 - np.float32(strength) * below, np.float32)


def _open_to_lamp(
    points: NDArray[np.float64], triangles: NDArray[np.int32], lamp: NDArray[np.float64], side: int
) -> NDArray[np.float64]:
    """Depth map (side, side) of the object as the lamp sees it, in the basis ``_lamp_basis`` gives."""
    radius = float(np.sqrt((points**2).sum(axis=1).max()))
    across, up = _lamp_basis(lamp)
    screen = np.ones((len(points), 4))
    screen[:, 0] = ((points @ across) / (2.02 * radius) + 0.5) * side
    screen[:, 1] = ((points @ up) / (2.02 * radius) + 0.5) * side
    screen[:, 3] = points @ lamp
    near, _, _, _ = _z_buffer(screen, triangles, side)
    return np.asarray(near)


@numba.njit(cache=True)
def _lamp_basis(lamp):  # type: ignore[no-untyped-def]
    helper = np.array([0.0, 1.0, 0.0]) if abs(lamp[1]) < 0.9 else np.array([1.0, 0.0, 0.0])
    across = np.cross(helper, lamp)
    across /= np.sqrt((across**2).sum())
    return across, np.cross(lamp, across)


@numba.njit(cache=True, fastmath=True)
def _z_buffer(screen, triangles, side):  # type: ignore[no-untyped-def]
    """Nearest and farthest depth (side, side), the nearest triangle (-1 = none), its perspective-true weights.

    ``screen`` (v, 4): x, y in pixels, 1 / distance to the camera, depth towards the viewer.
    """
    near = np.full((side, side), -np.inf)
    far = np.full((side, side), np.inf)
    owner = np.full((side, side), -1, np.int32)
    weights = np.zeros((side, side, 2), np.float32)
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay, bx, by, cx, cy = screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1], screen[c, 0], screen[c, 1]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if abs(area) < 1e-9:
            continue
        x0 = max(0, int(np.ceil(min(ax, bx, cx) - 0.5)))
        x1 = min(side - 1, int(np.floor(max(ax, bx, cx) - 0.5)))
        y0 = max(0, int(np.ceil(min(ay, by, cy) - 0.5)))
        y1 = min(side - 1, int(np.floor(max(ay, by, cy) - 0.5)))
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                px, py = x + 0.5, y + 0.5
                u = ((bx - px) * (cy - py) - (by - py) * (cx - px)) / area
                v = ((cx - px) * (ay - py) - (cy - py) * (ax - px)) / area
                w = 1 - u - v
                if u < -1e-9 or v < -1e-9 or w < -1e-9:
                    continue
                iu, iv, iw = u * screen[a, 2], v * screen[b, 2], w * screen[c, 2]
                total = iu + iv + iw
                iu, iv, iw = iu / total, iv / total, iw / total
                z = iu * screen[a, 3] + iv * screen[b, 3] + iw * screen[c, 3]
                if z > near[y, x]:
                    near[y, x] = z
                    owner[y, x] = t
                    weights[y, x, 0] = iu
                    weights[y, x, 1] = iv
                if z < far[y, x]:
                    far[y, x] = z
    return near, far, owner, weights


@numba.njit(cache=True, fastmath=True)
def corner_normals(points, triangles, crease):  # type: ignore[no-untyped-def]
    """Unit normals (t, 3, 3) of the triangles' corners: the mean of the faces around that are not beyond a crease."""
    count = len(triangles)
    faces = np.zeros((count, 3))
    for t in range(count):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        vx, vy, vz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        faces[t, 0] = uy * vz - uz * vy
        faces[t, 1] = uz * vx - ux * vz
        faces[t, 2] = ux * vy - uy * vx
    lengths = np.sqrt(faces[:, 0] ** 2 + faces[:, 1] ** 2 + faces[:, 2] ** 2) + 1e-20
    start = np.zeros(len(points) + 1, np.int64)
    for t in range(count):
        for k in range(3):
            start[triangles[t, k] + 1] += 1
    start = np.cumsum(start)
    fill = start[:-1].copy()
    around = np.zeros(3 * count, np.int64)
    for t in range(count):
        for k in range(3):
            around[fill[triangles[t, k]]] = t
            fill[triangles[t, k]] += 1
    out = np.zeros((count, 3, 3))
    for t in range(count):
        for k in range(3):
            vertex = triangles[t, k]
            nx, ny, nz = 0.0, 0.0, 0.0
            for place in range(start[vertex], start[vertex + 1]):
                o = around[place]
                dot = faces[t, 0] * faces[o, 0] + faces[t, 1] * faces[o, 1] + faces[t, 2] * faces[o, 2]
                if o == t or dot > crease * lengths[t] * lengths[o]:
                    nx, ny, nz = nx + faces[o, 0], ny + faces[o, 1], nz + faces[o, 2]
            scale = 1 / (np.sqrt(nx * nx + ny * ny + nz * nz) + 1e-20)
            out[t, k, 0], out[t, k, 1], out[t, k, 2] = nx * scale, ny * scale, nz * scale
    return out


@numba.njit(cache=True, fastmath=True)
def _shade(  # type: ignore[no-untyped-def]
    owner, weights, points, triangles, normals, uv, texture, hollow, shadow, lamp, lamp_colour, sky, ground,
    highlight, sharpness, grain, radius, distance,
):  # fmt: skip
    """Linear colours (side, side, 3), 0 where nothing is seen."""
    side = owner.shape[0]
    rows, columns = texture.shape[0], texture.shape[1]
    out = np.zeros((side, side, 3), np.float32)
    across, up = _lamp_basis(lamp)
    linear = (np.arange(256) / 255.0) ** 2.2
    for y in range(side):
        for x in range(side):
            t = owner[y, x]
            if t < 0:
                continue
            u, v = weights[y, x, 0], weights[y, x, 1]
            w = 1 - u - v
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            # In scalars: an array made per pixel would cost more than all the rest.
            px = u * points[a, 0] + v * points[b, 0] + w * points[c, 0]
            py = u * points[a, 1] + v * points[b, 1] + w * points[c, 1]
            pz = u * points[a, 2] + v * points[b, 2] + w * points[c, 2]
            nx = u * normals[t, 0, 0] + v * normals[t, 1, 0] + w * normals[t, 2, 0]
            ny = u * normals[t, 0, 1] + v * normals[t, 1, 1] + w * normals[t, 2, 1]
            nz = u * normals[t, 0, 2] + v * normals[t, 1, 2] + w * normals[t, 2, 2]
            vx, vy, vz = -px, -py, distance - pz
            scale = 1 / (np.sqrt(vx * vx + vy * vy + vz * vz) + 1e-20)
            vx, vy, vz = vx * scale, vy * scale, vz * scale
            scale = 1 / (np.sqrt(nx * nx + ny * ny + nz * nz) + 1e-20)
            if nx * vx + ny * vy + nz * vz < 0:
                scale = -scale
            nx, ny, nz = nx * scale, ny * scale, nz * scale
            lit = max(0.0, nx * lamp[0] + ny * lamp[1] + nz * lamp[2])
            if lit > 0 and shadow.shape[0] > 0:
                sx = int(((px * across[0] + py * across[1] + pz * across[2]) / (2.02 * radius) + 0.5) * side)
                sy = int(((px * up[0] + py * up[1] + pz * up[2]) / (2.02 * radius) + 0.5) * side)
                nearer = px * lamp[0] + py * lamp[1] + pz * lamp[2] + 0.03 * radius
                if 0 <= sx < side and 0 <= sy < side and shadow[sy, sx] > nearer:
                    lit = 0.0
            shine = 0.0
            if lit > 0 and highlight > 0:
                hx, hy, hz = lamp[0] + vx, lamp[1] + vy, lamp[2] + vz
                cosine = (nx * hx + ny * hy + nz * hz) / (np.sqrt(hx * hx + hy * hy + hz * hz) + 1e-20)
                shine = highlight * max(0.0, cosine) ** sharpness
            above = 0.5 + 0.5 * ny
            tu = u * uv[a, 0] + v * uv[b, 0] + w * uv[c, 0]
            tv = u * uv[a, 1] + v * uv[b, 1] + w * uv[c, 1]
            column = min(columns - 1, int((tu - np.floor(tu)) * columns))
            row = min(rows - 1, int((tv - np.floor(tv)) * rows))
            uneven = 1.0
            if grain[0] > 0:
                f, phase = 6.28 * grain[1], grain[2]
                waves = np.sin(f * (px + 0.4 * py) + phase) * np.sin(f * (py - 0.3 * pz) + 2 * phase)
                uneven += grain[0] * (waves + 0.6 * np.sin(1.9 * f * (pz + 0.5 * px) + phase))
                uneven = min(max(uneven, 0.1), 1.8)
            for k in range(3):
                base = linear[texture[row, column, k]] * uneven
                ambient = (sky[k] * above + ground[k] * (1 - above)) * hollow[y, x]
                out[y, x, k] = base * (ambient + lamp_colour[k] * lit) + lamp_colour[k] * shine
    return out
