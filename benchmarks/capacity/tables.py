"""The tables of ``docs/capacity.md``, as Markdown; each is known by the first line of its head."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from benchmarks.capacity.figures import Figures
from benchmarks.capacity.planning import CELL, SIZES, TARGETS, Plan, list_length, offered, plan
from benchmarks.capacity.trying import Tried

NAMES: Final = {"web": "`web`", "engine": "`worker-engine`", "remote": "`worker-remote`", "privacy": "`worker-privacy`"}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lines of a Markdown table: the first column left, the others right."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "--:|" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def number(value: float) -> str:
    """Three digits that matter, thousands parted: 12,300, 4.56, 0.0123."""
    if value == 0:
        return "0"
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:.3g}"


def sizes(plans: Sequence[Plan]) -> list[str]:
    """Heads of the columns."""
    return [f"{one.a_day:,} a day" for one in plans]


def all_plans(figures: Figures) -> list[Plan]:
    """One for each size."""
    return [plan(size, figures) for size in SIZES]


def of_processes(figures: Figures) -> str:
    """How many processes, of one cell and of all."""
    plans = all_plans(figures)
    rows = [
        ["Cells (whole sites)", *(f"{one.cells}" for one in plans)],
        ["Models a second at the peak, all cells", *(number(one.peak * one.cells) for one in plans)],
    ]
    for kind, name in NAMES.items():
        counts = [(one.planned.processes()[kind], one.cells) for one in plans]
        rows.append([f"{name}, each cell", *(f"{count}" for count, _ in counts)])
    rows += [
        ["`worker-engine`, if the embedded engine makes all", *(f"{one.engine_if_embedded}" for one in plans)],
        ["`worker-webhooks`, `beat`, each cell", *("1, 1" for _ in plans)],
        ["Of our processes, all cells", *(f"{one.processes:,}" for one in plans)],
    ]  # fmt: skip
    return table(["Processes", *sizes(plans)], rows)


def of_servers(figures: Figures) -> str:
    """Database, key store, broker, store and lines of one cell."""
    plans = all_plans(figures)

    def row(name: str, values: Sequence[float]) -> list[str]:
        return [name, *map(number, values)]

    return table(
        ["Of one cell, at the peak", *sizes(plans)],
        [
            row("Jobs in flight", [one.in_flight for one in plans]),
            row("Pages that follow one", [one.pages for one in plans]),
            row("Postgres: cores in use", [one.postgres_cores for one in plans]),
            row("Postgres: transactions a second", [one.transactions for one in plans]),
            row("Postgres: connections at the most", [one.connections for one in plans]),
            row("Postgres: GB more each month", [one.rows_gb_month for one in plans]),
            row("Key store: MB of keys", [one.keystore_mb for one in plans]),
            row("Broker: messages a second", [one.messages for one in plans]),
            row("Tick: jobs it wakes a second", [one.looks for one in plans]),
            row("Object store: GB alive", [one.stored_gb for one in plans]),
            row("Line: Mbit/s to and from people", [one.megabits for one in plans]),
            row("Line: Mbit/s to and from the store", [one.store_megabits for one in plans]),
        ],
    )


def of_costs(figures: Figures) -> str:
    """Quantities of a month that have a price."""
    plans = all_plans(figures)

    def row(name: str, values: Sequence[float]) -> list[str]:
        return [name, *map(number, values)]

    return table(
        ["In a month, all cells", *sizes(plans)],
        [
            row("C: core-hours of work", [one.core_hours_month * one.cells for one in plans]),
            row("S: core-hours that stand by for the peak", [one.standing_core_hours * one.cells for one in plans]),
            row("D: GB that the database grows by", [one.rows_gb_month * one.cells for one in plans]),
            row("B: GB-months in the object store", [one.stored_gb_mean * one.cells for one in plans]),
            row("R: requests to the object store", [one.store_operations_month * one.cells for one in plans]),
            row("O: GB out to people", [one.bytes_out_month_gb * one.cells for one in plans]),
        ],
    )


EXAMPLE: Final = {"c": 0.04, "d": 0.12, "b": 0.02, "r": 0.005, "o": 0.05}
"""Prices of nobody's: what the example assumes, in whatever money."""


