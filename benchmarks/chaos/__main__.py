"""``python -m benchmarks.chaos [--jobs N] [--seconds S] [--every S] [--seed N] [--embedded N]``: chaos, then a verdict.

Starts the processes of ``deploy/compose`` without Docker (``scripts/stack``), all their files on one small disk where
this machine lets us mount one, with stand-ins for the providers behind the way out. Customers of several accounts send
photos through the API while everything in ``faults`` happens; then it is quiet until every job is over. Exit code 1
unless all that must be nought is.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

from benchmarks.chaos import customers, faults, verdict
from benchmarks.chaos.line import Line
from benchmarks.chaos.vendors import Vendors
from modelmyimage.local.site import Stopping, stop_on_signals
from scripts.stack.native import Stack

GRANTED = 5000
"""Credits of each account, more than all its jobs cost."""
DISK_MB = 900
QUIET_SECONDS = 240.0
"""How long all may take to be over after the last fault."""
LONGEST_STAY = timedelta(minutes=65)
"""How long a photo may stay of which a dying process made no job; the run does not wait for that."""
SWEPT_SECONDS = 45.0
"""How long the sweep may take over that."""
SHORTER = {"LEASE_SECONDS": "20", "RENUDGE_SECONDS": "10", "SWEEP_SECONDS": "2", "LOG_HEAD_MINUTES": "0.05"}
"""Waits that are settings, shortened: a lease of 90 s would only make the run longer."""


@contextmanager
def disk() -> Iterator[Path | None]:
    """A small file system of its own, on which everything is put; ``None`` where we may not mount."""
    place = Path(tempfile.mkdtemp(prefix="chaos-"))
    place.chmod(0o755)
    options = f"size={DISK_MB}m,mode=755"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    mounted = subprocess.run(command, capture_output=True, check=False)
    before = tempfile.tempdir
    try:
        tempfile.tempdir = str(place)
        yield place if mounted.returncode == 0 else None
    finally:
        tempfile.tempdir = before
        if mounted.returncode == 0:
            subprocess.run(["umount", "--lazy", str(place)], check=False)
        place.rmdir()


def open_accounts(count: int) -> list[str]:
    """So many accounts with credits; the secret of each one's access key."""
    from accounts import keys
    from accounts.models import User
    from accounts.scopes import USUAL
    from billing import ledger

    secrets = []
    for number in range(count):
        user = User.objects.create_user(f"customer{number}@example.com")
        welcome = ledger.balance(user).available
        ledger.grant(user=user, credits=GRANTED - welcome, key=f"chaos:{number}", reason="chaos")
        secrets.append(keys.make(owner=user, name="chaos", scopes=list(USUAL))[1])
    return secrets


def over(plan: faults.Faults, served: customers.Customers) -> bool:
    """Wait until nobody is under way and every job is over; false when that takes too long."""
    from django.db import close_old_connections

    from generation.models import Job

    deadline = time.monotonic() + QUIET_SECONDS
    while served.under_way() or Job.objects.exclude(stage=Job.Stage.OVER).exists():
        if time.monotonic() > deadline:
            return False
        plan.go_on()
        time.sleep(0.5)
        close_old_connections()
    return True


def swept(plan: faults.Faults) -> int:
    """Have the sweep take what dying processes left behind, as if its hour had passed; how many blobs that were."""
    from django.db.models import F

    from privacy.models import Blob, Receipt

    left = Blob.objects.open().update(
        created_at=F("created_at") - LONGEST_STAY, expires_at=F("expires_at") - LONGEST_STAY
    )
    deadline = time.monotonic() + SWEPT_SECONDS
    while Blob.objects.open().exists() or Receipt.objects.unlogged().exists():
        if time.monotonic() > deadline:
            break
        plan.go_on()
        time.sleep(0.5)
    return left


def told(title: str, figures: dict[str, int]) -> None:
    print(f"\n{title}")
    for name, count in sorted(figures.items(), key=lambda pair: (-pair[1], pair[0])):
        print(f"  {count:5}  {name}")


