"""Hostile and hopeless pictures: each gives a sound model or a refusal with a name, within limits.

    python -m benchmarks.robustness [--count 10000] [--seed 0] [--processes 2] [--only NUMBER]

Pictures are drawn, mutated and broken from a seed, so that a number always means the same picture. Each goes where an
upload goes: normalised (``generation/pixels.py``, here in this process), cut out, and modelled with random options.
Accepted are a closed, consistently wound mesh within its quality's limits, and the refusals ``Refusal`` and
``NoSubject``; for bytes that were never normalised ``BadPicture`` too. Anything else, a dead process, more than
``CPU_SECONDS`` for one picture, or more than ``MOST_MB`` in the end, is a violation: listed, and the exit status is 1.
Linux only.
"""

import argparse
import collections
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import hostile
from generation import engine, pixels
from generation.confined import Refusal
from generation.engine import explain

ROOT = Path(__file__).parents[1]
CPU_SECONDS = 20.0
# The engine's own bound. Normalising has another (generation/images.py), which these pictures do not come near.
MOST_MB = 600


@dataclass(frozen=True)
class Outcome:
    """What became of a picture: ``result`` is "model" or a refusal's code; ``fault`` says what must not be."""

    number: int
    kind: str
    result: str
    seconds: float
    fault: str = ""


QUALITIES = ["draft"] * 45 + ["standard"] * 4 + ["high"]


def chosen(rng: np.random.Generator) -> engine.Options:
    """Options by chance."""
    return engine.Options(
        quality=str(rng.choice(QUALITIES)),
        pose="photo" if rng.random() < 0.2 else "upright",
        back="mirrored" if rng.random() < 0.3 else "invented",
        flatten_light=rng.random() < 0.2,
        normal_map=rng.random() < 0.2,
        printing=engine.Print() if rng.random() < 0.2 else None,
    )


def tried(seed: int, number: int) -> Outcome:
    """Send one picture through everything."""
    rng = np.random.default_rng((seed, number))
    kind = str(rng.choice(hostile.NAMES))
    data = hostile.KINDS[kind][1](rng)
    straight = rng.random() < 0.1
    start = time.process_time()
    try:
        if not straight:
            data = pixels.redraw(data)[1][0]
        cut = engine.cut_out(data, keep_all=rng.random() < 0.3)
        options = chosen(rng)
        glb = engine.reconstruct(engine.encode_cut_out(cut), options=options)
        result, fault = "model", unsound(glb, options.quality)
    except Refusal as refused:
        result, fault = refused.code, ""
    except engine.NoSubject as refused:
        result, fault = refused.code, ""
    except engine.BadPicture as refused:
        result, fault = "bad_picture", "" if straight else f"BadPicture: {refused}"
    except Exception as error:
        result, fault = "error", f"{type(error).__name__}: {error}"
    seconds = time.process_time() - start
    if not fault and seconds > CPU_SECONDS:
        fault = f"{seconds:.0f} s"
    return Outcome(number, kind, result, seconds, fault)


def unsound(glb: bytes, quality: str) -> str:
    """What is wrong with a model; empty when nothing is."""
    mesh = explain.read(glb)
    if not all(np.isfinite(values).all() for values in (mesh.positions, mesh.normals, mesh.uv)):
        return "not finite"
    if not 0 < len(mesh.triangles) <= engine.QUALITIES[quality].triangles:
        return f"{len(mesh.triangles)} triangles"
    _, welded = np.unique(mesh.positions, axis=0, return_inverse=True)
    corners = welded.reshape(-1)[mesh.triangles]
    ways = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    there, back = (np.unique(edges, axis=0) for edges in (ways, ways[:, ::-1]))
    if len(there) != len(ways) or not np.array_equal(there, back):
        return "not closed"
    return "" if mesh.volume > 0 else "inside out"


def worker(seed: int, numbers: range) -> None:
    """Try some pictures; one line of JSON for each before and after it, and one with the peak memory."""
    for number in numbers:
        print(json.dumps({"begun": number}), flush=True)
        print(json.dumps({"outcome": vars(tried(seed, number))}), flush=True)
    print(json.dumps({"peak": peak()}), flush=True)


def peak() -> float:
    """The most memory this process ever had, in MB."""
    # Not getrusage: its peak counts what the parent had before it became this process.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def told(seed: int, first: int, count: int, step: int) -> Iterator[tuple[Outcome | None, float]]:
    """Outcomes from a process of its own, the peak memory last; a death is an outcome too."""
    command = [sys.executable, "-m", "benchmarks.robustness", "--seed", str(seed), "--count", str(count)]
    child = subprocess.Popen([*command, "--worker", f"{first}/{step}"], stdout=subprocess.PIPE, cwd=ROOT)
    assert child.stdout is not None
    begun = first
    for line in child.stdout:
        message = json.loads(line)
        begun = message.get("begun", begun)
        if "outcome" in message:
            yield Outcome(**message["outcome"]), 0.0
        if "peak" in message:
            yield None, message["peak"]
    if child.wait() != 0:
        yield Outcome(begun, "?", "death", 0.0, f"the process ended with status {child.returncode}"), 0.0


def report(outcomes: list[Outcome], peak: float) -> bool:
    """Print the counts, the slowest and the violations; whether all is well."""
    kinds: dict[str, collections.Counter[str]] = {name: collections.Counter() for name in [*hostile.KINDS, "?"]}
    for outcome in outcomes:
        kinds[outcome.kind][outcome.result] += 1
    for name, counts in kinds.items():
        if counts:
            print(f"{name:>11} " + ", ".join(f"{result} {count}" for result, count in counts.most_common()))
    total = collections.Counter(outcome.result for outcome in outcomes)
    print(f"{len(outcomes):>11} " + ", ".join(f"{result} {count}" for result, count in total.most_common()))
    slowest = max(outcomes, key=lambda outcome: outcome.seconds)
    print(f"slowest: {slowest.seconds:.1f} s of processor time ({slowest.kind} {slowest.number}); peak {peak:.0f} MB")
    faults = [f"{outcome.kind} {outcome.number}: {outcome.fault}" for outcome in outcomes if outcome.fault]
    if peak > MOST_MB:
        faults.append(f"{peak:.0f} MB; the limit is {MOST_MB}")
    print("\n".join(["violations:", *faults]) if faults else "no violations")
    return not faults


def main() -> None:
    """Try all pictures in some processes at once, or one of them here."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", type=int, help="the number of one picture")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        first, step = map(int, options.worker.split("/"))
        worker(options.seed, range(first, options.count, step))
        return
    if options.only is not None:
        print(tried(options.seed, options.only))
        return

    def share(first: int) -> list[tuple[Outcome | None, float]]:
        return list(told(options.seed, first, options.count, options.processes))

    with ThreadPoolExecutor(options.processes) as pool:
        lines = [line for lines in pool.map(share, range(options.processes)) for line in lines]
    outcomes = [outcome for outcome, _ in lines if outcome is not None]
    sys.exit(0 if report(outcomes, max(peak for _, peak in lines)) else 1)


if __name__ == "__main__":
    main()
