"""Pictures of the engine's results, to be looked at by people who work on it.

    python -m benchmarks.contact_sheet OUT.png FILE.glb|PHOTO ... [--quality standard] [--side 300]

One row per file: (the cut-out of a photo,) front, 40° left and right, side, back, clay. A photo goes where an upload
goes first: normalised (``generation/pixels.py``), cut out, and modelled.
"""

import argparse
from pathlib import Path

import numpy as np

from generation import engine, pixels
from generation.engine import explain


def row(path: Path, quality: str, side: int) -> explain.Picture:
    """All views of one file side by side."""
    data = path.read_bytes()
    if path.suffix.lower() == ".glb":
        blank = np.full((side, side, 3), explain.GROUND, np.uint8)
        return np.concatenate([blank, explain.sheet(data, side=side)], axis=1)
    cut = engine.cut_out(pixels.redraw(data)[1][0])
    options = engine.Options(quality=quality)
    return explain.sheet(engine.reconstruct(engine.encode_cut_out(cut), options=options), cut, side)


def main() -> None:
    """Draw the rows and write them as one picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("out", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--quality", default="standard", choices=list(engine.QUALITIES))
    parser.add_argument("--side", type=int, default=300)
    chosen = parser.parse_args()
    rows = [row(path, chosen.quality, chosen.side) for path in chosen.files]
    chosen.out.write_bytes(explain.png(np.concatenate(rows)))


if __name__ == "__main__":
    main()
