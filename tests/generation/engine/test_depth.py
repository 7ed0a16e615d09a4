"""The depth network: its file, what it says, and what happens without it or when it doubts."""

import logging
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from generation import engine
from generation.engine import depth, network
from generation.engine.inflation import inflate
from tests import samples


@pytest.fixture(autouse=True)
def own_session() -> Iterator[None]:
    """Some tests take the network away; the next one gets it back."""
    yield
    network.session.cache_clear()


def _ball(side: int = 512) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A lit ball in the middle of a frame: picture (side, side, 3) and alpha (side, side)."""
    y, x = (np.indices((side, side)) + 0.5) / side * 2 - 1
    reach = np.hypot(x, y) / 0.88
    height = np.sqrt(np.clip(1 - reach**2, 0, 1))
    light = 60 + 150 * np.clip((height - 0.4 * x / 0.88 - 0.5 * y / 0.88) / 1.2, 0, 1)
    return np.repeat(light[..., None], 3, axis=2).astype(np.uint8), (reach < 1).astype(np.float32)


def test_altered_weights_are_never_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "SHA256", "0" * 64)
    network.session.cache_clear()
    with pytest.raises(engine.WeightsAltered):
        depth.find_depth(*_ball(), threads=2)


def test_without_weights_the_outline_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "WEIGHTS", network.WEIGHTS.with_name("none.onnx"))
    network.session.cache_clear()
    assert depth.find_depth(*_ball(), threads=2).trust == 0


def test_the_network_is_heard() -> None:
    """Where it does not doubt, the depth is its own and not the outline's."""
    framed, alpha = _ball()
    found = depth.find_depth(framed, alpha, threads=2)
    assert found.trust > 0.5
    assert not np.allclose(found.front - found.back, np.subtract(*inflate(alpha)), atol=0.01)
    assert (found.front >= found.back).all()


def test_full_doubt_leaves_inflation_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    framed, alpha = _ball()
    sees = network.look

    def doubting(rgb: NDArray[np.uint8], mask: NDArray[np.float32], *, threads: int) -> network.Seen | None:
        seen = sees(rgb, mask, threads=threads)
        assert seen is not None
        return network.Seen(seen.front, seen.thickness, np.full_like(seen.doubt, 9.0), seen.elevation)

    monkeypatch.setattr(network, "look", doubting)
    found = depth.find_depth(framed, alpha, threads=2)
    front, back = inflate(alpha)
    assert found.trust == found.elevation == 0
    assert np.allclose(found.front - found.back, front - back, atol=1e-5)


def test_without_onnxruntime_the_outline_decides(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    network.session.cache_clear()
    framed, alpha = _ball()
    with caplog.at_level(logging.WARNING):
        found = depth.find_depth(framed, alpha, threads=2)
        depth.find_depth(framed, alpha, threads=2)
    assert found.trust == found.elevation == 0
    assert len(caplog.records) == 1


def test_a_photo_from_above_is_seen_to_be_from_above() -> None:
    """The mug sample was taken from above: its rim is an ellipse."""
    found: dict[str, object] = {}
    mug = next(path for path in samples.SAMPLES if path.stem == "mug")
    cut = engine.encode_cut_out(engine.cut_out(mug.read_bytes()))
    engine.reconstruct(cut, watch=found.__setitem__)
    seen = found["depth"]
    assert isinstance(seen, depth.Depth)
    assert 5 < seen.elevation < 45
