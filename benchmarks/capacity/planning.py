"""The plan for so many models a day, from the measured figures by formula: processes, servers, bytes, bounds.

Processes are counted so that at the peak the 99th percentile of waiting stays below ``TARGETS``, and one more is
planned than that needs, so that one may die or be replaced. A site of more than ``CELL`` a day is planned as cells:
whole sites of that size, each with its own database, log, broker, beat and key store.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from benchmarks.capacity import people, theory, work
from benchmarks.capacity.figures import Figures
from benchmarks.capacity.simulation import Pools, threads_of_the_stack

SIZES: Final = (10**4, 10**6, 10**8)
"""Models a day."""
CELL: Final = 10**6
"""What one database, one log, one beat and one broker are planned for."""
TARGETS: Final = {"web": 1.0, "engine": 10.0, "remote": 2.0, "privacy": 2.0}
"""Seconds that no more than one in a hundred steps may wait at the peak."""
SHARE: Final = 0.01
FULL: Final = 0.7
"""Of a server's cores, or of a serial resource, at the peak. Above, a line grows faster than it can be seen."""
DAY: Final = 86_400.0
GB: Final = 1e9
CONNECTIONS_SPARE: Final = 20
"""For webhooks, beat, migrations and whoever looks."""


@dataclass(frozen=True, kw_only=True)
class Offered:
    """What the peak asks of each kind of process: steps a second, and the mean seconds of a step.

    ``seconds`` are of a core, ``held`` of a thread alone.
    """

    steps: dict[str, float]
    seconds: dict[str, float]
    held: dict[str, float]

    def load(self, kind: str) -> float:
        """Cores in use."""
        return self.steps[kind] * self.seconds[kind]


