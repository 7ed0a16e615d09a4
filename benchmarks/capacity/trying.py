"""The plan tried out: a cell's peak is simulated with what the plan needs, and with one process fewer of a kind.

What is needed is tried, not what is planned: one process more is planned than needed, and may be away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from benchmarks.capacity import simulation, work
from benchmarks.capacity.figures import Figures
from benchmarks.capacity.gauge import percentile
from benchmarks.capacity.planning import SHARE, TARGETS, plan
from benchmarks.capacity.simulation import Pools, Seen

JOBS: Final = 2000
"""Counted in a run, unless the caller wants another number: where fewer arrive in an hour, the run is longer."""
WARM_SECONDS: Final = 900.0
"""Until as many jobs end as begin: nearly all are over in the time that an asset is kept and a provider takes."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What the simulation showed of one size; waits in seconds, by kind of process."""

    a_day: int
    jobs: int
    pools: dict[str, int]
    utilisation: dict[str, float]
    middle: dict[str, float]
    late: dict[str, float]
    fewer: dict[str, str]
    """The 99th percentile with one process fewer, in words."""
    in_flight: float
    blobs: float
    keystore_mb: float
    depth: float
    delayed: float
    pages: float
    ready50: float
    ready99: float
    tick99: float


def peak_run(a_day: int, figures: Figures, pools: Pools, jobs: int, seed: int = 1) -> Seen:
    """A cell's peak, until about so many jobs have been counted."""
    planned = plan(a_day, figures)
    share = min(0.95, planned.pages * figures.page / pools.web)
    done = work.planned(figures, pages_share=share)
    return simulation.run(
        pools=pools, work=done, rate=planned.peak, warm=WARM_SECONDS, seconds=jobs / planned.peak, seed=seed
    )


def try_out(a_day: int, figures: Figures, *, jobs: int = JOBS, fewer: bool = True) -> Tried:
    """Simulate a cell of a site of that size."""
    needed = plan(a_day, figures).needed
    found = peak_run(a_day, figures, needed, jobs)
    counts = needed.processes()
    without = {kind: _without(kind, a_day, figures, needed, jobs) if fewer else "" for kind in counts}
    return Tried(
        a_day=a_day,
        jobs=found.jobs,
        pools=counts,
        utilisation=found.utilisation,
        middle={kind: percentile(found.waits[kind], 0.5) for kind in counts},
        late={kind: percentile(found.waits[kind], 1 - SHARE) for kind in counts},
        fewer=without,
        in_flight=found.in_flight,
        blobs=found.blobs,
        keystore_mb=found.blobs * figures.key_bytes / 1e6,
        depth=sum(found.depth.values()),
        delayed=found.delayed,
        pages=found.pages,
        ready50=percentile(found.ready, 0.5),
        ready99=percentile(found.ready, 0.99),
        tick99=percentile(found.late, 0.99),
    )


def _without(kind: str, a_day: int, figures: Figures, needed: Pools, jobs: int) -> str:
    count = needed.processes()[kind] - 1
    if not count:
        return "none left"
    pools = Pools.of({**needed.processes(), kind: count})
    if kind == "web" and plan(a_day, figures).pages * figures.page >= 0.95 * count:
        return "no end"
    late = percentile(peak_run(a_day, figures, pools, jobs).waits[kind], 1 - SHARE)
    words = f"{late:.2f}" if late < 100 else "no end"
    return words if late > TARGETS[kind] else f"{words} (holds)"
