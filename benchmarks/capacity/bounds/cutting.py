"""What cutting out takes of a core: the one step of every job that is processor work whoever makes the model."""

from __future__ import annotations

import time
from pathlib import Path

PHOTO = Path(__file__).resolve().parents[3] / "static" / "samples" / "mug.jpg"
TIMES = 7


def cut_out() -> dict[str, float]:
    """Processor seconds of all threads, the median; the first, which loads the network, is not counted."""
    from generation import engine, images

    picture = images.normalise([PHOTO.read_bytes()]).data
    engine.cut_out(picture)
    times = []
    for _ in range(TIMES):
        began = time.process_time()
        engine.encode_cut_out(engine.cut_out(picture))
        times.append(time.process_time() - began)
    return {"cut_out_cpu_seconds": sorted(times)[TIMES // 2]}
