"""``python -m benchmarks.capacity.bounds [--json FILE]``: measure all bounds, print them, write them for the plan.

About a minute and a half. The file (``benchmarks/bounds.json``) holds each figure under the name that is printed, with
the day, the cores and the load of the machine at the beginning.
"""

from __future__ import annotations

import argparse
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.capacity.bounds import books, cutting, servers, streams, waits


def main() -> None:
    """Start the servers, measure, stop everything, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capacity.bounds")
    parser.add_argument("--json", type=Path, metavar="FILE")
    wanted = parser.parse_args()
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    print(f"{cores} cores, load {load:.2f} at the beginning")
    from sandbox.providers.hunyuan3d import Hunyuan3DSimulator

    found: dict[str, float] = {}
    with Hunyuan3DSimulator() as service:
        service.behaviour.seconds = 3600
        with servers.running({"PROVIDERS": waits.PROVIDER, "HUNYUAN3D_URL": service.url}) as stack:
            for measured in (cutting.cut_out, books.bare, books.log, books.ledger, lambda: waits.steps(stack),
                             waits.ticks, lambda: streams.measure(stack), lambda: waits.messages(stack)):  # fmt: skip
                part = measured()
                for name, figure in part.items():
                    print(f"{name:42} {figure:12.5g}", flush=True)
                found |= part
    base = found["bare_commits_per_second"]
    print(f"beside bare commits on one connection ({base:.0f}/s): "
          f"log {found['log_appends_per_second'] / base:.2f}, "
          f"one account {found['ledger_one_account_per_second'] / base:.2f}, "
          f"many accounts {found['ledger_many_accounts_per_second'] / base:.2f}, "
          f"new connections {found['commits_on_new_connections_per_second'] / base:.2f}")  # fmt: skip
    if wanted.json:
        about = {"measured": datetime.now(UTC).date().isoformat(), "cores": cores, "load": round(load, 2)}
        figures = {name: float(f"{figure:.3g}") for name, figure in found.items()}
        wanted.json.write_text(json.dumps(about | figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
