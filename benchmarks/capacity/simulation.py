"""The pipeline's queues as discrete events (simpy): jobs that arrive at random, and what waits where.

A pool is what takes one queue: processes, each with one core and some threads. A message goes to the thread that has
been idle for longest, as the broker's blocked readers are served, and then shares its process's core with the other
threads. ``Site`` holds the pools and the tick; ``job`` is one job's way through them, step by step as the pipeline's
messages are. Waiting is the time in which a step had neither a thread nor a core and was not waiting for somebody else.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from functools import cache
from heapq import heappop, heappush
from typing import Any, Self

import simpy

from benchmarks.capacity import people
from benchmarks.capacity.gauge import Gauge
from benchmarks.capacity.work import Work
from generation import leases, pipeline
from scripts.stack import compose

Steps = Generator[simpy.Event, Any, None]
SOON, LATER = pipeline.SOON, pipeline.LATER


class Pool:
    """Processes that take one queue."""

    def __init__(
        self, clock: simpy.Environment, *, processes: int, threads: int, machine: simpy.Resource | None = None
    ) -> None:
        self.clock, self.processes, self.machine = clock, processes, machine
        self.admitted = simpy.PriorityResource(clock, processes * threads)
        self.idle = simpy.Store(clock)
        self.idle.items.extend(number for _ in range(threads) for number in range(processes))
        self.cores = [simpy.Resource(clock) for _ in range(processes)]
        self.waits: list[float] = []
        self.busy = 0.0
        self.depth = Gauge(clock)

    def begin(self) -> None:
        """Count from now."""
        self.waits.clear()
        self.busy = 0.0
        self.depth.begin()

    def step(self, cpu: float, *, held: float = 0.0, priority: int = SOON) -> Steps:
        """One message: ``cpu`` seconds of a core, and ``held`` seconds of the thread alone."""
        arrived = self.clock.now
        with self.admitted.request(priority=priority) as turn:
            self.depth.add(1)
            yield turn
            self.depth.add(-1)
            process = yield self.idle.get()
            yield self.clock.timeout(held)
            with self.cores[process].request() as core:
                yield core
                yield from self.burst(cpu)
            self.idle.put(process)
            self.waits.append(max(0.0, self.clock.now - arrived - cpu - held))
            self.busy += cpu

    def burst(self, cpu: float) -> Steps:
        """Use a core of the process's own, or a share of the machine's that it has with others."""
        if self.machine is None:
            yield self.clock.timeout(cpu)
            return
        left = cpu
        while left > 0:
            with self.machine.request() as core:
                yield core
                yield self.clock.timeout(min(left, SLICE_SECONDS))
            left -= SLICE_SECONDS


SLICE_SECONDS = 0.004
"""For how long a core is given at a time where processes share them: about Linux's own."""


@cache
def threads_of_the_stack() -> dict[str, int]:
    """How many steps a process takes at once, by kind: of workers what the compose file says, of web 20 connections."""
    services = compose.read({"SITE_HOST": "models.example"})
    found = {"web": 20}
    for kind in ("engine", "remote", "privacy"):
        command = services[f"worker-{kind}"].command
        found[kind] = int(command[command.index("-c") + 1])
    return found


@dataclass(frozen=True)
class Pools:
    """How many processes of each kind, and the threads of one."""

    web: int
    engine: int
    remote: int
    privacy: int
    threads: dict[str, int] = field(default_factory=lambda: dict(threads_of_the_stack()))

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Self:
        """So many of each kind."""
        return cls(web=counts["web"], engine=counts["engine"], remote=counts["remote"], privacy=counts["privacy"])

    def processes(self) -> dict[str, int]:
        """By kind."""
        return {"web": self.web, "engine": self.engine, "remote": self.remote, "privacy": self.privacy}


