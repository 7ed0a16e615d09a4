"""The camera: walks along rays, and lights what they hit like a table-top photo."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .shapes import Field, Floats, Paint

WIDTH, HEIGHT, OVERSAMPLING = 960, 800, 2
LIGHT = np.array([-0.55, 0.75, 0.5], np.float32)


@dataclass(frozen=True)
class Scene:
    """An object standing on y = 0, how it is painted, and where the camera stands (degrees, distance)."""

    name: str
    field: Field
    paint: Paint
    gloss: float
    yaw: float
    pitch: float
    distance: float
    centre: float
    table: tuple[float, float, float]
    wall: tuple[float, float, float]


def march(field: Field, start: Floats, way: Floats, *, far: float, steps: int) -> tuple[Floats, Floats]:
    """Walk along rays (n, 3): how far each got, and the narrowest gap seen relative to the way gone."""
    gone = np.full(len(start), 0.02, np.float32)
    gap = np.ones(len(start), np.float32)
    going = np.arange(len(start))
    for _ in range(steps):
        distance = field(start[going] + gone[going, None] * way[going])
        gap[going] = np.minimum(gap[going], 9 * distance / gone[going])
        gone[going] += distance
        going = going[(distance > 0.0006) & (gone[going] < far)]
        if not len(going):
            break
    return gone, gap


def normals(field: Field, p: Floats) -> Floats:
    """Surface normals (n, 3) by differences."""
    step = 0.002
    offsets = np.array([[1, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]], np.float32)
    total = sum(offset * field(p + step * offset)[:, None] for offset in offsets)
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9), np.float32)


def open_sky(field: Field, p: Floats, n: Floats) -> Floats:
    """How much of the sky reaches each point (0..1): the object and the table hide some of it."""
    hidden = np.zeros(len(p), np.float32)
    for number in range(1, 6):
        reach = 0.05 * number
        at = p + n * reach
        hidden += (reach - np.minimum(field(at), at[:, 1])).clip(0, None) * (0.75**number) * 3.2
    return np.clip(1 - hidden, 0.15, 1)


def smooth_noise(shape: tuple[int, int], sigma: float, rng: np.random.Generator) -> Floats:
    """Noise with grains of a given width, mean 0, deviation 1."""
    noise = cv2.GaussianBlur(rng.standard_normal(shape).astype(np.float32), (0, 0), sigma)
    return np.asarray(noise / noise.std(), np.float32)


def photograph(scene: Scene) -> NDArray[np.uint8]:
    """The picture of a scene (HEIGHT, WIDTH, 3)."""
    rng = np.random.default_rng(7)
    w, h = WIDTH * OVERSAMPLING, HEIGHT * OVERSAMPLING
    yaw, pitch = np.deg2rad(scene.yaw), np.deg2rad(scene.pitch)
    backwards = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)], np.float32)
    right = np.array([np.cos(yaw), 0, -np.sin(yaw)], np.float32)
    up = np.cross(backwards, right).astype(np.float32)
    eye = np.array([0, scene.centre, 0], np.float32) + scene.distance * backwards
    light = LIGHT[0] * right + LIGHT[1] * np.array([0, 1, 0], np.float32) + LIGHT[2] * np.cross(right, [0, 1, 0])
    light = (light / np.linalg.norm(light)).astype(np.float32)
    x, y = np.meshgrid((np.arange(w) + 0.5 - w / 2) / h, (h / 2 - np.arange(h) - 0.5) / h)
    way = x[..., None] * right + y[..., None] * up - 1.55 * backwards
    way = (way / np.linalg.norm(way, axis=2, keepdims=True)).reshape(-1, 3).astype(np.float32)
    start = np.broadcast_to(eye, way.shape)

    # Table and wall: a soft sweep from one to the other, with grain and a shadow.
    falling = way[:, 1] < -0.02
    to_table = np.where(falling, -eye[1] / np.minimum(way[:, 1], -0.02), 50).astype(np.float32)
    ground = start + to_table[:, None] * way
    blend = (1 / (1 + np.exp(np.minimum((to_table - 2.1 * scene.distance) * 1.3, 30))))[:, None]
    grain = 0.035 * smooth_noise((h, w), 1.6, rng) + 0.03 * smooth_noise((h // 8, w // 8), 9, rng).repeat(8, 0).repeat(
        8, 1
    )
    table = np.array(scene.table) * (1 + grain.reshape(-1, 1))
    wall_light = (1.02 - 0.22 * np.hypot(x + 0.25, y - 0.2)).reshape(-1, 1)
    blotches = cv2.GaussianBlur(smooth_noise((h // 8, w // 8), 14, rng), (0, 0), 4)
    wall = np.array(scene.wall) * wall_light * (1 + 0.05 * cv2.resize(blotches, (w, h)).reshape(-1, 1))
    near = falling & (np.linalg.norm(ground, axis=1) < 3.2)
    shade, contact = np.ones(len(way), np.float32), np.ones(len(way), np.float32)
    rays = ground[near]
    rays[:, 1] = 0.004
    shade[near] = np.clip(march(scene.field, rays, np.broadcast_to(light, rays.shape), far=3, steps=48)[1], 0, 1)
    contact[near] = open_sky(scene.field, rays, np.broadcast_to(np.array([0, 1, 0], np.float32), rays.shape))
    lit = (0.42 * contact + 0.62 * shade)[:, None]
    picture = (blend * table * lit + (1 - blend) * wall).astype(np.float32)

    # The object; its bounding ball saves marching the rest.
    aim = np.array([0, scene.centre, 0], np.float32) - eye
    along = way @ aim
    close = np.flatnonzero(np.linalg.norm(along[:, None] * way - aim, axis=1) < 1.15)
    gone = march(scene.field, start[close], way[close], far=scene.distance + 1.6, steps=110)[0]
    hit = close[(gone < scene.distance + 1.5) & (gone < to_table[close] + 0.01)]
    at = start[hit] + gone[(gone < scene.distance + 1.5) & (gone < to_table[close] + 0.01), None] * way[hit]
    n = normals(scene.field, at)
    base = scene.paint(at, n)
    shadow = np.clip(march(scene.field, at + 0.006 * n, np.broadcast_to(light, at.shape), far=2.5, steps=40)[1], 0, 1)
    direct = np.clip(n @ light, 0, 1) * shadow
    sky = open_sky(scene.field, at, n) * (0.62 + 0.38 * n[:, 1])
    bounce = np.clip(-n[:, 1] * 0.5 + 0.3, 0, 1)[:, None] * np.array(scene.table) * 0.28
    half = light - way[hit]
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    facing = np.clip(-(n * way[hit]).sum(axis=1), 0, 1)
    shine = np.clip((n * half).sum(axis=1), 0, 1)
    gloss = scene.gloss * (0.9 * shine**90 + 0.10 * shine**12) * shadow + 0.25 * scene.gloss * (1 - facing) ** 4 * sky
    warm, cool = np.array([1.0, 0.95, 0.86]), np.array([0.88, 0.95, 1.0])
    picture[hit] = base * (0.95 * direct[:, None] * warm + 0.5 * sky[:, None] * cool + bounce) + gloss[:, None]

    picture = cv2.resize(picture.reshape(h, w, 3), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    u, v = np.meshgrid(np.linspace(-1, 1, WIDTH), np.linspace(-1, 1, HEIGHT))
    picture *= (1.12 - 0.16 * (u**2 + v**2))[..., None]
    encoded = np.clip(picture, 0, 1) ** (1 / 2.2)
    encoded = encoded + 0.006 * rng.standard_normal(encoded.shape)  # the sensor
    return np.asarray(np.clip(encoded * 255, 0, 255).round(), np.uint8)
