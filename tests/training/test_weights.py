"""The depth network's weights: the file that is named, small enough, and answering as the engine expects."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter

import numpy as np
import pytest

from generation.engine import network
from generation.engine.frame import FILL
from tests import samples

CORPUS = samples.ROOT.parent / "shared" / "data" / "corpus" / "manifest.csv"
MOST_BYTES = 12_000_000
SIDE = network.SIDE
RGB = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
Y, X = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
MASKS = {
    "a disc": np.hypot(X, Y) < 0.8,
    "next to nothing": np.hypot(X, Y) < 0.03,
    "a hairline": (np.abs(X) < 0.01) & (np.abs(Y) < FILL),
    "as much as a frame holds": np.maximum(np.abs(X), np.abs(Y)) < FILL,
}


def test_the_file_is_the_one_named():
    data = network.WEIGHTS.read_bytes()
    assert hashlib.sha256(data).hexdigest() == network.SHA256
    assert len(data) <= MOST_BYTES


@pytest.mark.parametrize("kind", MASKS)
def test_it_answers_whatever_it_is_shown(kind: str):
    seen = network.look(RGB, MASKS[kind].astype(np.float32), threads=2)
    assert seen is not None
    for values in (seen.front, seen.thickness, seen.doubt):
        assert values.shape == (SIDE, SIDE)
        assert np.isfinite(values).all()
    assert (seen.thickness >= 0).all()
    assert (seen.doubt > 0).all()
    assert -90 < seen.elevation < 90


def test_a_ball_is_round():
    away = np.hypot(X, Y) / 0.8
    height = np.sqrt(np.maximum(0, 1 - away**2))
    light = np.clip(0.35 + 0.5 * height - 0.3 * Y + 0.1 * X, 0, 1) * 255
    seen = network.look(
        np.repeat(light[..., None], 3, axis=2).astype(np.uint8), (away < 1).astype(np.float32), threads=2
    )
    assert seen is not None
    middle, ring = away < 0.2, (away > 0.8) & (away < 0.9)
    assert seen.front[middle].mean() - seen.front[ring].mean() > 0.1
    assert 0.4 < seen.thickness[middle].mean() < 1.2  # 0.8 wide
    assert seen.thickness[middle].mean() > 1.3 * seen.thickness[ring].mean()


@pytest.mark.shared
@pytest.mark.skipif(not CORPUS.is_file(), reason="../shared/data is not part of a clone")
def test_every_source_of_the_training_data_is_named():
    """With the number of its objects, and how many of these were kept for validation."""
    with CORPUS.open(newline="") as file:
        splits = Counter((row["name"].split("/")[0], row["split"]) for row in csv.DictReader(file))
    page = (samples.ROOT / "docs" / "engine.md").read_text()
    for source in {name for name, _ in splits}:
        train, val = splits[source, "train"], splits[source, "val"]
        assert f"| {source} | {train + val} ({val}) |" in page