class Site:
    """The pools, the tick, and what is alive now."""

    def __init__(
        self,
        clock: simpy.Environment,
        pools: Pools,
        work: Work,
        *,
        rng: random.Random,
        machine: simpy.Resource | None = None,
    ) -> None:
        self.clock, self.work, self.rng = clock, work, rng
        self.pools = {
            kind: Pool(clock, processes=count, threads=pools.threads[kind], machine=machine)
            for kind, count in pools.processes().items()
        }
        self.jobs, self.blobs, self.delayed, self.pages = (Gauge(clock) for _ in range(4))
        self.ready: list[float] = []
        """Seconds from upload to ready, without the provider's own."""
        self.due: list[tuple[float, int, simpy.Event]] = []
        self.late: list[float] = []
        """Seconds for which a job that was due waited for the tick."""
        self.number = 0
        self.woken_most = 0
        clock.process(self.tick())

    def begin(self) -> None:
        """Count from now: what was before filled the site up."""
        for pool in self.pools.values():
            pool.begin()
        for gauge in (self.jobs, self.blobs, self.delayed, self.pages):
            gauge.begin()
        self.ready.clear()
        self.late.clear()

    def tick(self) -> Steps:
        """The sweep: every few seconds it sends for jobs that are due, the oldest first, up to its limit."""
        while True:
            began, woken = self.clock.now, 0
            while self.due and self.due[0][0] <= began and woken < self.work.most_woken:
                at, _, event = heappop(self.due)
                self.late.append(began - at)
                event.succeed()
                woken += 1
            self.woken_most = max(self.woken_most, woken)
            yield self.clock.timeout(max(self.work.tick_seconds, woken / self.work.woken_per_second))

    def wait(self, seconds: float) -> Steps:
        """Until a job is due and told: by a delayed message where that is soon, else by the tick."""
        if seconds <= leases.COUNTDOWN_SECONDS:
            self.delayed.add(1)
            yield self.clock.timeout(seconds)
            self.delayed.add(-1)
            return
        event = self.clock.event()
        self.number += 1
        heappush(self.due, (self.clock.now + seconds, self.number, event))
        yield event

    def step(self, kind: str, cpu: float, *, held: float = 0.0, priority: int = SOON) -> Steps:
        """A message on a kind's queue; how much it takes varies as ``work`` says."""
        spread = self.work.variation[kind]
        mine = cpu * people.scattered(self.rng, spread) if spread else cpu
        return self.pools[kind].step(mine, held=held, priority=priority)

    def job(self, *, fetched: simpy.Event | None = None) -> Steps:
        """One job, from the upload to its receipt; ``fetched`` happens when its model has been."""
        work, rng, began = self.work, self.rng, self.clock.now
        self.jobs.add(1)
        self.blobs.add(1)
        self.pages.add(1)
        yield from self.step("web", work.upload)
        yield from self.step("engine", work.cut_out, priority=LATER)
        if not work.instant and rng.random() < people.NO_SUBJECT:
            self.pages.add(-1)
            yield from self.purge()
            return
        thought = 0.0
        for number in range(people.MOST_CALLS):
            yield from self.step("remote", work.dispatch, held=work.dispatch_held)
            if not work.instant:
                since = self.clock.now
                looks = people.call(rng).looks()
                for look in looks[:-1]:
                    yield from self.wait(look)
                    yield from self.step("remote", work.poll, held=work.poll_held)
                yield from self.wait(looks[-1])
                thought += self.clock.now - since
            if work.instant or rng.random() >= people.CALLS_FAIL or number == people.MOST_CALLS - 1:
                break
        self.blobs.add(2)
        yield from self.step("remote", work.finish, held=work.finish_held)
        self.blobs.add(-2)
        self.ready.append(self.clock.now - began - thought)
        yield from self.delivered()
        if fetched is not None:
            fetched.succeed()
        yield from self.purge()

    def delivered(self) -> Steps:
        """The asset waits for its owner; the pipeline looks at it now and then."""
        wait = 0.0 if self.work.instant else people.fetched_after(self.rng)
        stays = wait is not None and wait < people.STAYERS_LOOK_SECONDS * 3
        if not stays:
            self.pages.add(-1)
        until = self.clock.now + (people.KEEP_SECONDS if wait is None else wait)
        while (left := until - self.clock.now) > people.look_again(left):
            yield from self.wait(people.look_again(left))
            yield from self.step("privacy", self.work.look)
        if left > 0:
            yield self.clock.timeout(left)
        if stays:
            self.pages.add(-1)
        if wait is not None:
            yield from self.step("web", self.work.download)

    def purge(self) -> Steps:
        """Everything is destroyed, at the provider too, and a receipt written."""
        yield from self.step("privacy", self.work.purge, held=self.work.purge_held)
        self.blobs.add(-1)
        self.jobs.add(-1)

    def arrivals(self, rate: float) -> Steps:
        """Jobs, so many a second on the mean, each without regard to the others."""
        while True:
            yield self.clock.timeout(self.rng.expovariate(rate))
            self.clock.process(self.job())


@dataclass(frozen=True)
class Seen:
    """What a run showed. Times in seconds."""

    jobs: int
    waits: dict[str, list[float]]
    utilisation: dict[str, float]
    depth: dict[str, float]
    in_flight: float
    blobs: float
    pages: float
    delayed: float
    ready: list[float]
    late: list[float]
    woken_most: int


def run(*, pools: Pools, work: Work, rate: float, warm: float, seconds: float, seed: int = 1) -> Seen:
    """Let ``rate`` jobs a second come, first for ``warm`` seconds that are not counted, then for ``seconds``."""
    clock = simpy.Environment()
    site = Site(clock, pools, work, rng=random.Random(seed))  # noqa: S311  # a draw, not a secret
    clock.process(site.arrivals(rate))
    clock.run(until=warm)
    site.begin()
    clock.run(until=warm + seconds)
    return seen(site, seconds)


def seen(site: Site, seconds: float) -> Seen:
    """The figures of a site that has run for so long since it began to count."""
    return Seen(
        jobs=len(site.ready),
        waits={kind: pool.waits for kind, pool in site.pools.items()},
        utilisation={kind: pool.busy / seconds / pool.processes for kind, pool in site.pools.items()},
        depth={kind: pool.depth.most for kind, pool in site.pools.items()},
        in_flight=site.jobs.most,
        blobs=site.blobs.most,
        pages=site.pages.most,
        delayed=site.delayed.most,
        ready=site.ready,
        late=site.late,
        woken_most=site.woken_most,
    )
