"""What ``make chaos`` stands on: a line that fails as it is told to, pictures told apart, a verdict that can be bad."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis
from django.utils import timezone

from benchmarks.chaos import verdict
from benchmarks.chaos.customers import Order, orders
from benchmarks.chaos.line import Line, State
from benchmarks.chaos.vendors import number_in, numbered
from billing import ledger
from generation import pictures
from generation.models import Attempt, Job
from tests.environment import ROOT, bare
from tests.long import LONG


@pytest.fixture
def line() -> Iterator[tuple[Line, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        running = Line(server.getsockname())
        yield running, server
        running.close()


def broken(connection: socket.socket) -> bool:
    """Whether the other side is gone; waits for it to say so. Raises ``TimeoutError``."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def test_a_line_is_cut_while_it_is_used_goes_silent_and_is_mended(line: tuple[Line, socket.socket]) -> None:
    here, server = line

    def connected() -> socket.socket:
        return socket.create_connection(("127.0.0.1", here.port), timeout=5)

    with connected() as used, server.accept()[0] as peer:
        used.send(b"x")
        assert peer.recv(1) == b"x"
        here.become(State.CUT)
        assert broken(used)
        assert broken(peer)
    with connected() as refused:
        assert broken(refused)
    here.become(State.SILENT)
    with connected() as silent:
        silent.settimeout(0.3)
        with pytest.raises(TimeoutError):
            broken(silent)
    here.become(State.OPEN)
    with connected() as used, server.accept()[0] as peer:
        peer.send(b"y")
        assert used.recv(1) == b"y"


def test_a_picture_still_says_its_number_when_a_vendor_gets_it() -> None:
    for number in (0, 7, 8, 100, 511):
        assert number_in(pictures.png(numbered(number), side=64, padded=0.2)) == number


def test_the_same_seed_gives_the_same_orders() -> None:
    def placed(seed: int) -> list[tuple[str, str, float]]:
        made = orders(50, embedded=2, accounts=5, lasting=60, seed=seed)
        return [(order.provider, order.way, order.begins) for order in made]

    assert placed(3) == placed(3) != placed(4)
    assert sum(provider == "embedded" for provider, _, _ in placed(3)) == 2


@pytest.mark.django_db
def test_what_is_lost_or_paid_twice_is_named(owner, settings, tmp_path) -> None:
    settings.STORE_URL = f"file://{tmp_path}/blobs"
    redis.from_url(settings.KEYSTORE_URL).flushall()  # what other tests have left
    granted = ledger.balance(owner).available
    now = timezone.now()
    job = Job.objects.create(
        owner=owner, created_at=now, due_at=now, deadline_at=now + timedelta(minutes=1), stage=Job.Stage.OVER
    )
    Attempt.objects.create(job=job, number=1, provider="meshy", remote_id="a", state="finished", started_at=now)
    ledger.hold(user=owner, credits=3, job=job.pk)
    placed = [Order(0, 0, "meshy", "draft", "fetch", 0.0, job=str(job.pk)), Order(1, 0, "", "draft", "fetch", 0.0)]
    found = verdict.reached(placed, {"meshy": [("a", 0), ("b", 0)]}, granted)
    assert not found.good
    counts = {name: len(cases) for name, cases in found.noughts.items()}
    assert counts == {
        "jobs lost": 1, "double captures": 1, "credits unaccounted": 1, "blobs overdue": 0, "receipts missing": 1,
        "paid calls duplicated": 1, "paid calls thrown away": 0,
    }  # fmt: skip


@pytest.mark.stack
@pytest.mark.skipif(not LONG, reason="make test-long")
def test_a_short_chaos_ends_well() -> None:
    command = [sys.executable, "-m", "benchmarks.chaos", "--jobs", "12", "--seconds", "25", "--embedded", "0"]
    done = subprocess.run(command, cwd=ROOT, env=bare(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "    0  jobs lost" in done.stdout
