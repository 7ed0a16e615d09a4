"""How long the engine takes on a photo of 1024 pixels, and how much memory, beside a floor and a plain relief tool.

    python -m benchmarks.engine [PHOTO ...] [--rounds 5]      (a sample unless told otherwise; PNG or JPEG)

For each photo and quality: seconds for cut-out, model and both, warm, in one process, every round going through all
there is to measure so that a busy moment meets all alike; the fastest round counts, the median is told beside it.
"x net" is the multiple of one pass of the segmentation network alone, "x relief" that of a relief tool from the
package index (height2obj, ``benchmarks/requirements.txt``), given the same photo in grey, at every pixel; its second
line has as many triangles as the standard quality. Cold seconds (with all loading) and peak memory are those of a
fresh process per quality. Linux only.
"""

import argparse
import contextlib
import importlib.util
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np

ROOT = Path(__file__).parents[1]
QUALITIES = ("draft", "standard", "high")
SIDE = 1024
TOOL = "height2obj"
TOOL_HEIGHT = "0.2"
TOOL_TRIANGLES = 40_000


def scaled(path: Path) -> bytes:
    """The photo as a JPEG of 1024 pixels."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise SystemExit(f"{path} is no picture that OpenCV reads.")
    scale = SIDE / max(picture.shape[:2])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    done, data = cv2.imencode(".jpg", cv2.resize(picture, None, fx=scale, fy=scale, interpolation=way))
    assert done
    return data.tobytes()


def fresh(quality: str) -> dict[str, float]:
    """Figures of the picture on standard input, in this process, which must be fresh."""
    picture = sys.stdin.buffer.read()
    start = time.perf_counter()
    from generation import engine

    cut = engine.encode_cut_out(engine.cut_out(picture))
    glb = engine.reconstruct(cut, options=engine.Options(quality=quality))
    cold = time.perf_counter() - start
    # Not getrusage: its peak counts what the parent had before it became this process.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {"cold": cold, "peak": int(status["VmHWM"].split()[0]) / 1024, "size": len(glb) / 1024}


def actions(picture: bytes, folder: Path) -> dict[str, Callable[[], object]]:
    """What is timed, by name."""
    from generation import engine
    from generation.engine import cutout, saliency

    cut = engine.encode_cut_out(engine.cut_out(picture))
    rgb = np.ascontiguousarray(cutout.decode(picture)[..., :3])
    found: dict[str, Callable[[], object]] = {
        "cut": lambda: engine.encode_cut_out(engine.cut_out(picture)),
        "network": lambda: saliency.saliency(rgb, threads=2),
    }
    for quality in QUALITIES:
        found[quality] = partial(engine.reconstruct, cut, options=engine.Options(quality=quality))
    if importlib.util.find_spec(TOOL) is not None:
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        fewer = (TOOL_TRIANGLES / (2 * grey.size)) ** 0.5
        small = cv2.resize(grey, None, fx=fewer, fy=fewer, interpolation=cv2.INTER_AREA)
        for name, values in ((TOOL, grey), (f"{TOOL}, few", small)):
            file = folder / f"{name}.png"
            cv2.imwrite(str(file), values)
            found[name] = partial(relief, file)
    return found


def relief(grey: Path) -> None:
    """The relief tool, as its command does it."""
    tool = importlib.import_module(TOOL)
    arguments = [TOOL, str(grey), str(grey.with_suffix(".obj")), TOOL_HEIGHT]
    with patch.object(sys, "argv", arguments), contextlib.redirect_stdout(io.StringIO()):
        tool.main()


def timed(todo: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of every round, after one that does not count."""
    times: dict[str, list[float]] = {name: [] for name in todo}
    for number in range(rounds + 1):
        for name, action in todo.items():
            start = time.perf_counter()
            action()
            if number:
                times[name].append(time.perf_counter() - start)
    return times


def lines(path: Path, rounds: int) -> list[str]:
    """The table's lines of one photo."""
    picture = scaled(path)
    command = [sys.executable, "-m", "benchmarks.engine", "--fresh"]
    alone = {
        quality: json.loads(
            subprocess.run([*command, quality], cwd=ROOT, input=picture, capture_output=True, check=True).stdout
        )
        for quality in QUALITIES
    }
    with tempfile.TemporaryDirectory() as folder:
        times = timed(actions(picture, Path(folder)), rounds)
    best = {name: min(values) for name, values in times.items()}
    tool = best.get(TOOL)

    def row(name: str, cells: str, total: list[float], rest: str = "") -> str:
        against = f"{min(total) / tool:8.2f}" if tool else f"{'-':>8}"
        middle = f"{min(total):8.3f} {np.median(total):8.3f}"
        return f"{path.stem[:10]:>10} {name:>15} {cells} {middle} {min(total) / best['network']:7.2f} {against}{rest}"

    found = []
    for quality in QUALITIES:
        total = [a + b for a, b in zip(times["cut"], times[quality], strict=True)]
        figures = alone[quality]
        rest = f" {figures['cold']:7.2f} {figures['peak']:8.0f} {figures['size']:7.0f}"
        found.append(row(quality, f"{best['cut']:7.3f} {best[quality]:7.3f}", total, rest))
    found += [row(name, f"{'':15}", times[name]) for name in times if name not in ("cut", *QUALITIES)]
    return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="*", default=[ROOT / "static" / "samples" / "mug.jpg"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--fresh", choices=QUALITIES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fresh:
        print(json.dumps(fresh(options.fresh)))
        return
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before; seconds")
    if importlib.util.find_spec(TOOL) is None:
        print(f"{TOOL} is not installed (benchmarks/requirements.txt), so it is not measured.")
    names = ("cut", "model"), ("total", "median"), ("x net", "x relief"), ("cold", "peak MB", "GLB KB")
    widths = (7, 7), (8, 8), (7, 8), (7, 8, 7)
    head = " ".join(f"{n:>{w}}" for ns, ws in zip(names, widths, strict=True) for n, w in zip(ns, ws, strict=True))
    print(f"{'photo':>10} {'':>15} {head}")
    for photo in options.photos:
        print("\n".join(lines(photo, options.rounds)), flush=True)


if __name__ == "__main__":
    main()
