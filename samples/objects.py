"""The objects: each a distance field and a paint, about one unit high, standing on y = 0."""

import numpy as np

from .shapes import Floats, around, box, capsule, spline, torus, union


def mug(p: Floats) -> Floats:
    """A mug with a round handle."""
    body = around(p, spline([0, 0.06, 0.5, 0.94, 1.0], [0.33, 0.385, 0.4, 0.405, 0.4]), 0.01, 1.0) - 0.012
    hollow = around(p, spline([0.1, 0.5, 1.2], [0.33, 0.355, 0.36]), 0.1, 1.3)
    handle = torus(p, (0.43, 0.52, 0.0), 1.25, 0.22, 0.055)
    return np.maximum(union(body, handle, 0.05), -hollow)


def mug_paint(p: Floats, n: Floats) -> Floats:
    """Colours of the mug."""
    radius = np.hypot(p[:, 0], p[:, 2])
    colour = np.where(p[:, 1:2] > 0.36, (0.05, 0.23, 0.30), (0.72, 0.62, 0.47))
    wave = 0.36 + 0.02 * np.sin(np.arctan2(p[:, 2], p[:, 0]) * 5 + 1)
    band = (p[:, 1] > wave) | (radius > 0.45)
    colour = np.where(band[:, None], (0.04, 0.21, 0.28), colour)
    dots = (np.sin(np.arctan2(p[:, 2], p[:, 0]) * 14) > 0.55) & (np.abs(p[:, 1] - 0.68) < 0.035) & (radius < 0.45)
    colour = np.where(dots[:, None], (0.85, 0.72, 0.42), colour)
    inside = (radius < 0.372) & (p[:, 1] < 0.995)
    return np.where(inside[:, None], (0.78, 0.72, 0.62), colour).astype(np.float32)


def boat(p: Floats) -> Floats:
    """A toy boat with a cabin, a funnel and a pole."""
    length = np.clip(p[:, 0] / 0.8, -1, 1)
    bow = np.sqrt(np.clip(1 - np.maximum(length, 0) ** 2, 0.0, 1)) * (1 - 0.25 * np.maximum(-length, 0) ** 2)
    q = p.copy()
    q[:, 2] /= np.maximum(bow, 0.25) * (0.62 + 0.38 * np.clip(p[:, 1] / 0.3, 0, 1))
    q[:, 1] -= 0.015 * length**2
    hull = box(q, (0.0, 0.17, 0.0), (0.8, 0.16, 0.3), 0.06) * 0.5
    deck = box(q, (-0.02, 0.36, 0.0), (0.7, 0.06, 0.235), 0.02) * 0.5
    cabin = box(p, (-0.2, 0.47, 0.0), (0.28, 0.19, 0.17), 0.04)
    roof = box(p, (-0.2, 0.67, 0.0), (0.34, 0.03, 0.22), 0.028)
    q = p - np.array([-0.25, 0.0, 0.0], np.float32)
    funnel = around(q, lambda y: np.full(len(y), 0.085, np.float32), 0.66, 0.96) - 0.015
    pole = capsule(p, (0.42, 0.3, 0.0), (0.42, 0.86, 0.0), 0.028)
    ball = np.linalg.norm(p - np.array([0.42, 0.88, 0.0], np.float32), axis=1) - 0.055
    return np.asarray(np.minimum.reduce([np.maximum(hull, -deck), cabin, roof, funnel, pole, ball]), np.float32)


def boat_paint(p: Floats, n: Floats) -> Floats:
    """Colours of the boat."""
    length = np.clip(p[:, 0] / 0.8, -1, 1)
    height = p[:, 1] - 0.015 * length**2
    colour = np.where((height < 0.13)[:, None], (0.45, 0.05, 0.04), (0.06, 0.17, 0.36))
    colour = np.where(((height > 0.245) & (height < 0.29))[:, None], (0.80, 0.76, 0.66), colour)
    colour = np.where(((height > 0.285) & (n[:, 1] > 0.7))[:, None], (0.52, 0.31, 0.14), colour)
    cabin = (np.abs(p[:, 0] + 0.2) < 0.3) & (np.abs(p[:, 2]) < 0.19) & (p[:, 1] > 0.31)
    colour = np.where(cabin[:, None], (0.82, 0.78, 0.68), colour)
    window = np.minimum(np.hypot(p[:, 0] + 0.32, p[:, 1] - 0.5), np.hypot(p[:, 0] + 0.09, p[:, 1] - 0.5))
    glass = cabin & (window < 0.07) & (np.abs(p[:, 2]) > 0.15)
    frame = cabin & (window < 0.09) & (np.abs(p[:, 2]) > 0.15)
    colour = np.where(frame[:, None], (0.50, 0.29, 0.12), colour)
    colour = np.where(glass[:, None], (0.05, 0.10, 0.13), colour)
    colour = np.where(((p[:, 1] > 0.635) & (p[:, 1] < 0.71) & (p[:, 0] < 0.3))[:, None], (0.50, 0.06, 0.05), colour)
    stack = (np.abs(p[:, 0] + 0.25) < 0.12) & (p[:, 1] > 0.706)
    colour = np.where(stack[:, None], (0.75, 0.48, 0.10), colour)
    colour = np.where((stack & (p[:, 1] > 0.86))[:, None], (0.05, 0.05, 0.055), colour)
    pole = (np.hypot(p[:, 0] - 0.42, p[:, 2]) < 0.08) & (p[:, 1] > 0.325)
    colour = np.where(pole[:, None], (0.52, 0.31, 0.14), colour)
    return np.where((pole & (p[:, 1] > 0.82))[:, None], (0.75, 0.48, 0.10), colour).astype(np.float32)


