"""The stand-in as a process: it remembers across restarts, keeps its state private, and starts with the site."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from modelmyimage.local import payments, ports
from sandbox.stripe import store
from tests.environment import ROOT, bare
from tests.sandbox.stripes import KEY, SECRET, buying, client, happened, paid, sandbox, subscribed
from tests.stack import RunningSite


def test_it_remembers(tmp_path: Path) -> None:
    file = tmp_path / "stripe.json"
    with sandbox(file=file) as first:
        session = client(first).v1.checkout.sessions.create(buying(), {"idempotency_key": "k"})
        one = subscribed(first)
        first.advance(0.5)
        httpx.post(str(session.url), data={"card": "declined"}, headers={"Origin": first.url})
        events, now = first.events, first.now()
        old = first.url
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with sandbox(file=file) as second:
        assert [event["id"] for event in second.events] == [event["id"] for event in events]
        assert second.now() == now
        again = client(second).v1.checkout.sessions.create(buying(), {"idempotency_key": "k"})
        assert (again.id, again.url) == (session.id, str(session.url).replace(old, second.url))
        assert second.pay(session.id) == "complete"
        second.advance_to_renewal(one["id"])
        assert happened(second)[-1] == "invoice.payment_succeeded"
        assert len(second.all("promotion_code")) == 2


def test_what_was_on_its_way_is_sent_after_the_restart(tmp_path: Path) -> None:
    file, got = tmp_path / "stripe.json", []
    with sandbox(file=file, deliver_to="http://127.0.0.1:9/") as first:
        id = client(first).v1.customers.create().id
    with sandbox(file=file, deliver_to=lambda body, signature: got.append(body)) as second:
        assert second.hooks.idle()
    assert len(got) == 1
    assert id.encode() in got[0]


def test_what_is_being_sent_is_on_its_way(tmp_path: Path) -> None:
    """Who stops just then has not lost it."""
    begun, go_on = threading.Event(), threading.Event()

    def receive(body: bytes, signature: str) -> int:
        begun.set()
        assert go_on.wait(20)
        return 500

    with sandbox(file=tmp_path / "stripe.json", deliver_to=receive) as running:
        assert client(running).v1.customers.create()
        assert begun.wait(20)
        waiting = running.hooks.waiting()
        go_on.set()
    assert waiting == [running.events[0]["id"]]
    assert running.hooks.waiting() == waiting


def test_the_oldest_events_are_left_out_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "EVENTS_KEPT", 5)
    with sandbox(file=tmp_path / "stripe.json") as first:
        paid(first)
        first.save()
        last = [event["id"] for event in first.events][-5:]
    with sandbox(file=tmp_path / "stripe.json") as second:
        assert [event["id"] for event in second.events] == last


def test_a_full_disk_is_said_and_survived(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with sandbox(file=tmp_path / "gone" / "stripe.json") as running:
        assert client(running).v1.customers.create().id
    assert "cannot keep its state" in capsys.readouterr().err


def start(state: Path, **variables: str) -> tuple[subprocess.Popen[str], str]:
    """The process as the site starts it, and its address."""
    port = ports.spare_port()
    given = {
        "STRIPE_API_BASE": f"http://127.0.0.1:{port}",
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "SITE_URL": "http://127.0.0.1:9",
        "STATE_DIR": str(state),
        **variables,
    }
    environment = {**bare(), **{name: value for name, value in given.items() if value}}
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.stripe"], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )
    return process, given["STRIPE_API_BASE"]


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            httpx.get(url)
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_process_keeps_what_it_answered(how: signal.Signals, tmp_path: Path) -> None:
    process, url = start(tmp_path)
    try:
        wait_for(url)
        api = stripe.StripeClient(KEY, base_addresses={"api": url}, max_network_retries=0)
        id = api.v1.customers.create({"email": "a@example.com"}).id
    finally:
        process.send_signal(how)
        code = process.wait(20)
    assert code == (0 if how == signal.SIGTERM else -signal.SIGKILL)
    assert process.stderr is not None
    assert process.stderr.read() == ""
    with sandbox(file=tmp_path / "stripe.json") as running:
        assert running.get("customer", id)["email"] == "a@example.com"


@pytest.mark.parametrize(
    ("variables", "broken", "reason"),
    [
        ({"STRIPE_SECRET_KEY": ""}, False, "STRIPE_SECRET_KEY is not set"),
        ({}, True, "stripe.json cannot be read"),
        ({"STRIPE_API_BASE": "http://127.0.0.1:99999"}, False, "Port out of range"),
    ],
)
def test_a_start_that_cannot_be_is_one_line(
    variables: dict[str, str], broken: bool, reason: str, tmp_path: Path
) -> None:
    if broken:
        (tmp_path / "stripe.json").write_text('{"base":')
    process, _ = start(tmp_path, **variables)
    assert process.wait(30) == 1
    assert process.stderr is not None
    [line] = process.stderr.read().splitlines()
    assert reason in line


def test_the_operators_key_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STRIPE_SECRET_KEY", raising=False)
    ours = payments.stand_in(tmp_path, 8000)
    assert ours["STRIPE_SECRET_KEY"].startswith("sk_test_sandbox")
    assert ours["STRIPE_WEBHOOK_SECRET"].startswith("whsec_")
    assert payments.stand_in(tmp_path, 8000)["STRIPE_SECRET_KEY"] != ours["STRIPE_SECRET_KEY"]
    (tmp_path / "local.env").write_text("STRIPE_SECRET_KEY=\n# STRIPE_SECRET_KEY=sk_test_1\n")
    assert payments.stand_in(tmp_path, 8000)
    (tmp_path / "local.env").write_text("STRIPE_SECRET_KEY=sk_test_1\n")
    assert payments.stand_in(tmp_path, 8000) == {}
    (tmp_path / "local.env").unlink()
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_1")
    assert payments.stand_in(tmp_path, 8000) == {}


def test_its_port_is_the_next_one_or_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert ports.spare_port(wanted=port) != port
    assert ports.spare_port(wanted=port) == port
    assert ports.spare_port(wanted=65536) in ports.NEVER_OUTGOING


def test_no_outgoing_connection_can_take_a_chosen_port() -> None:
    linux = Path("/proc/sys/net/ipv4/ip_local_port_range")
    lowest = int(linux.read_text().split()[0]) if linux.exists() else 49152
    assert all(ports.spare_port() < lowest for _ in range(20))


def variables_of(pid: int) -> dict[str, str]:
    pairs = (part.partition(b"=") for part in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}


@pytest.mark.stack
def test_it_starts_with_the_site_and_again_when_it_dies(site: RunningSite) -> None:
    assert site.link
    pid, address = child(site)
    wait_for(address)
    assert "Nobody has paid yet." in httpx.get(address).text or "Payments" in httpx.get(address).text
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while (again := child(site, required=False)) is None or again[0] == pid:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert again[1] == address
    wait_for(address)


@pytest.mark.stack
def test_the_site_uses_it_unless_the_operator_has_a_key(tmp_path: Path, start_site: Callable[..., RunningSite]) -> None:
    running = start_site(tmp_path / "var", STRIPE_SECRET_KEY="sk_test_operator", STRIPE_WEBHOOK_SECRET="whsec_operator")
    assert running.link
    assert child(running, required=False) is None
    assert not (tmp_path / "var" / "stripe.json").exists()


def child(site: RunningSite, *, required: bool = True) -> Any:
    """Process id and address of a site's stand-in."""
    from tests.stack import processes_of

    for pid in processes_of(site.state):
        try:
            if b"sandbox.stripe" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                return pid, variables_of(pid)["STRIPE_API_BASE"]
        except OSError:
            continue
    assert not required, "there is none"
    return None
