"""Write trained weights as the ONNX file the engine loads: half precision inside, single outside.

    python -m training.export WEIGHTS.pt OUT.onnx

Checks that the file answers as the network did and holds all its weights, and prints its size and sha256.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from generation.engine.network import inputs

from .network import SIDE, Network

# The largest difference, in frame widths, that half precision may make.
TOLERANCE = 0.01


def example_input() -> NDArray[np.float32]:
    """Two discs (2, 7, s, s), one of clouds and one of noise."""
    rng = np.random.default_rng(1)
    noise = rng.random((2, SIDE, SIDE, 3), np.float32)
    clouds = np.asarray(cv2.GaussianBlur(noise[0], (0, 0), 8), np.float32)
    clouds = (clouds - clouds.min()) / np.ptp(clouds)
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    disc = (np.hypot(x, y) < 0.8).astype(np.float32)
    return np.stack([inputs((rgb * 255).astype(np.uint8), disc) for rgb in (clouds, noise[1])])


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """Large weights stored as float16 and cast back when loaded: half the size, the arithmetic unchanged.

    A CPU has no use for half-precision arithmetic; onnxruntime folds the casts away when it loads the file.
    """
    kept = []
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < 64:
            kept.append(tensor)
            continue
        name = f"{tensor.name}_half"
        kept.append(numpy_helper.from_array(values.astype(np.float16), name))
        casts.append(helper.make_node("Cast", [name], [tensor.name], to=TensorProto.FLOAT, name=f"{tensor.name}_cast"))
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.doc_string = ""
    model.producer_name = model.producer_version = ""
    onnx.checker.check_model(model)
    return model


def restored(path: Path) -> dict[str, torch.Tensor]:
    """The weights that ``Network.load_state_dict`` takes, from a file written here."""
    tensors = {tensor.name.removesuffix("_half"): tensor for tensor in onnx.load(path).graph.initializer}
    return {
        name: torch.from_numpy(numpy_helper.to_array(tensors[name]).copy()).to(value.dtype)
        for name, value in Network().state_dict().items()
        if name in tensors  # all but the counters of batches
    }


def main() -> None:
    """Export, check, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    network = Network()
    network.load_state_dict(torch.load(options.weights, map_location="cpu"))
    network.eval()
    example = torch.from_numpy(example_input())
    torch.onnx.export(
        network, (example,), str(options.out), input_names=["seen"], output_names=["maps", "tilt"],
        dynamic_axes={"seen": {0: "n"}, "maps": {0: "n"}, "tilt": {0: "n"}}, opset_version=17, dynamo=False,
        # Nothing folded together, so that training can go on from the file; onnxruntime folds when it loads it.
        training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
    )  # fmt: skip
    onnx.save(halved(onnx.load(options.out)), options.out)
    session = onnxruntime.InferenceSession(options.out, providers=["CPUExecutionProvider"])
    maps, tilt = session.run(None, {"seen": example.numpy()})
    with torch.no_grad():
        wanted_maps, wanted_tilt = network(example)
    subject = example[:, 3:4].numpy() > 0.5
    off = max(np.abs((maps - wanted_maps.numpy()) * subject).max(), np.abs(tilt - wanted_tilt.numpy()).max())
    missing = network.load_state_dict(restored(options.out), strict=False).missing_keys
    if any(not name.endswith("num_batches_tracked") for name in missing):
        raise SystemExit(f"Not in the file: {missing}")
    data = options.out.read_bytes()
    print(f"{len(data) / 1e6:.2f} MB, off by {off:.4f}, sha256 {hashlib.sha256(data).hexdigest()}")
    if off > TOLERANCE:
        raise SystemExit("The file does not answer as the network does.")


if __name__ == "__main__":
    main()