@dataclass(frozen=True, kw_only=True)
class Bound:
    """What one cell can do a second at the most, and how much of that the peak asks for: above 1 it cannot."""

    rate: float
    share: float
    models_a_day: float
    """At which the peak would take all of it."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """For one site or cell: processes, servers, and the quantities that cost money. A month has 30 days."""

    a_day: int
    cells: int
    peak: float
    """Jobs a second of one cell, as are all that follow."""
    needed: Pools
    planned: Pools
    engine_if_embedded: int
    """Processes of ``worker-engine`` when it makes all models itself."""
    in_flight: float
    pages: float
    postgres_cores: float
    connections: int
    transactions: float
    """A second."""
    rows_gb_month: float
    """What the database grows by in a month."""
    keystore_mb: float
    messages: float
    """A second."""
    looks: float
    """Jobs a second that the tick has to wake."""
    megabits: float
    """Photos in and models out."""
    store_megabits: float
    """The same bytes to and from the object store, more than once each."""
    stored_gb: float
    """Sealed bytes alive at once, at the peak."""
    stored_gb_mean: float
    store_operations_month: float
    bytes_out_month_gb: float
    core_hours_month: float
    """Of work done."""
    standing_core_hours: float
    """Of cores that the plan has and that no work uses, over the month."""
    processes: int
    """Of ours, in all cells, with one for webhooks and one beat in each."""
    bounds: dict[str, Bound]
    """What is done one after another, whatever the number of processes."""


def offered(figures: Figures, rate: float) -> Offered:
    """By kind of process, for so many jobs a second."""
    mean, job = people.means(), work.planned(figures)
    looks = looks_per_job()
    remote = [(mean.calls, job.dispatch), (mean.polls, job.poll), (1.0, job.finish)]
    remote_held = [(mean.calls, job.dispatch_held), (mean.polls, job.poll_held), (1.0, job.finish_held)]
    privacy = [(1.0, job.purge), (looks, job.look)]
    privacy_held = [(1.0, job.purge_held), (looks, 0.0)]
    return Offered(
        steps={
            "web": 2 * rate,
            "engine": rate,
            "remote": rate * sum(often for often, _ in remote),
            "privacy": rate * sum(often for often, _ in privacy),
        },
        seconds={
            "web": (job.upload + job.download) / 2,
            "engine": job.cut_out,
            "remote": _mean(remote),
            "privacy": _mean(privacy),
        },
        held={"web": 0.0, "engine": 0.0, "remote": _mean(remote_held), "privacy": _mean(privacy_held)},
    )


def _mean(parts: list[tuple[float, float]]) -> float:
    return sum(often * seconds for often, seconds in parts) / sum(often for often, _ in parts)


def looks_per_job() -> float:
    """Looks of the pipeline at an asset that waits for its owner."""
    return people.means().waits_seconds / people.look_again(math.inf)


def woken_per_job() -> float:
    """Times that the tick has to wake a job: looks, and polls that are further off than a delayed message goes."""
    return looks_per_job() + people.means().polls_by_tick


def processes(kind: str, asked: Offered, figures: Figures, pages: float) -> int:
    """How many processes the peak needs for its target."""
    rate, service = asked.steps[kind], asked.seconds[kind]
    count = max(1, math.ceil((asked.load(kind) + (pages * figures.page if kind == "web" else 0)) / FULL))
    while waiting(kind, count, rate, service, pages * figures.page) > TARGETS[kind]:
        count += 1
    while count * threads_of_the_stack()[kind] * FULL < rate * (service + asked.held[kind]):
        count += 1
    return count


def waiting(kind: str, count: int, rate: float, service: float, pages_cores: float) -> float:
    """The 99th percentile of waiting by formula, in seconds.

    One line for all processes of the engine, which take a job at a time; the others take messages in turns, each into
    its own threads, so each process is taken for a line of its own.
    """
    variation = work.VARIATION[kind]
    if kind == "engine":
        return theory.wait_beyond(SHARE, servers=count, rate=rate, service=service, variation=variation)
    share = pages_cores / count if kind == "web" else 0.0
    if share >= 1:
        return math.inf
    return theory.wait_beyond(
        SHARE, servers=1, rate=rate / count, service=service / (1 - share), variation=max(1.0, variation)
    )


def plan(a_day: int, figures: Figures) -> Plan:
    """The plan of a site of so many models a day."""
    cells = max(1, math.ceil(a_day / CELL))
    mean = people.means()
    mean_rate = a_day / cells / DAY
    rate = mean_rate * people.PEAK
    asked = offered(figures, rate)
    pages = rate * mean.open_seconds
    needed = Pools.of({kind: processes(kind, asked, figures, pages) for kind in TARGETS})
    planned = Pools.of({kind: count + 1 for kind, count in needed.processes().items()})
    all_engine = Offered(
        steps=asked.steps, seconds={**asked.seconds, "engine": figures.engine + figures.standard}, held=asked.held
    )
    postgres = postgres_load(figures, rate)
    looks = rate * woken_per_job()
    transactions = rate * (
        figures.transactions + figures.poll_transactions * mean.polls + figures.look_transactions * looks_per_job()
    )
    connections = sum(count * threads_of_the_stack()[kind] for kind, count in planned.processes().items())
    alive = rate * (mean.in_flight_seconds + 5)
    month = mean_rate * DAY * 30
    web_cores = figures.web + figures.page * mean.open_seconds
    everything = (
        web_cores + figures.engine + asked.load("remote") / rate + asked.load("privacy") / rate
        + postgres / rate + figures.valkey + figures.s3
    )  # fmt: skip
    return Plan(
        a_day=a_day,
        cells=cells,
        peak=rate,
        needed=needed,
        planned=planned,
        engine_if_embedded=processes("engine", all_engine, figures, 0.0) + 1,
        in_flight=alive,
        pages=pages,
        postgres_cores=postgres,
        connections=connections + CONNECTIONS_SPARE,
        transactions=transactions,
        rows_gb_month=month * figures.rows / GB,
        keystore_mb=alive * figures.key_bytes / 1e6,
        messages=rate * (figures.messages + mean.polls + looks_per_job()),
        looks=looks,
        megabits=rate * (figures.bytes_in + figures.bytes_out) * 8 / 1e6,
        store_megabits=rate * STORED_TIMES * (figures.bytes_in + figures.bytes_out) * 8 / 1e6,
        stored_gb=alive * max(figures.bytes_in, figures.bytes_out) / GB,
        stored_gb_mean=alive / people.PEAK * max(figures.bytes_in, figures.bytes_out) / GB,
        store_operations_month=month * figures.s3_operations,
        bytes_out_month_gb=month * figures.bytes_out / GB,
        core_hours_month=month * everything / 3600,
        standing_core_hours=(sum(planned.processes().values()) + postgres / FULL) * 24 * 30 - month * everything / 3600,
        processes=(sum(planned.processes().values()) + 2) * cells,
        bounds=bounds(figures, rate),
    )


STORED_TIMES: Final = 4
"""How often a photo's or a model's bytes go to the store or come from it: written and read, twice each."""


def bounds(figures: Figures, rate: float) -> dict[str, Bound]:
    """What does not grow with processes, at so many jobs a second."""
    found = {
        "Receipts into the log": (log_limit(figures), 1.0),
        "Jobs woken by the tick": (tick_limit(figures), woken_per_job()),
        "Credits, were all of one account": (figures.one_account, 2.0),
    }
    return {
        name: Bound(rate=limit, share=rate * each / limit, models_a_day=limit / each * DAY / people.PEAK)
        for name, (limit, each) in found.items()
    }


def log_limit(figures: Figures) -> float:
    """Receipts a second that its task appends, if it takes all the time that it may."""
    from django.conf import settings

    from privacy import tasks

    return figures.log_appends * tasks.BUDGET_SECONDS / float(settings.SWEEP_SECONDS)


def tick_limit(figures: Figures) -> float:
    """Jobs a second that the tick can wake, if it takes all the time that it may."""
    from django.conf import settings

    from generation import pipeline

    return figures.woken * pipeline.SWEEP_BUDGET_SECONDS / float(settings.SWEEP_SECONDS)


def postgres_load(figures: Figures, rate: float) -> float:
    """Cores that Postgres uses at so many jobs a second."""
    mean = people.means()
    polls = mean.polls * figures.poll_postgres + looks_per_job() * figures.look_postgres
    return rate * (figures.postgres + polls + figures.page_postgres * mean.open_seconds)


def list_length(kind: str, figures: Figures) -> float:
    """Messages waiting for each process above which scaling by the queue's length keeps ``TARGETS`` no more.

    KEDA keeps waiting ÷ processes at that length; so in balance a message waits for as long as one process takes for
    so many, by its core or by its threads. Half of the target is left for a look every ten seconds and a start.
    """
    asked = offered(figures, 1.0)
    seconds = max(asked.seconds[kind], (asked.seconds[kind] + asked.held[kind]) / threads_of_the_stack()[kind])
    return TARGETS[kind] / 2 / seconds
