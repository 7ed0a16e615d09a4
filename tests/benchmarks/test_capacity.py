"""The plan and its simulation follow queueing theory, agree with each other, and the guide says what they say."""

from __future__ import annotations

import random
from itertools import pairwise
from statistics import mean

import pytest
import simpy

from benchmarks.capacity import figures, planning, tables, theory, trying
from benchmarks.capacity.__main__ import GUIDE, replaced
from benchmarks.capacity.gauge import percentile
from benchmarks.capacity.simulation import Pool
from tests.deploy.test_kubernetes import BY_NAME


def line(servers: int, rate: float, service: float, count: int) -> tuple[list[float], float]:
    """Waits in a line of Poisson arrivals and exponential service, and the mean number in it by looking."""
    clock, rng = simpy.Environment(), random.Random(7)  # noqa: S311  # a draw, not a secret
    pool = Pool(clock, processes=servers, threads=1)

    def arrivals():
        for _ in range(count):
            yield clock.timeout(rng.expovariate(rate))
            clock.process(pool.step(rng.expovariate(1 / service)))

    clock.process(arrivals())
    clock.run()
    return pool.waits, pool.depth.mean


@pytest.mark.parametrize(("servers", "rate"), [(1, 0.6), (4, 3.2)])
def test_a_line_waits_as_erlang_says_and_is_as_long_as_little_says(servers: int, rate: float) -> None:
    waits, length = line(servers, rate, 1.0, 20_000)
    expected = theory.mean_wait(servers=servers, rate=rate, service=1.0)
    assert mean(waits) == pytest.approx(expected, rel=0.12)
    assert percentile(waits, 0.99) == pytest.approx(
        theory.wait_beyond(0.01, servers=servers, rate=rate, service=1.0), rel=0.15
    )
    assert length == pytest.approx(rate * mean(waits), rel=0.05)


def test_what_theory_says_of_the_edges() -> None:
    assert theory.erlang_c(1, 0.5) == pytest.approx(0.5)
    assert theory.erlang_c(2, 1.0) == pytest.approx(1 / 3)
    assert theory.erlang_c(3, 3.0) == 1
    assert theory.mean_wait(servers=2, rate=2.0, service=1.0) == float("inf")
    assert theory.wait_beyond(0.01, servers=50, rate=1.0, service=1.0) == 0
    assert theory.mean_wait(servers=1, rate=0.5, service=1.0, variation=0) == pytest.approx(0.5)


@pytest.fixture(scope="module")
def read() -> figures.Figures:
    return figures.Figures.read()


def test_the_guide_has_the_tables_that_the_measured_figures_make(read: figures.Figures) -> None:
    text = GUIDE.read_text()
    for table in tables.planned(read):
        assert table in text, "run python -m benchmarks.capacity --write"
    with pytest.raises(SystemExit, match="0 tables"):
        replaced(text, ["| Nothing of the kind | a |"])


def test_the_guide_says_what_the_simulation_does(read: figures.Figures) -> None:
    smallest = planning.SIZES[0]
    tried = trying.try_out(smallest, read, fewer=False)
    text = GUIDE.read_text()
    for row in tables.of_waiting([tried]).splitlines()[2:]:
        assert row.rsplit("|", 2)[0] in text
    planned = planning.plan(smallest, read)
    assert tried.in_flight > planned.in_flight > 0.4 * tried.in_flight


def test_more_jobs_never_need_less(read: figures.Figures) -> None:
    plans = [planning.plan(size, read) for size in (10**3, 10**4, 10**5, 10**6)]
    for less, more in pairwise(plans):
        assert more.needed.web >= less.needed.web
        assert more.postgres_cores > less.postgres_cores
        for kind, count in more.needed.processes().items():
            assert planning.processes(kind, planning.offered(read, more.peak), read, more.pages) == count
    assert planning.plan(10**8, read).cells * planning.CELL == 10**8


def test_scaling_keeps_to_the_plan(read: figures.Figures) -> None:
    planned = planning.plan(planning.CELL, read).planned.processes()
    for kind in ("engine", "remote", "privacy"):
        spec = BY_NAME["ScaledObject", f"worker-{kind}"]["spec"]
        assert spec["maxReplicaCount"] >= planned[kind], kind
        for trigger in spec["triggers"]:
            assert int(trigger["metadata"]["listLength"]) <= planning.list_length(kind, read), kind
    assert BY_NAME["HorizontalPodAutoscaler", "web"]["spec"]["maxReplicas"] >= planned["web"]