def of_example(figures: Figures) -> str:
    """The costs' formula with assumed prices, of a site's first month."""
    plans = all_plans(figures)
    parts: dict[str, Callable[[Plan], float]] = {
        "(C + S) · c": lambda one: (one.core_hours_month + one.standing_core_hours) * EXAMPLE["c"],
        "D · m · d": lambda one: one.rows_gb_month * EXAMPLE["d"],
        "B · b": lambda one: one.stored_gb_mean * EXAMPLE["b"],
        "R / 1000 · r": lambda one: one.store_operations_month / 1000 * EXAMPLE["r"],
        "O · o": lambda one: one.bytes_out_month_gb * EXAMPLE["o"],
    }
    sums = {name: [part(one) * one.cells for one in plans] for name, part in parts.items()}
    totals = [sum(column) for column in zip(*sums.values(), strict=True)]
    a_month = [one.a_day * 30 for one in plans]
    return table(
        ["An example", *sizes(plans)],
        [
            *([name, *map(number, values)] for name, values in sums.items()),
            ["All", *map(number, totals)],
            [
                "For a thousand models",
                *(number(1000 * total / many) for total, many in zip(totals, a_month, strict=True)),
            ],
        ],
    )


def of_bounds(figures: Figures) -> str:
    """What more processes do not help with, and where a cell stands with it."""
    plans = all_plans(figures)
    bounds = plans[0].bounds
    return table(
        ["One after another, in one cell", "Measured, a second", "Models a day that would be", *sizes(plans)],
        [
            [name, number(bound.rate), number(bound.models_a_day), *(f"{one.bounds[name].share:.1%}" for one in plans)]
            for name, bound in bounds.items()
        ],
    )


def of_scaling(figures: Figures) -> str:
    """What autoscaling has to be set to."""
    cell = plan(CELL, figures)
    asked = offered(figures, 1.0)
    rows = []
    for kind in ("engine", "remote", "privacy"):
        rows.append([NAMES[kind], f"{1000 * asked.seconds[kind]:.0f}", f"{TARGETS[kind]:g}",
                     f"{int(list_length(kind, figures))}", f"{cell.planned.processes()[kind]}"])  # fmt: skip
    return table(
        ["Scaling", "A message takes, ms", "May wait, s", "`listLength`, at most", "`maxReplicaCount`, at least"], rows
    )


def planned(figures: Figures) -> list[str]:
    """The tables that need no simulation."""
    makers = (of_processes, of_servers, of_bounds, of_scaling, of_costs, of_example)
    return [make(figures) for make in makers]


def of_waiting(tried: Sequence[Tried]) -> str:
    """The simulation's answer to the plan."""
    rows = []
    for one in tried:
        for kind, name in NAMES.items():
            rows.append(
                [
                    f"{one.a_day:,}, {name}",
                    f"{one.pools[kind]}",
                    f"{100 * one.utilisation[kind]:.0f} %",
                    f"{one.middle[kind]:.2f}",
                    f"{one.late[kind]:.2f}",
                    f"{TARGETS[kind]:g}",
                    one.fewer[kind],
                ]
            )
    return table(
        [
            "Simulated, one cell at the peak",
            "Processes",
            "In use",
            "Waiting p50, s",
            "p99, s",
            "Target",
            "p99 with fewer",
        ],
        rows,
    )


def of_states(tried: Sequence[Tried]) -> str:
    """What is alive in the simulation at once, at the most."""
    return table(
        ["Simulated, at the most at once", *(f"{one.a_day:,} a day" for one in tried)],
        [
            ["Jobs that were counted", *(f"{one.jobs:,}" for one in tried)],
            ["Jobs in flight", *(number(one.in_flight) for one in tried)],
            ["Blobs alive", *(number(one.blobs) for one in tried)],
            ["Key store, MB", *(number(one.keystore_mb) for one in tried)],
            ["Messages in the broker, waiting", *(number(one.depth) for one in tried)],
            ["Messages in the broker, delayed", *(number(one.delayed) for one in tried)],
            ["Pages open", *(number(one.pages) for one in tried)],
            ["Ours of upload → ready, p50, s", *(f"{one.ready50:.1f}" for one in tried)],
            ["Ours of upload → ready, p99, s", *(f"{one.ready99:.1f}" for one in tried)],
            ["Late by the tick, p99, s", *(f"{one.tick99:.1f}" for one in tried)],
        ],
    )
