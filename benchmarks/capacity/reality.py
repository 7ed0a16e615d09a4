"""Predicted beside measured: ``python -m benchmarks.capacity.reality [USERS] [SECONDS]`` (8 and 40).

Starts the site as ``make run`` does, with a stand-in for Stability AI that answers at once. One person sends photos one
after another: what a job costs each kind of process, and what it waits for without a processor, is taken from that.
Then the simulation says what so many people at once will see on this machine's cores, which all processes and they
themselves share; then they come. Printed are jobs a second and the time from upload to the fetched model, predicted ÷
measured.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

PHOTO = Path(__file__).resolve().parents[2] / "static" / "samples" / "mug.jpg"
KINDS = {"modelmyimage.web": "web", "engine": "engine", "default,calls": "remote"}
ALONE = 12
KEYS = """
from accounts import keys
from accounts.scopes import USUAL
from accounts.models import User
from billing import ledger
for number in range({count}):
    user = User.objects.create_user(f"crowd{{number}}@example.com")
    ledger.grant(user=user, credits=100000, key=f"crowd-{{number}}", reason="benchmark")
    print("KEY", keys.make(owner=user, name="crowd", scopes=list(USUAL))[1])
"""


def used(state: Path) -> dict[str, float]:
    """Processor seconds so far by kind of process, with what each has started; ``self`` is this one."""
    from benchmarks.capacity.bounds.servers import cpu_seconds
    from tests.stack import processes_of

    found: dict[str, float] = defaultdict(float)
    parents, kinds = {}, {}
    for process in processes_of(state):
        try:
            line = Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ")
            parents[process] = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
            kinds[process] = next((kind for word, kind in KINDS.items() if word in line), "")
        except OSError:
            continue
    for process in kinds:
        at = process
        while not kinds[at] and parents[at] in kinds:
            at = parents[at]
        try:
            found[kinds[at] or "other"] += cpu_seconds(process)
        except OSError:
            continue
    found["self"] = time.process_time()
    return found


def journey(client: Any) -> tuple[float, float]:
    """One job: seconds from the upload's beginning to ready, and to the whole model here."""
    began = time.perf_counter()
    made = client.post("/api/v1/jobs?quality=draft", content=PHOTO.read_bytes(), headers={"Content-Type": "image/jpeg"})
    assert made.status_code == 201, made.text
    job = f"/api/v1/jobs/{made.json()['id']}"
    while client.get(f"{job}?wait=30").json()["stage"] != "deliver":
        pass
    ready = time.perf_counter() - began
    assert client.get(f"{job}/asset").status_code == 200
    done = time.perf_counter() - began
    assert client.delete(f"{job}/asset").status_code in (200, 202, 204)
    return ready, done


def come(url: str, secrets: list[str], seconds: float, most: int = 10**9) -> tuple[float, list[float], int]:
    """Everybody sends one photo after another for so long: the seconds spent, each job's to the model, their number."""
    import httpx

    times: list[float] = []
    began = time.perf_counter()

    def one(secret: str) -> None:
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {secret}"}, timeout=90) as client:
            for _ in range(most):
                if time.perf_counter() - began > seconds:
                    return
                times.append(journey(client)[1])

    crowd = [threading.Thread(target=one, args=(secret,)) for secret in secrets]
    for person in crowd:
        person.start()
    for person in crowd:
        person.join()
    return time.perf_counter() - began, times, len(times)


