"""Whether every model is sound: watertight, consistently wound, no error or warning from the Khronos validator.

    python -m benchmarks.validity FOLDER ... [--every 10] [--jobs 2]

Every picture of the folders goes through the engine in standard quality, and every tenth in all other ways too. A
refusal (no subject, too thin) is a right answer for a picture and is told. Prints what is not sound, and why;
exits with 1 if there is anything.
"""

import argparse
import io
import multiprocessing
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import trimesh

from generation import engine, pixels
from tests.generation import khronos

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".heic"}
WAYS = {
    "standard": engine.Options(),
    "draft": engine.Options(quality="draft"),
    "high": engine.Options(quality="high"),
    "as in the photo": engine.Options(pose="photo"),
    "mirrored, flat light, normal map": engine.Options(back="mirrored", flatten_light=True, normal_map=True),
    "for printing": engine.Options(printing=engine.Print()),
}


@dataclass(frozen=True)
class Finding:
    """What is wrong with one model; nothing, if it is sound. ``refused`` is the engine's reason to make none."""

    path: Path
    way: str
    wrong: tuple[str, ...] = ()
    refused: str = ""


def wrong(glb: bytes) -> Iterator[str]:
    """What is not sound about a GLB."""
    yield from khronos.errors(glb)
    mesh: Any = trimesh.load_mesh(io.BytesIO(glb), file_type="glb")
    mesh.merge_vertices(merge_tex=True, merge_norm=True)
    if not mesh.is_watertight:
        yield "not watertight"
    if not mesh.is_winding_consistent:
        yield "not consistently wound"
    if not mesh.volume > 0:
        yield "inside out"


def made(path: Path, way: str, make: Callable[[], bytes]) -> bytes | Finding:
    """What the engine makes, or why it does not."""
    try:
        return make()
    except engine.EngineError as refusal:
        return Finding(path, way, refused=type(refusal).__name__)
    except Exception as problem:  # to be told, beside all others
        return Finding(path, way, wrong=(f"{type(problem).__name__}: {problem}",))


def findings(path: Path, *, thorough: bool) -> list[Finding]:
    """One picture in every way asked for."""
    cut = made(path, "cut-out", lambda: engine.encode_cut_out(engine.cut_out(pixels.redraw(path.read_bytes())[1][0])))
    if isinstance(cut, Finding):
        return [cut]
    ways = {way: partial(engine.reconstruct, cut, options=options) for way, options in WAYS.items()}
    ways["with a second photo"] = partial(engine.reconstruct, cut, back_png=cut)
    found = []
    for way in ways if thorough else ("standard",):
        model = made(path, way, ways[way])
        found.append(model if isinstance(model, Finding) else Finding(path, way, wrong=tuple(wrong(model))))
    return found


def main() -> int:
    """Check the folders and print what is not sound."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    paths = [path for folder in options.folders for path in sorted(folder.iterdir()) if path.suffix.lower() in PICTURES]
    models = bad = 0
    with ProcessPoolExecutor(options.jobs, multiprocessing.get_context("spawn")) as pool:
        waiting = [
            pool.submit(findings, path, thorough=number % options.every == 0) for number, path in enumerate(paths)
        ]
        for number, done in enumerate(waiting, 1):
            for finding in done.result():
                models += not finding.refused
                bad += bool(finding.wrong)
                if finding.wrong or finding.refused:
                    said = f"refused: {finding.refused}" if finding.refused else "; ".join(finding.wrong)
                    print(f"{finding.path} ({finding.way}): {said}", flush=True)
            print(f"\r{number}/{len(paths)}", end="", file=sys.stderr, flush=True)
    print(f"\n{len(paths)} pictures, {models} models, {bad} of them not sound")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