def mushroom(p: Floats) -> Floats:
    """A mushroom with a small one beside it."""
    stem = around(p, spline([0, 0.1, 0.35, 0.62, 0.75], [0.23, 0.22, 0.15, 0.13, 0.14]), 0.02, 0.75) - 0.02
    q = p - np.array([0.0, 0.6, 0.0], np.float32)
    scaled = q / np.array([0.56, 0.44, 0.56], np.float32)
    cap = (np.linalg.norm(scaled, axis=1) - 1) * 0.42
    under = (
        np.linalg.norm((q + np.array([0, 0.16, 0], np.float32)) / np.array([0.62, 0.2, 0.62], np.float32), axis=1) - 1
    ) * 0.2
    cap = -union(-cap, np.maximum(under, -1), 0.05)
    cap = np.maximum(cap, -q[:, 1] - 0.06)
    small = p - np.array([0.42, 0.0, 0.22], np.float32)
    little = around(small, spline([0, 0.1, 0.26], [0.1, 0.08, 0.06]), 0.01, 0.26) - 0.01
    hat = (
        np.linalg.norm((small - np.array([0, 0.24, 0], np.float32)) / np.array([0.17, 0.15, 0.17], np.float32), axis=1)
        - 1
    ) * 0.14
    hat = np.maximum(hat, 0.2 - small[:, 1])
    return np.minimum(union(stem, cap, 0.04), union(little, hat, 0.02))


def _spots() -> Floats:
    number = np.arange(26)
    height = 1 - (number + 0.5) / 26 * 0.98
    turn = number * 2.399963
    flat = np.sqrt(1 - height**2)
    return np.stack([flat * np.cos(turn), height, flat * np.sin(turn)], axis=1).astype(np.float32)


def mushroom_paint(p: Floats, n: Floats) -> Floats:
    """Colours of the mushroom."""
    colour = np.full((len(p), 3), (0.74, 0.66, 0.52))
    colour *= 1 - 0.10 * (np.sin(np.arctan2(p[:, 2], p[:, 0]) * 22) > 0.6)[:, None] * (p[:, 1:2] < 0.55)
    top = (p[:, 1] > 0.555) & (n[:, 1] > -0.35)
    hat = (np.hypot(p[:, 0] - 0.42, p[:, 2] - 0.22) < 0.2) & (p[:, 1] > 0.215) & (p[:, 1] < 0.42)
    colour = np.where(top[:, None], (0.56, 0.055, 0.03), colour)
    colour = np.where((hat & (n[:, 1] > -0.3))[:, None], (0.58, 0.10, 0.03), colour)
    way = (p - np.array([0, 0.6, 0], np.float32)) / np.array([0.56, 0.44, 0.56], np.float32)
    way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-6)
    spots = _spots()
    sizes = 0.985 + 0.009 * np.cos(np.arange(len(spots)) * 1.7)
    spotted = (way @ spots.T > sizes).any(axis=1) & top
    return np.where(spotted[:, None], (0.85, 0.80, 0.70), colour).astype(np.float32)


_VASE = spline([0, 0.05, 0.3, 0.55, 0.8, 0.95, 1.1, 1.18], [0.2, 0.23, 0.37, 0.4, 0.25, 0.14, 0.15, 0.21])


def vase(p: Floats) -> Floats:
    """A vase with two handles."""
    body = around(p, _VASE, 0.01, 1.18) - 0.012
    hollow = around(p, lambda y: _VASE(y) - 0.035, 0.9, 1.4)
    left = torus(p, (-0.24, 0.88, 0.0), 1.25, 0.15, 0.036)
    right = torus(p, (0.24, 0.88, 0.0), 1.25, 0.15, 0.036)
    return np.maximum(union(body, np.minimum(left, right), 0.04), -hollow)


def vase_paint(p: Floats, n: Floats) -> Floats:
    """Colours of the vase."""
    clay, dark = (0.55, 0.21, 0.08), (0.05, 0.035, 0.03)
    turn = np.arctan2(p[:, 2], p[:, 0])
    colour = np.full((len(p), 3), clay)
    y = p[:, 1]
    key = np.abs(y - 0.53) - 0.065 * np.sign(np.sin(turn * 14)) * 0.5
    bands = (np.abs(y - 0.42) < 0.012) | (np.abs(y - 0.64) < 0.012) | (y < 0.12) | (np.abs(y - 0.19) < 0.01)
    meander = (np.abs(key) < 0.012) | ((np.abs(np.sin(turn * 14)) < 0.12) & (np.abs(y - 0.53) < 0.05))
    rays = (y > 0.19) & (y < 0.19 + 0.13 * np.abs(np.sin(turn * 9)))
    handle = np.hypot(p[:, 0], p[:, 2]) > _VASE(np.clip(y, 0, 1.18)) + 0.03
    painted = bands | meander | rays | (y > 1.0) | handle
    return np.where(painted[:, None], dark, colour).astype(np.float32)