def run(arguments: argparse.Namespace, undo: ExitStack) -> int:
    """One run: 0 when all that must be nought is, 1 otherwise."""
    began = time.monotonic()
    place = undo.enter_context(disk())
    stack = Stack()
    undo.callback(stack.stop)
    vendors = Vendors(stack.folder, arguments.call_seconds)
    undo.callback(vendors.close)
    s3 = Line(("127.0.0.1", stack.ports["s3"][0]))
    undo.callback(s3.close)
    stack.settings |= {**SHORTER, **vendors.settings, "S3_ENDPOINT_URL": f"https://127.0.0.1:{s3.port}"}
    stack.settings["FORWARDED_ALLOW_IPS"] = "127.0.0.1"
    stack.start()
    os.environ |= {**stack.environment, "DJANGO_SETTINGS_MODULE": "modelmyimage.settings"}
    import django

    django.setup()
    accounts = max(2, arguments.jobs // 12)
    secrets = open_accounts(accounts)
    load = os.getloadavg()
    print(f"{os.cpu_count()} cores, load {load[0]:.1f} at the start; seed {arguments.seed}; {arguments.jobs} jobs of "
          f"{accounts} accounts, {arguments.embedded} of them by our own engine; started in "
          f"{time.monotonic() - began:.0f} s", flush=True)  # fmt: skip
    if place is None:
        print("Not covered: a full disk, since nothing can be mounted here.")
    plan = faults.Faults(
        stack, s3=s3, way_out=vendors.way_out, disk=place, seed=arguments.seed, lasting=arguments.seconds,
        every=arguments.every,
    )  # fmt: skip
    placed = customers.orders(
        arguments.jobs, embedded=arguments.embedded, accounts=accounts, lasting=arguments.seconds * 0.9,
        seed=arguments.seed,
    )  # fmt: skip
    served = customers.Customers(placed, addresses=stack.addresses, headers=stack.headers, secrets=secrets)
    undo.callback(served.give_up)
    while plan.go_on():
        time.sleep(0.2)
    calm = time.monotonic()
    all_over = over(plan, served)
    quiet = time.monotonic() - calm
    served.end()
    left = swept(plan)
    found = verdict.reached(placed, vendors.calls(), GRANTED)
    report(found, plan, served, quiet=quiet if all_over else None)
    print(f"\nBlobs that dying processes had left, and the sweep destroyed as if an hour had passed: {left}")
    print(f"\nload {os.getloadavg()[0]:.1f} at the end; {time.monotonic() - began:.0f} s in all")
    if not found.good and arguments.keep:
        subprocess.run(["cp", "-r", str(stack.folder), arguments.keep], check=False)
    return 0 if found.good else 1


def report(found: verdict.Verdict, plan: faults.Faults, served: customers.Customers, *, quiet: float | None) -> None:
    """Print everything, what must be nought last."""
    print("\nFaults, by their beginning")
    for line in plan.lines:
        if "SIGKILL" not in line:
            print(f"  {line}")
    told("Processes killed", {name: count for name, count in plan.done.items() if "SIGKILL" in name})
    told("Answers to customers", dict(served.answers))
    print(f"  {served.broken:5}  no answer")
    for title, figures in found.figures.items():
        told(title.capitalize(), dict(figures))
    print(f"\nQuiet {quiet:.0f} s after the last fault." if quiet is not None else "\nNot quiet in time.")
    print("\nMust be nought")
    for name, cases in found.noughts.items():
        print(f"  {len(cases):5}  {name}")
        for case in cases[:12]:
            print(f"         {case}")


def main() -> int:
    """Exit code 0 when all that must be nought is, 1 otherwise."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.chaos")
    asked.add_argument("--jobs", type=int, default=200)
    asked.add_argument("--seconds", type=float, default=180.0, help="how long faults go on")
    asked.add_argument("--every", type=float, default=5.0, help="seconds between two kills")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--embedded", type=int, default=3, help="jobs for our own engine")
    asked.add_argument("--call-seconds", type=float, default=5.0, help="how long a provider takes")
    asked.add_argument("--keep", default="", help="a folder to copy the site's files to when something is not nought")
    arguments = asked.parse_args()
    stop_on_signals()
    os.umask(0o022)  # Postgres may be another user
    with ExitStack() as undo:
        try:
            return run(arguments, undo)
        except Stopping:
            return 130


if __name__ == "__main__":
    sys.exit(main())
