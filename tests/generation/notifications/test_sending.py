"""One attempt: signed as the scheme says, to a public machine only, without following anybody anywhere."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpcore
import pytest
from django.utils import timezone
from standardwebhooks import Webhook as Vendor
from standardwebhooks import WebhookVerificationError

from accounts.models import User
from generation import egress
from generation.models import Notification, Webhook
from generation.notifications import messages, outbox, sending, signing, subscribing, targets
from tests.environment import ROOT
from tests.generation.notifications.conftest import Receiver, Workers
from tests.generation.test_egress import Server, tls

__all__ = ["tls"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(owner: User) -> Notification:
    return Notification.objects.create(owner=owner, kind=messages.TEST, at=timezone.now())


def at(owner: User, url: str) -> Webhook:
    """A webhook there, whatever its address looks like."""
    return subscribing.make(owner=owner, url=url, description="", kinds=["job.ready"])[0]


def tried(webhook: Webhook, notification: Notification) -> tuple[int | None, str]:
    """What becomes of an attempt."""
    answer = sending.send(webhook, notification)
    assert 0 <= answer.milliseconds < 15_000
    return answer.status, answer.failure


# --- signatures ------------------------------------------------------------------------------------------------


def test_the_schemes_own_library_takes_our_signature(owner: User, receiver: Receiver, told: Notification) -> None:
    webhook, secret = subscribing.make(owner=owner, url=receiver.url, description="", kinds=["job.ready"])
    assert sending.send(webhook, told).failure == ""
    headers, body = receiver.seen[0]
    assert Vendor(secret).verify(body, headers) == {
        "type": "webhook.test",
        "timestamp": told.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "data": {},
    }
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == f"msg_{told.message.hex}"
    assert "cookie" not in headers
    for bad_headers, bad_body in (
        (headers, body.replace(b"test", b"text")),
        ({**headers, "webhook-id": "msg_other"}, body),
        ({**headers, "webhook-timestamp": str(int(time.time()) - 60)}, body),
    ):
        with pytest.raises(WebhookVerificationError):
            Vendor(secret).verify(bad_body, bad_headers)
    with pytest.raises(WebhookVerificationError):
        Vendor(signing.new_secret()).verify(body, headers)


def test_while_one_secret_replaces_another_either_will_do(
    owner: User, receiver: Receiver, told: Notification, workers: Workers
) -> None:
    webhook, first = subscribing.make(owner=owner, url=receiver.url, description="", kinds=["job.ready"])

    def fits(*secrets: str) -> list[bool]:
        sending.send(Webhook.objects.get(), told)
        headers, body = receiver.seen[-1]
        found = []
        for secret in secrets:
            vendor = Vendor(secret)
            signed = vendor.sign(headers["webhook-id"], timezone.now(), body.decode())  # its clock is not ours
            assert signed.startswith("v1,")
            stamped = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
            found.append(signing._signature(secret, stamped) in headers["webhook-signature"].split(" "))
        return found

    second = subscribing.rotate(webhook, overlap=timedelta(hours=1))
    assert fits(first, second) == [True, True]
    assert Vendor(first).verify(receiver.seen[-1][1], receiver.seen[-1][0])
    assert Vendor(second).verify(receiver.seen[-1][1], receiver.seen[-1][0])
    workers.clock.ahead = timedelta(hours=1, seconds=1)
    assert fits(first, second) == [False, True]
    third = subscribing.rotate(webhook, overlap=timedelta(0))
    assert fits(first, second, third) == [False, False, True]


def test_a_secret_is_long_random_and_not_in_the_database(owner: User, settings: Any, told: Notification) -> None:
    webhook, secret = subscribing.make(owner=owner, url="https://a.example/", description="", kinds=["job.ready"])
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    assert signing.new_secret() != signing.new_secret()
    row = str(Webhook.objects.values().get())
    assert secret.removeprefix("whsec_")[:20] not in row
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another " * 8, [settings.SECRET_KEY]
    assert signing.headers(webhook, told, b"{}", now=timezone.now())
    settings.SECRET_KEY_FALLBACKS = []
    assert tried(webhook, told) == (None, "secret")


def test_the_guides_receiver_takes_ours_and_no_others(
    owner: User, settings: Any, told: Notification, tmp_path: Path
) -> None:
    """The example of docs/webhooks.md, as it stands there, run as a program of its own."""
    settings.WEBHOOKS_TO_LOOPBACK = True
    guide = (ROOT / "docs" / "webhooks.md").read_text()
    (tmp_path / "receiver.py").write_text(re.findall(r"```python\n(.*?)```", guide, re.S)[0])
    silent = Receiver()
    webhook, secret = subscribing.make(owner=owner, url=silent.url, description="", kinds=["job.ready"])
    environment = {**os.environ, "WEBHOOK_SECRET": secret, "PORT": str(silent.port), "PYTHONUNBUFFERED": "1"}
    running = subprocess.Popen(
        [sys.executable, tmp_path / "receiver.py"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(100):
            if sending.send(webhook, told).failure != "unreachable":
                break
            time.sleep(0.1)
        assert sending.send(webhook, told).status == 204  # the second time, it knows the id
        subscribing.rotate(webhook, overlap=timedelta(0))
        assert sending.send(Webhook.objects.get(), told).status == 400
    finally:
        running.terminate()
        said = running.communicate(timeout=10)[0].decode()
    assert said.splitlines() == ["webhook.test None"]


# --- where to --------------------------------------------------------------------------------------------------


PRIVATE = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200",
    "168.63.129.16", "0.0.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "ff02::1",
]  # fmt: skip


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """To which addresses a connection was begun; none is made."""
    found: list[tuple[str, int]] = []

    def connect(self: Any, host: str, port: int, *_: Any, **__: Any) -> Any:
        found.append((host, port))
        raise httpcore.ConnectError("not in a test")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    return found


def test_a_name_that_leads_inside_is_not_called(
    owner: User, told: Notification, connected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = at(owner, "https://shop.example/hook")
    for address in PRIVATE:
        for answers in ([address], ["93.184.215.14", address], [address, "93.184.215.14"]):
            monkeypatch.setattr(egress, "resolve", lambda host, port, found=answers: found)
            assert sending.send(webhook, told).failure == "refused", answers
    assert connected == []


def test_the_address_that_was_checked_is_the_one_that_is_called(
    owner: User, told: Notification, connected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that answers otherwise the next moment gains nothing; at the next attempt, it is looked up again."""
    answers = [["93.184.215.14"], ["127.0.0.1"], ["2606:2800:21f:cb07:6820:80da:af6b:8b2c"]]
    asked: list[tuple[str, int]] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return answers[len(asked) - 1]

    monkeypatch.setattr(egress, "resolve", resolve)
    webhook = at(owner, "https://shop.example:8443/hook")
    failures = [sending.send(webhook, told).failure for _ in range(3)]
    assert failures == ["unreachable", "refused", "unreachable"]
    assert asked == [("shop.example", 8443)] * 3
    assert connected == [("93.184.215.14", 8443), ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", 8443)]


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1", "0", "localhost", "[::1]", "[::ffff:7f00:1]"]
)
def test_other_spellings_of_this_machine(owner: User, told: Notification, connected: Any, host: str) -> None:
    """By the system's own look-up, as if the form had let them pass."""
    assert sending.send(at(owner, f"https://{host}/hook"), told).failure in ("refused", "unreachable")
    assert connected == []


