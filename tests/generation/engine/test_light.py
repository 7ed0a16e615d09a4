"""Flattening the light: shading goes, colours stay."""

import numpy as np
from numpy.typing import NDArray

from generation.engine.frame import Frame
from generation.engine.light import flatten_light

SIDE = 512


def ball(colour: NDArray[np.float64], shade: NDArray[np.float64]) -> Frame:
    """A disc of a colour (3,) or (side, side, 3) under a shade (side, side)."""
    y, x = np.indices((SIDE, SIDE)) / SIDE - 0.5
    rgb = np.broadcast_to(colour, (SIDE, SIDE, 3)) * shade[..., None]
    return Frame(rgb.clip(0, 255).astype(np.uint8), (np.hypot(x, y) < 0.44).astype(np.float32))


def across(low: float, high: float) -> NDArray[np.float64]:
    """A shade that rises from left to right."""
    return np.broadcast_to(np.linspace(low, high, SIDE), (SIDE, SIDE))


def spread(framed: Frame) -> float:
    """How much brighter the right of the middle is than the left."""
    row = framed.rgb[SIDE // 2 - 10 : SIDE // 2 + 10].astype(float).mean(axis=(0, 2))
    return float(row[400] - row[112])


def test_a_ball_lit_from_one_side_is_lit_more_evenly() -> None:
    lit = ball(np.array([150.0, 120, 90]), across(0.4, 1.4))
    flat = flatten_light(lit)
    assert 0 < spread(flat) < 0.75 * spread(lit)
    inside = lit.alpha > 0.5
    assert abs(flat.rgb[inside].mean() - lit.rgb[inside].mean()) < 8
    # The colour itself is as before.
    ratio = flat.rgb[inside].astype(float) / flat.rgb[inside].sum(axis=1, keepdims=True)
    assert np.allclose(ratio.mean(axis=0), np.array([150, 120, 90]) / 360, atol=0.01)


def test_a_dark_half_stays_dark() -> None:
    halves = ball(np.where(np.arange(SIDE)[None, :, None] < SIDE // 2, 40.0, 220.0), np.ones((SIDE, SIDE)))
    assert spread(flatten_light(halves)) > 0.6 * spread(halves)


def test_details_stay() -> None:
    """Fine stripes have the contrast they had."""
    stripes = ball(np.where(np.arange(SIDE)[None, :, None] // 4 % 2, 90.0, 150.0), np.ones((SIDE, SIDE)))
    inside = stripes.alpha > 0.5
    assert np.isclose(flatten_light(stripes).rgb[inside].std(), stripes.rgb[inside].std(), rtol=0.05)
