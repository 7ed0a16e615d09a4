"""Start the site, send the load, print the tables."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks.load import asking, course, floor, profiling, service_times, sites
from benchmarks.load.accounting import Accounts, NoGroups
from benchmarks.load.crowd import Crowd
from benchmarks.load.figures import machine, share, table
from benchmarks.load.instant import NAME, start
from benchmarks.load.runs import Measured, measured
from scripts.stack.native import ROOT

PHOTO = ROOT / "static" / "samples" / "mug.jpg"
MAKE = """
import sys
from pathlib import Path
from generation import engine, images
picture = images.normalise([Path(sys.argv[1]).read_bytes()]).data
cut_out = engine.encode_cut_out(engine.cut_out(picture))
Path(sys.argv[2], "photo.png").write_bytes(cut_out)
Path(sys.argv[2], "mesh.glb").write_bytes(engine.reconstruct(cut_out, options=engine.Options(quality="standard")))
"""
WARM = (8, 16)
"""People and jobs of a run that nobody counts: processes start, connections are opened, networks are loaded."""
OURS = ("web", "remote", "engine", "privacy", "webhooks", "beat", "worker")


def arguments() -> argparse.Namespace:
    """What was chosen."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    asked.add_argument("--site", choices=("native", "local"), default="native", help="the stack, or make run's site")
    asked.add_argument("--people", type=int, nargs="*", default=[1, 8, 64], help="how many at once, run by run")
    asked.add_argument("--jobs", type=int, nargs="*", default=[20, 60, 128], help="how many in each run")
    asked.add_argument("--whole", action="store_true", help="send the photo as it is, not cut out on the device")
    asked.add_argument("--floor", type=int, default=20, help="repetitions of the floor; 0 leaves it out")
    asked.add_argument("--profile", type=int, default=0, help="jobs in a further run under py-spy")
    asked.add_argument("--json", type=Path, help="measure what else a plan needs, and write the service times here")
    return asked.parse_args()


