"""How near the engine's models come to the truth, beside inflation alone and simpler ways to make a solid.

    python -m benchmarks.score FOLDER [--scorer ../shared/tools/score_meshes.py] [--quality standard] [--limit N]
                               [--jobs 2] [--methods A,B] [--views] [--cache DIR] [--keep DIR] [--json FILE]

FOLDER holds NAME.glb, NAME.png and cameras.json, as ``training/pictures.py`` writes them. Rows: the engine;
inflation, which is the engine without its network; and the scorer's slab, relief, billboard and ellipsoid. What the
figures mean is told in ``benchmarks/measures.py``; those of the engine are for the upright pose, ``sil photo`` for
both. With --cache, what has been measured once is remembered, so that new weights cost only their own row.
--views adds ``sil best`` for the engine: 8 seconds an object instead of 2 a row.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks import measures
from benchmarks.measures import Figures, Subject
from generation import engine
from generation.engine import network

METHODS = ("engine", "inflation", "slab", "relief", "billboard", "ellipsoid")
SPREAD = ("chamfer", "fscore")
MEANS = {"raw": "raw F", "turned": "turned F", "sil": "sil", "sil_photo": "sil photo", "sil_best": "sil best"}
WORSE = 0.02
"""An F-score lower than inflation's by more than this is told."""


@dataclass(frozen=True)
class Task:
    """What is measured, and how."""

    folder: Path
    scorer: Path
    quality: str
    threads: int
    methods: tuple[str, ...]
    views: bool
    cache: Path | None
    keep: Path | None


@dataclass(frozen=True)
class Made:
    """A model, and what the engine believed of the picture."""

    glb: bytes
    elevation: float
    trust: float


def made(picture: bytes, task: Task, pose: Any = "upright") -> Made:
    """The engine from end to end."""
    found: dict[str, Any] = {}
    cut = engine.encode_cut_out(engine.cut_out(picture, threads=task.threads))
    options = engine.Options(quality=task.quality, pose=pose)
    glb = engine.reconstruct(cut, options=options, watch=found.__setitem__, threads=task.threads)
    return Made(glb, found["depth"].elevation, found["depth"].trust)


def read(glb: bytes, tools: Any) -> Any:
    """The mesh of a GLB, as the scorer reads it."""
    with tempfile.NamedTemporaryFile(suffix=".glb") as file:
        file.write(glb)
        file.flush()
        return tools.load_mesh(file.name)[0]


def engine_row(picture: bytes, subject: Subject, tools: Any, task: Task) -> Figures:
    """Figures of the engine's two poses."""
    model = made(picture, task)
    mesh = read(model.glb, tools)
    as_seen = read(made(picture, task, "photo").glb, tools)
    row = measures.measured(mesh, subject, tools, task.cache)
    row["sil"] = measures.outline(as_seen, subject, tools, task.cache)
    row["sil_photo"] = measures.outline(mesh, subject, tools, task.cache, model.elevation)
    if task.views:
        row["sil_best"] = measures.best_outline(mesh, subject, tools, task.cache)
    row |= {"elevation": model.elevation, "elevation_off": model.elevation - subject.elevation, "trust": model.trust}
    if task.keep:
        task.keep.mkdir(parents=True, exist_ok=True)
        (task.keep / f"{subject.name}.glb").write_bytes(model.glb)
    return row


def rows(name: str, task: Task) -> list[Figures]:
    """All rows of one object."""
    tools = measures.scorer(task.scorer)
    subject = measures.subject(task.folder, name, tools)
    picture = (task.folder / f"{name}.png").read_bytes()
    found = [{"method": "engine", **engine_row(picture, subject, tools, task)}]
    with patch.object(network, "look", return_value=None):
        meshes = {"inflation": read(made(picture, task).glb, tools)}
    meshes |= tools.baselines(subject.mask, subject.grey)
    for method in task.methods:
        row = dict(measures.measured(meshes[method], subject, tools, task.cache))
        row["sil"] = measures.outline(meshes[method], subject, tools, task.cache)
        found.append({"method": method, **row})
    return [{"name": name, **row} for row in found]


def attempt(name: str, task: Task) -> list[Figures]:
    """The rows, or the one reason why there are none."""
    try:
        return rows(name, task)
    except Exception as problem:  # one failure must not end a run of an hour
        return [{"name": name, "method": "engine", "error": f"{type(problem).__name__}: {problem}"}]


def spread(values: list[float]) -> str:
    """Mean, median, lowest and highest tenth."""
    return " ".join(f"{value:6.3f}" for value in (np.mean(values), *np.quantile(values, (0.5, 0.1, 0.9))))