@pytest.mark.parametrize(
    "host", ["a..example", "x" * 64 + ".example", "nowhere.invalid", "xn--a.example", "%00.example"]
)
def test_names_that_are_none(owner: User, told: Notification, host: str) -> None:
    assert sending.send(at(owner, f"https://{host}/"), told).failure == "unreachable"


def test_nobody_is_followed(owner: User, receiver: Receiver, told: Notification) -> None:
    other, webhook = Receiver().start(), at(owner, receiver.url)
    try:
        for status in (301, 302, 303, 307, 308):
            receiver.always(status)
            for target in (other.url, "http://169.254.169.254/latest/meta-data/", receiver.url):
                receiver.location = target
                assert tried(webhook, told) == (status, "redirect")
        assert other.seen == []
        assert len(receiver.seen) == 15
    finally:
        other.stop()


def test_what_counts_as_taken(owner: User, receiver: Receiver, told: Notification) -> None:
    webhook = at(owner, receiver.url)
    for status, failure in (
        (200, ""), (201, ""), (204, ""), (299, ""), (400, "status"), (401, "status"), (404, "status"), (410, "gone"),
        (429, "status"), (500, "status"), (503, "status"),
    ):  # fmt: skip
        receiver.always(status)
        assert tried(webhook, told) == (status, failure)


def test_slow_large_and_packed_answers(
    owner: User, told: Notification, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEBHOOKS_TO_LOOPBACK = True
    monkeypatch.setattr(targets, "SECONDS", 0.4)
    with Server() as server:
        for path, failure in (("headers", "timeout"), ("bytes/70000", "answer"), ("gzip", "answer"), ("plain", "")):
            webhook = at(owner, f"http://127.0.0.1:{server.port}/{path}")
            assert sending.send(webhook, told).failure == failure, path
        began = time.monotonic()
        assert sending.send(at(owner, f"http://127.0.0.1:{server.port}/body"), told).failure == ""  # it said 200
        assert time.monotonic() - began < 2
        server.shutdown()


def test_a_certificate_that_does_not_hold(owner: User, told: Notification, tls: Any, settings: Any) -> None:
    settings.WEBHOOKS_TO_LOOPBACK = True
    server, _trust = tls
    assert sending.send(at(owner, f"https://localhost:{server.port}/"), told).failure == "certificate"
    assert server.seen == []


def test_nothing_of_it_is_logged(
    owner: User, receiver: Receiver, caplog: pytest.LogCaptureFixture, workers: Workers
) -> None:
    from modelmyimage.logs import JsonLines

    webhook = at(owner, receiver.url + "?token=sesame")
    receiver.stop()
    outbox.test(webhook)
    workers.work()
    lines = "".join(JsonLines().format(record) for record in caplog.records if record.levelname != "DEBUG")
    assert "sesame" not in lines
    assert "127.0.0.1" not in lines
