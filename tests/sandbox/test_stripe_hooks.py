"""Events on their way: signed as the official library wants them, and led astray in each of the modes."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stripe

from tests.sandbox.stripes import SECRET, client, paid, sandbox


class Site:
    """Takes webhooks; ``answers`` are the statuses of the next ones, 200 after that."""

    def __init__(self) -> None:
        self.got: list[stripe.Event] = []
        self.answers: list[int] = []
        self.lock = threading.Lock()

    def __call__(self, body: bytes, signature: str) -> int:
        """Take one, which must be signed."""
        with self.lock:
            self.got.append(stripe.Webhook.construct_event(body, signature, SECRET))
            return self.answers.pop(0) if self.answers else 200

    def ids(self) -> list[str]:
        """What came, in order."""
        return [event.id for event in self.got]


@contextmanager
def listening(site: Site) -> Iterator[str]:
    """The site behind HTTP; yields the address for webhooks."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Hand a webhook over."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == "/billing/webhook"
            self.send_response(site(body, self.headers["Stripe-Signature"]))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/billing/webhook"
    finally:
        server.shutdown()
        server.server_close()


def all_ids(running: Any) -> list[str]:
    return [event["id"] for event in running.events]


def test_over_http_in_order_signed_and_complete() -> None:
    site = Site()
    with listening(site) as address, sandbox(deliver_to=address) as running:
        session = paid(running)
        assert running.hooks.idle()
        assert site.ids() == all_ids(running)
        assert [event.type for event in site.got][-1] == "checkout.session.completed"
        shown: Any = site.got[-1].data.object
        assert (shown["id"], shown["payment_status"]) == (session["id"], "paid")
        assert {event["pending_webhooks"] for event in running.events} == {0}
        assert client(running).v1.events.retrieve(site.got[0].id).type == site.got[0].type


def test_the_snapshot_is_of_its_moment() -> None:
    site = Site()
    with sandbox(deliver_to=site, mode="delayed") as running:
        session = paid(running, "delayed")
        running.settle(session["payment_intent"])
        running.deliver()
        seen = {event.type: event.data.object for event in site.got}
        completed: Any = seen["checkout.session.completed"]
        arrived: Any = seen["checkout.session.async_payment_succeeded"]
        assert (completed["payment_status"], arrived["payment_status"]) == ("unpaid", "paid")


def test_another_secret_is_refused() -> None:
    taken: list[tuple[bytes, str]] = []
    with sandbox(deliver_to=lambda *sent: taken.append(sent), mode="delayed") as running:
        paid(running)
        assert running.deliver() == [200] * len(taken)
    body, signature = taken[0]
    assert stripe.Webhook.construct_event(body, signature, SECRET)
    for forged, secret in ((body, "whsec_other"), (body.replace(b"evt_", b"evx_"), SECRET)):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(forged, signature, secret)


def test_shuffled_all_come_once_in_another_order() -> None:
    site = Site()
    with sandbox(deliver_to=site, mode="shuffled") as running:
        paid(running)
        assert running.hooks.idle()
        assert sorted(site.ids()) == sorted(all_ids(running))
        assert site.ids() != all_ids(running)


def test_duplicated_all_come_twice() -> None:
    site = Site()
    with sandbox(deliver_to=site, mode="duplicated") as running:
        paid(running)
        assert running.hooks.idle()
        assert Counter(site.ids()) == dict.fromkeys(all_ids(running), 2)


def test_dropped_none_comes() -> None:
    site = Site()
    with sandbox(deliver_to=site, mode="dropped") as running:
        paid(running)
        assert running.hooks.idle()
        assert site.got == []
        assert all_ids(running)
        running.hooks.mode = "in_order"
        paid(running)
        assert running.hooks.idle()
        assert site.got[-1].type == "checkout.session.completed"
        assert len(site.got) < len(all_ids(running))


def test_delayed_they_wait_and_are_sent_by_who_asks() -> None:
    site, threads = Site(), set()

    def take(body: bytes, signature: str) -> int:
        threads.add(threading.current_thread())
        return site(body, signature)

    with sandbox(deliver_to=take, mode="delayed") as running:
        paid(running)
        time.sleep(0.05)
        assert site.got == []
        last = running.pending[-1]
        assert running.deliver(last["id"]) == [200]
        assert running.deliver(last, twice=True) == [200, 200]
        assert [event["id"] for event in running.pending] == all_ids(running)[:-1]
        running.deliver(shuffled=True)
        assert running.pending == []
        assert Counter(site.ids()) == {**dict.fromkeys(all_ids(running), 1), last["id"]: 3}
        assert threads == {threading.current_thread()}


def test_what_is_refused_comes_again_until_it_is_taken() -> None:
    site = Site()
    site.answers = [500, 404, 302]
    with listening(site) as address, sandbox(deliver_to=address) as running:
        running.hooks.retry_seconds = (0.01, 0.02, 0.03, 0.04)
        client(running).v1.customers.create()
        assert running.hooks.idle()
        assert site.ids() == all_ids(running) * 4
        assert running.events[0]["pending_webhooks"] == 0
        assert [status for _, status in running.hooks.sent] == [500, 404, 302, 200]


def test_in_the_end_it_is_given_up() -> None:
    with sandbox(deliver_to="http://127.0.0.1:9/billing/webhook") as running:  # nobody listens there
        running.hooks.retry_seconds = (0.01, 0.01)
        client(running).v1.customers.create()
        assert running.hooks.idle()
        assert [status for _, status in running.hooks.sent] == [0, 0, 0]
        assert running.events[0]["pending_webhooks"] == 1


def test_a_receiver_that_breaks_is_asked_again(capsys: pytest.CaptureFixture[str]) -> None:
    site, broken = Site(), [True]

    def take(body: bytes, signature: str) -> int:
        if broken.pop() if broken else False:
            raise RuntimeError("the site broke")
        return site(body, signature)

    with sandbox(deliver_to=take) as running:
        running.hooks.retry_seconds = (0.01,)
        client(running).v1.customers.create()
        assert running.hooks.idle()
        assert site.ids() == all_ids(running)
    assert "the site broke" in capsys.readouterr().err


def test_a_receiver_may_ask_back() -> None:
    """The lock is free while an event is delivered: sites fetch the object again."""
    found: list[str] = []
    with sandbox() as running:

        def ask(body: bytes, signature: str) -> int:
            id = json.loads(body)["data"]["object"]["id"]
            if id.startswith("cs_"):
                found.append(client(running).v1.checkout.sessions.retrieve(id).payment_status)
            return 200

        running.hooks.target = ask
        paid(running)
        assert running.hooks.idle()
    assert found == ["paid"]