def table(all_rows: list[Figures]) -> Iterator[str]:
    """The methods, one a line."""
    head = "".join(f"  {name + ' mean  med  10 %  90 %':>27}" for name in SPREAD)
    tails = "".join(f" {name:>9}" for name in MEANS.values())
    yield f"{'method':<10}{head}  {'tilt med':>8} {'lean med':>8}{tails} {'watertight':>12}"
    for method in METHODS:
        mine = [row for row in all_rows if row["method"] == method and "error" not in row]
        if not mine:
            continue
        cells = "".join(f"  {spread([row[name] for row in mine])}" for name in SPREAD)
        means = "".join(
            f" {np.mean([row[name] for row in mine]):9.3f}" if name in mine[0] else f" {'-':>9}" for name in MEANS
        )
        tilt, lean = (np.median([row[name] for row in mine]) for name in ("tilt", "lean"))
        closed = sum(row["watertight"] for row in mine)
        yield f"{method:<10}{cells}  {tilt:8.1f} {lean:8.1f}{means} {closed:>8}/{len(mine)}"


def comparison(all_rows: list[Figures]) -> Iterator[str]:
    """The engine's worst, and the engine against inflation, object by object."""
    by = {(row["name"], row["method"]): row for row in all_rows}
    mine = [row for row in all_rows if row["method"] == "engine"]
    for row in mine:
        if "error" in row:
            yield f"FAILED {row['name']}: {row['error']}"
    mine = [row for row in mine if "error" not in row]
    if not mine:
        return
    yield "worst F:"
    for row in sorted(mine, key=lambda row: row["fscore"])[:5]:
        yield f"  {row['fscore']:.3f} (inflation {by[row['name'], 'inflation']['fscore']:.3f}) {row['name']}"
    gains = sorted((row["fscore"] - by[row["name"], "inflation"]["fscore"], row["name"]) for row in mine)
    values = [gain for gain, _ in gains]
    yield f"F less inflation's: {spread(values)}; worse by more than {WORSE}: {sum(g < -WORSE for g in values)} objects"
    for gain, name in (*gains[:5], *gains[-5:][::-1]):
        yield f"  {gain:+.3f} {name}"
    sources = sorted({row["name"].split("__")[0] for row in mine if "__" in row["name"]})
    for source in sources:
        pairs = [
            (row["fscore"], by[row["name"], "inflation"]["fscore"])
            for row in mine
            if row["name"].startswith(f"{source}__")
        ]
        ours, theirs = np.mean(pairs, axis=0)
        yield f"  {source:<24} {len(pairs):>4}  F {ours:.3f}  inflation {theirs:.3f}"
    off = [row["elevation_off"] for row in mine]
    yield f"elevation found less true: median {np.median(off):+.1f}°, absolute {np.median(np.abs(off)):.1f}°"
    yield f"trust in the network: mean {np.mean([row['trust'] for row in mine]):.2f}"
    for name in ("sil", "sil_photo"):
        worst = min(mine, key=lambda row: row[name])
        yield f"lowest {MEANS[name]}: {worst[name]:.3f} {worst['name']}"


def chosen(folder: Path, limit: int | None) -> list[str]:
    """Names of a folder's objects, or so many of them evenly spaced."""
    names = sorted(path.stem for path in folder.glob("*.glb"))
    if limit is None or limit >= len(names):
        return names
    return [names[int((number + 0.5) * len(names) / limit)] for number in range(limit)]


def main() -> None:
    """Score a folder and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scorer", type=Path, default=Path("../shared/tools/score_meshes.py"))
    parser.add_argument("--quality", default="standard", choices=list(engine.QUALITIES))
    parser.add_argument("--limit", type=int)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--methods", default=",".join(METHODS[1:]), help="beside the engine; inflation must be in it")
    parser.add_argument("--views", action="store_true")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--keep", type=Path, help="write the engine's models here")
    parser.add_argument("--json", type=Path, help="write all figures here")
    options = parser.parse_args()
    if not {"inflation"} <= set(options.methods.split(",")) <= set(METHODS[1:]):
        parser.error(f"--methods takes inflation and any of {', '.join(METHODS[2:])}")
    task = Task(
        folder=options.folder,
        scorer=options.scorer,
        quality=options.quality,
        threads=max(1, 2 // options.jobs),
        methods=tuple(options.methods.split(",")),
        views=options.views,
        cache=options.cache,
        keep=options.keep,
    )
    all_rows: list[Figures] = []
    names = chosen(task.folder, options.limit)
    with ProcessPoolExecutor(options.jobs, multiprocessing.get_context("spawn")) as pool:
        for number, found in enumerate(pool.map(partial(attempt, task=task), names), 1):
            all_rows += found
            print(f"\r{number}/{len(names)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print("\n".join((*table(all_rows), *comparison(all_rows))))
    if options.json:
        options.json.write_text(json.dumps(all_rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
