"""How far off the network is on objects it never saw, beside inflation, and whether it knows when it is wrong.

    python -m training.evaluate CORPUS WEIGHTS.onnx [--plot FILE.csv]

Works on depth maps of the val split (two views of each object): mean distance of front and back from the truth in
frame widths, offset removed. Scores of finished meshes: ``benchmarks/score.py``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from generation.engine.inflation import inflate
from generation.engine.network import inputs

from . import corpus
from .render import Camera, Light, View, render
from .views import SIDE

VIEWS = ((-30.0, 20.0), (25.0, 12.0))
"""Yaw and elevation of the views of each object."""


def off(front: NDArray[np.float32], back: NDArray[np.float32], view: View) -> float:
    """Mean distance (frame widths) of both maps from the truth, over the subject, offset removed."""
    inside = view.mask > 0.5
    wrong = np.stack([(front - view.front)[inside], (back - view.back)[inside]])
    return float(np.abs(wrong - wrong.mean()).mean())


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--plot", type=Path, help="write one line per view: network, inflation, doubt, elevations")
    options = parser.parse_args()
    session = onnxruntime.InferenceSession(options.weights, providers=["CPUExecutionProvider"])
    rows = []
    for name in corpus.names(options.corpus, "val"):
        mesh = corpus.load(options.corpus / name)
        for yaw, elevation in VIEWS:
            view = render(mesh, Camera(yaw=yaw, elevation=elevation), Light(), SIDE)
            if view is None or (view.mask > 0.5).mean() < 0.01:
                continue
            (maps,), (tilt,) = session.run(None, {"seen": inputs(view.rgb, view.mask)[None]})
            swollen = inflate(view.mask)
            inside = view.mask > 0.5
            rows.append(
                (
                    name,
                    off(maps[0], maps[0] - maps[1], view),
                    off(*swollen, view),
                    float(np.exp(maps[2][inside].mean())),
                    float(np.rad2deg(tilt[0])) - elevation,
                    float(np.exp(tilt[1])),
                )
            )
    figures = np.array([row[1:] for row in rows])
    network, inflation, doubt, tilt, _ = figures.T
    nearer = np.minimum(network, inflation)
    print(f"views {len(rows)}")
    print(f"network   {network.mean():.4f}  median {np.median(network):.4f}")
    print(f"inflation {inflation.mean():.4f}  median {np.median(inflation):.4f}")
    print(f"network the nearer on {(network < inflation).mean():.0%}; mean of the nearer {nearer.mean():.4f}")
    print(f"doubt against error: correlation {np.corrcoef(doubt, network)[0, 1]:.2f}")
    for part in np.array_split(np.argsort(doubt), 5):
        means = (values[part].mean() for values in (doubt, network, inflation))
        print("  doubt {:.3f}  network {:.4f}  inflation {:.4f}".format(*means))
    wrong = np.abs(tilt)
    print(f"elevation off by {wrong.mean():.1f}°, median {np.median(wrong):.1f}°, bias {tilt.mean():.1f}°")
    if options.plot:
        lines = [",".join([row[0], *(f"{value:.5f}" for value in row[1:])]) for row in rows]
        options.plot.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
