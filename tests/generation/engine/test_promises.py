"""Promises about the engine itself: equal bytes, the weights, what it does without them, what it leaves out."""

import io
import json
import logging
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generation import engine
from generation.engine import saliency, sessions
from tests import samples

from .results import modelled, require_good


@pytest.fixture(autouse=True)
def own_session() -> Iterator[None]:
    """Some tests take the network away; the next one gets it back."""
    yield
    saliency.session.cache_clear()


def test_equal_input_gives_equal_bytes_in_another_process() -> None:
    program = (
        "import hashlib, sys; from generation import engine\n"
        "cut = engine.encode_cut_out(engine.cut_out(sys.stdin.buffer.read()))\n"
        "print(hashlib.sha256(engine.reconstruct(cut)).hexdigest())"
    )
    picture = samples.SAMPLES[0].read_bytes()
    runs = {
        subprocess.run(
            [sys.executable, "-c", program], input=picture, capture_output=True, check=True, cwd=samples.ROOT
        ).stdout
        for _ in range(2)
    }
    assert len(runs) == 1
    assert modelled(picture) == modelled(picture)


def test_the_weights_are_the_known_ones() -> None:
    path = saliency.weights_path()
    assert path is not None
    assert sessions.checked(path, saliency.SHA256) == path.read_bytes()
    with pytest.raises(engine.WeightsAltered):
        sessions.checked(path, saliency.SHA256[::-1])


def test_altered_weights_are_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saliency.weights_path()
    assert path is not None
    altered = tmp_path / "u2netp.onnx"
    altered.write_bytes(path.read_bytes() + b"\0")
    monkeypatch.setattr(saliency, "weights_path", lambda: altered)
    saliency.session.cache_clear()
    with pytest.raises(engine.WeightsAltered):
        engine.cut_out(samples.SAMPLES[0].read_bytes())


def test_the_package_with_the_weights_is_never_imported() -> None:
    program = (
        "import sys; from generation import engine; engine.cut_out(sys.stdin.buffer.read())\n"
        "assert 'onnxruntime' in sys.modules\n"
        "assert not {'rembg', 'django', 'scipy', 'trimesh', 'PIL'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], input=samples.SAMPLES[0].read_bytes(), check=True, cwd=samples.ROOT)


def test_without_the_weights_colour_alone_decides(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(saliency, "DISTRIBUTION", "no-such-distribution")
    saliency.session.cache_clear()
    mug = samples.SAMPLES[1].read_bytes()
    with caplog.at_level(logging.WARNING):
        glb = modelled(mug, "draft")
        modelled(mug, "draft")
    require_good(glb, "draft")
    assert len(caplog.records) == 1
    with pytest.raises(engine.NoSubject):
        engine.cut_out(samples.png(np.full((100, 100, 3), 90, np.uint8)))


def test_without_onnxruntime_colour_alone_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    saliency.session.cache_clear()
    require_good(modelled(samples.SAMPLES[1].read_bytes(), "draft"), "draft")


def test_the_background_is_gone_from_the_cut_out() -> None:
    cut = engine.cut_out(samples.SAMPLES[1].read_bytes())
    encoded = np.asarray(Image.open(io.BytesIO(engine.encode_cut_out(cut))))
    for pixels in (cut.rgba, encoded):
        assert not pixels[pixels[..., 3] == 0].any()
        assert (pixels[..., 3] == 0).any()
    assert encoded.shape[0] < cut.rgba.shape[0]
    assert encoded.shape[1] < cut.rgba.shape[1]


def test_progress_rises_to_the_end() -> None:
    heard: list[int] = []
    cut = engine.encode_cut_out(engine.cut_out(samples.SAMPLES[1].read_bytes()))
    engine.reconstruct(cut, options=engine.Options(quality="draft"), progress=heard.append)
    assert len(heard) >= 4
    assert heard == sorted(set(heard))
    assert heard[-1] == 100


def test_the_file_says_nothing_of_its_making() -> None:
    glb = modelled(samples.SAMPLES[1].read_bytes(), "draft")
    length = struct.unpack_from("<I", glb, 12)[0]
    document = json.loads(glb[20 : 20 + length])
    assert document["asset"] == {"version": "2.0", "generator": "ModelMyImage"}

    def keys(value: object) -> set[str]:
        if isinstance(value, dict):
            return set(value) | {key for part in value.values() for key in keys(part)}
        return {key for part in value for key in keys(part)} if isinstance(value, list) else set()

    assert not keys(document) & {"name", "extras", "copyright", "uri"}


def test_only_the_known_qualities() -> None:
    with pytest.raises(KeyError):
        engine.reconstruct(
            samples.shaped(samples.drawn(99, 99, (9, 9, 90, 90))), options=engine.Options(quality="best")
        )