def main() -> None:
    """Measure and print."""
    asked = arguments()
    print(f"{machine()}; {asked.site} site; "
          f"{'the photo as it is' if asked.whole else 'the photo cut out on the device'}")  # fmt: skip
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory()))
        subprocess.run([sys.executable, "-c", MAKE, str(PHOTO), str(folder)], cwd=ROOT, check=True)
        photo = PHOTO.read_bytes() if asked.whole else (folder / "photo.png").read_bytes()
        mesh = (folder / "mesh.glb").read_bytes()
        try:
            accounts = ending.enter_context(Accounts())
        except NoGroups as reason:
            raise SystemExit(f"Processor time cannot be counted by kind of process: {reason}.") from None
        accounts.take("client", [os.getpid()])  # first, since whatever is started from here on would go with it
        provider, address = start(folder / "mesh.glb")
        assert provider.stdin is not None
        ending.callback(provider.wait)
        ending.callback(provider.stdin.close)
        settings = {"PROVIDERS": NAME, "INSTANT_URL": address}
        site: sites.Site = sites.NativeSite(settings) if asked.site == "native" else sites.LocalSite(settings)
        ending.callback(site.stop)
        keys = sites.keys_of_people(site, max(WARM[0], *asked.people))
        accounts.take("provider", [provider.pid])
        for kind, ids in site.processes().items():
            accounts.take(kind, ids)
        sites.join(site)
        print(f"photo {len(photo) / 1000:.0f} kB, model {len(mesh) / 1000:.0f} kB")
        crowd = Crowd(site.addresses, site.headers, keys, photo,
                      "image/jpeg" if asked.whole else "image/png", "standard")  # fmt: skip
        measured(crowd, accounts, *WARM, warm=True)
        runs = [measured(crowd, accounts, people, jobs)
                for people, jobs in zip(asked.people, asked.jobs, strict=True)]  # fmt: skip
        tell(runs)
        if isinstance(site, sites.NativeSite):
            middle = runs[len(runs) // 2]
            if asked.floor:
                beside_floor(middle, runs, accounts, photo, mesh, asked.floor)
            asked_for = asking.requests(site, crowd)  # after the floor: from here on the S3 server logs each of them
            print("Requests to the store, for a job: "
                  + ", ".join(f"{name} {count:.1f}" for name, count in asked_for.items()))  # fmt: skip
            if asked.json:
                found = service_times.collect(middle, asked_for, len(photo), crowd)
                print(json.dumps(found))
                asked.json.write_text(json.dumps(found, indent=2) + "\n")
        if asked.profile:
            tell_profile(site, crowd, asked.profile)
        print(machine())


def tell(runs: list[Measured]) -> None:
    """Speed, memory, processor time, waits, destruction."""
    rows = []
    for run in runs:
        times = [one.fetched - one.began for one in run.journeys]
        rows.append([f"{run.people} people", f"{len(times)}", f"{len(times) / run.seconds:.2f}",
                     *(f"{1000 * share(times, part):.0f}" for part in (0.5, 0.95, 0.99)),
                     f"{sum(run.peak.get(kind, 0) for kind in OURS) / 1e6:.0f}", run.load])  # fmt: skip
    print("\nUpload begun → model here, ms; memory of web and workers, PSS, peak, MB")
    print(table(["", "jobs", "jobs/s", "p50", "p95", "p99", "MB", "load"], rows))
    kinds = [kind for kind in runs[0].cpu if any(run.cpu[kind] / len(run.journeys) > 0.00005 for run in runs)]
    print("\nProcessor time for a job, ms")
    rows = [[f"{run.people} people", *(f"{1000 * run.cpu[kind] / len(run.journeys):.0f}" for kind in kinds),
             f"{1000 * run.ours / len(run.journeys):.0f}"] for run in runs]  # fmt: skip
    print(table(["", *kinds, "all but client, provider"], rows))
    print("\nPostgres and the Valkeys, for a job")
    names = [
        "transactions",
        "writing",
        "inserted",
        "updated",
        "deleted",
        "log_bytes",
        "commands",
        "exchanges",
        "messages",
    ]
    print(table(["", *names], [[f"{run.people} people", *(f"{run.counts.get(name, 0) / len(run.journeys):.1f}"
                                                         for name in names)] for run in runs]))  # fmt: skip
    print("\nWhere the time goes between events of a job, ms: median (longest)")
    for run in runs:
        waits = {
            "asked → taken in": [one.accepted - one.began for one in run.journeys],
            "ready → told": run.told,
            "told → model here": [one.fetched - one.told for one in run.journeys],
            **course.gaps([UUID(one.job) for one in run.journeys]),
        }
        said = [f"{name} {1000 * share(times, 0.5):.0f} ({1000 * max(times):.0f})" for name, times in waits.items()]
        print(f"  {run.people} people: {'; '.join(said)}")
    print("\nDestruction, ms")
    rows = [
        [f"{run.people} people, {name}", f"{len(times)}", *(f"{share(times, part):.0f}" for part in (0.5, 0.95, 0.99))]
        for run in runs
        for name, times in run.lags.items()
    ]
    print(table(["", "jobs", "p50", "p95", "p99"], rows), flush=True)


def beside_floor(
    run: Measured, runs: Sequence[Measured], accounts: Accounts, photo: bytes, mesh: bytes, times: int
) -> None:
    """What a job costs beside what it cannot cost less than, by what was counted in ``run``; then for all ``runs``."""
    jobs = len(run.journeys)
    blobs = [size for _, size in course.sealed_sizes([run.journeys[0].job])]
    load = floor.Load(
        blobs=blobs,
        moved=len(photo) + len(mesh) + 2 * sum(blobs) + blobs[2] + len(mesh),
        writing=round(run.counts["writing"] / jobs),
        reading=round((run.counts["transactions"] - run.counts["writing"]) / jobs),
        rows=round(sum(run.counts[name] for name in ("inserted", "updated", "deleted")) / jobs),
        exchanges=round(run.counts["exchanges"] / jobs),
    )
    print(f"\nThe floor: {load}")
    found = floor.measure({**floor.floor_parts(load), **floor.work_parts(photo, mesh)}, accounts, times)
    floor.forget_rows()
    rows = [[name, f"{1000 * cost.wall:.1f}", f"{1000 * cost.cpu:.1f}"] for name, cost in found.items()]
    print(table(["one job, one process", "wall ms", "cpu ms"], rows))
    base = sum(cost.cpu for name, cost in found.items() if not name.startswith("work"))
    work = sum(cost.cpu for name, cost in found.items() if name.startswith("work"))
    for each in runs:
        ours = each.ours / len(each.journeys)
        print(
            f"processor time, {each.people} people: "
            f"job {1000 * ours:.0f} ms, work {1000 * work:.0f} ms, floor {1000 * base:.0f} ms; "
            f"overhead (job - work) / floor {(ours - work) / base:.2f}; job / (work + floor) {ours / (work + base):.2f}"
        )


def tell_profile(site: Any, crowd: Crowd, jobs: int) -> None:
    """Where web and workers were at work, in ms of a job."""
    ids = {kind: found for kind, found in site.processes().items() if kind in OURS}
    try:
        with profiling.Profile(ids) as profile:
            sent = crowd.send(min(8, len(crowd.keys)), jobs)
            course.await_end([one.job for one in sent])
    except profiling.NoProfiler as reason:
        print(f"\nNo profile: {reason}")
        return
    for title, found in (("by stage", profile.stages), ("by kind of work", profile.kinds)):
        print(f"\nWhere web and workers are at work, {title}: ms of a job, samples")
        rows = [[f"{process}: {name}", f"{1000 * count / profiling.RATE / jobs:.1f}", f"{count}"]
                for process, counts in found.items() for name, count in counts.most_common(9)]  # fmt: skip
        print(table(["", "ms", "samples"], rows))


if __name__ == "__main__":
    main()
