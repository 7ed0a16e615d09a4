"""How long the engine takes, and how much memory, per photo and quality.

    python benchmarks/engine.py [PHOTO ...]      (the samples unless told otherwise; PNG or JPEG)

Each line is one photo in one quality in a process of its own: seconds cold (with loading the network) and warm
(the best of three), peak memory, and warm seconds as a multiple of one pass of the segmentation network alone
in the same process, which makes runs on different machines comparable.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
QUALITIES = ("draft", "standard", "high")
COLUMNS = ("photo", "quality", "cold s", "cut s", "model s", "network s", "ratio", "peak MB", "GLB KB")


def best(action: Callable[[], object], rounds: int = 3) -> float:
    """Seconds of the fastest of some rounds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def measure(path: Path, quality: str) -> dict[str, float]:
    """Figures of one photo in this process, which must be fresh."""
    picture = path.read_bytes()
    start = time.perf_counter()
    from generation import engine
    from generation.engine import cutout, saliency

    cut = engine.encode_cut_out(engine.cut_out(picture))
    glb = engine.reconstruct(cut, quality=quality)
    cold = time.perf_counter() - start
    cutting = best(lambda: engine.encode_cut_out(engine.cut_out(picture)))
    modelling = best(lambda: engine.reconstruct(cut, quality=quality))
    rgb = cutout.decode(picture)[..., :3].copy()
    network = best(lambda: saliency.saliency(rgb, threads=2), 5)
    return {
        "cold s": cold,
        "cut s": cutting,
        "model s": modelling,
        "network s": network,
        "ratio": (cutting + modelling) / network,
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "GLB KB": len(glb) / 1024,
    }


def main() -> None:
    """Measure every photo in every quality and print a table."""
    if len(sys.argv) == 4 and sys.argv[1] == "--one":
        sys.path.insert(0, str(ROOT))
        print(json.dumps(measure(Path(sys.argv[2]), sys.argv[3])))
        return
    photos = [Path(name) for name in sys.argv[1:]] or sorted((ROOT / "static" / "samples").glob("*.jpg"))
    print(" ".join(f"{name:>10}" for name in COLUMNS))
    for photo in photos:
        for quality in QUALITIES:
            command = [sys.executable, __file__, "--one", str(photo), quality]
            figures = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
            cells = [
                f"{figures[name]:10.2f}" if name.endswith(" s") else f"{figures[name]:10.0f}" for name in COLUMNS[2:]
            ]
            print(f"{photo.stem[:10]:>10} {quality:>10} " + " ".join(cells))


if __name__ == "__main__":
    main()