def predicted(cpu: dict[str, float], wait: float, users: int, seconds: float) -> tuple[float, list[float]]:
    """Jobs a second, and each job's time to the model, of so many people on this machine's cores by simulation."""
    import simpy

    from benchmarks.capacity.simulation import Pools, Site
    from benchmarks.capacity.work import VARIATION, Work

    remote = cpu["remote"]
    work = Work(
        upload=0.7 * cpu["web"], download=0.3 * cpu["web"], cut_out=cpu["engine"], dispatch=0.3 * remote, poll=0.0,
        finish=0.4 * remote, look=0.0, purge=0.3 * remote + cpu["other"], finish_held=wait, tick_seconds=5.0,
        woken_per_second=1000.0, most_woken=5000.0, variation=dict.fromkeys(VARIATION, 0.0), instant=True,
    )  # fmt: skip
    clock = simpy.Environment()
    machine = simpy.Resource(clock, len(os.sched_getaffinity(0)))
    threads = {"web": 40, "engine": 1, "remote": 8, "privacy": 8}
    pools = Pools(web=1, engine=1, remote=1, privacy=1, threads=threads)
    site = Site(clock, pools, work, rng=random.Random(1), machine=machine)  # noqa: S311  # a draw, not a secret
    times: list[float] = []

    def person() -> Any:
        while True:
            began = clock.now
            yield from site.pools["web"].burst(cpu["self"])
            ready = clock.event()
            clock.process(site.job(fetched=ready))
            yield ready
            times.append(clock.now - began)

    for _ in range(users):
        clock.process(person())
    clock.run(until=seconds)
    return len(times) / seconds, times


def main() -> None:
    """Start, measure one, predict, measure many, stop, print."""
    users = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 40.0
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.2f} at the beginning")
    import trimesh

    from tests import services  # sets the environment that our own settings need

    import django  # isort: skip

    django.setup()
    from benchmarks.capacity.gauge import percentile
    from sandbox.providers.stability import StabilitySimulator
    from tests.environment import ROOT, bare
    from tests.stack import launch

    assert services.FOLDER
    with tempfile.TemporaryDirectory(prefix="mmi-") as folder, StabilitySimulator() as vendor:
        vendor.behaviour.mesh = bytes(trimesh.creation.icosphere(subdivisions=4).export(file_type="glb"))
        state = Path(folder) / "var"
        running = launch(state, PROVIDERS="stability-sf3d", STABILITY_API_KEY=vendor.key, STABILITY_URL=vendor.url)
        try:
            url = running.url
            done = subprocess.run(
                [sys.executable, "manage.py", "shell", "-c", KEYS.format(count=users)], cwd=ROOT,
                env={**bare(), "STATE_DIR": str(state), "SITE_URL": url}, capture_output=True, text=True, check=True,
            )  # fmt: skip
            secrets = [line[4:].strip() for line in done.stdout.splitlines() if line.startswith("KEY ")]
            come(url, secrets[:1], 600, 3)
            time.sleep(2)
            before = used(state)
            _, alone, count = come(url, secrets[:1], 600, ALONE)
            time.sleep(2)
            cpu = {kind: (found - before[kind]) / count for kind, found in used(state).items()}
            spent, measured, count = come(url, secrets, seconds)
        finally:
            running.stop()
    cpu = {"other": 0.0, **cpu}
    on_the_way = cpu["web"] + cpu["engine"] + 0.7 * cpu["remote"] + cpu["self"]
    wait = max(0.0, percentile(alone, 0.5) - on_the_way)
    rate, times = predicted(cpu, wait, users, 200.0)
    print("of one job, alone: " + ", ".join(f"{kind} {each:.3f} s" for kind, each in sorted(cpu.items())) +
          f" of a core; {wait:.3f} s without; {percentile(alone, 0.5):.2f} s in all (p50 of {len(alone)})")  # fmt: skip
    rows = [("jobs a second", rate, count / spent)]
    rows += [(f"to the model, p{100 * share:.0f}, s", percentile(times, share), percentile(measured, share))
             for share in (0.5, 0.95)]  # fmt: skip
    print(f"{users} people, {count} jobs in {spent:.0f} s:")
    for name, said, seen in rows:
        print(f"  {name:22} predicted {said:6.2f}, measured {seen:6.2f}, ratio {said / seen:.2f}")


if __name__ == "__main__":
    main()
