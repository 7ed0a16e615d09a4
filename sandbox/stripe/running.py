"""A running stand-in, and what a test does with it without a browser."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from sandbox.stripe import (
    api,
    catalogue,
    changes,
    checkout,
    clock,
    customers,
    disputes,
    pages,
    refunds,
    sessions,
    store,
    subscriptions,
)
from sandbox.stripe.book import Book
from sandbox.stripe.customers import Card
from sandbox.stripe.hooks import Hooks, Mode, Target
from sandbox.stripe.refusal import Refusal
from sandbox.stripe.server import Answer, Fault, How, Request, Server, same
from sandbox.stripe.shapes import Json


class Sandbox:
    """Stripe on this machine, with ``key`` as its secret key and ``secret`` as that of its webhooks.

    ``deliver_to``: the address that events are posted to, or a function of body and signature; none: they are only
    kept. ``mode``: see ``hooks.Mode``. A function is called in a thread of ours, except in the mode "delayed", where
    ``deliver`` calls it. ``rng`` and ``now`` make a run repeatable. ``file``: where all is kept, and read
    from at the start; it follows what comes over HTTP. Methods may be called from any thread; they raise
    ``Refusal`` where Stripe would refuse.
    """

    def __init__(
        self,
        *,
        key: str = "sk_test_sandbox",
        secret: str = "whsec_sandbox",  # noqa: S107 - opens nothing
        deliver_to: Target | None = None,
        rng: random.Random | None = None,
        now: Callable[[], float] = time.time,
        mode: Mode = "in_order",
        port: int = 0,
        file: Path | None = None,
    ) -> None:
        self.key, self.secret = key, secret
        chance = rng or random.Random()  # noqa: S311 - ids, not secrets
        self.lock = threading.RLock()
        self.book = Book(rng=chance, now=now)
        self.hooks = Hooks(secret=secret, target=deliver_to, rng=random.Random(chance.random()), mode=mode)  # noqa: S311
        self.calls: list[Request] = []
        """Calls of the API, as they came."""
        self._faults: list[Fault] = []
        self.file = file
        self._server = Server(self._respond, port)
        self.url = self.book.base = self._server.url
        if file is not None:
            store.load(file, self.book, self.hooks)
        catalogue.seed(self.book)
        self.book.tell = self.hooks.take
        self.hooks.after_sending = self.save
        self._server.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and sending."""
        self._server.close()
        self.hooks.close()

    def save(self) -> None:
        """Write the state down, if there is a file for it. A full disk is said and survived."""
        if self.file is not None:
            with self.lock:
                try:
                    store.save(self.file, self.book, self.hooks)
                except OSError as error:
                    print(f"The sandbox for Stripe cannot keep its state: {error}", file=sys.stderr, flush=True)

    # -- calls over HTTP

    def fail(self, how: How, *, times: int = 1, method: str = "", path: str = "") -> None:
        """Let the next calls fail: those with this method and a path that has ``path`` in it. See ``Fault``."""
        with self.lock:
            self._faults.append(Fault(how, times, method, path))

    def mend(self) -> None:
        """Forget all faults."""
        with self.lock:
            self._faults.clear()

    def _fault(self, request: Request) -> How | None:
        for fault in self._faults:
            if fault.times > 0 and fault.method in ("", request.method) and fault.path in request.path:
                fault.times -= 1
                return fault.how
        return None

    def _respond(self, request: Request) -> Answer:
        with self.lock:
            clock.catch_up(self.book)
            if request.path.startswith("/v1/"):
                self.calls.append(request)
                answer = self._call(request)
            else:
                answer = pages.answer(self, request)
            if request.method not in ("GET", "HEAD"):
                self.save()
            return answer

    def _call(self, request: Request) -> Answer:
        if not same(request.key(), self.key):
            refusal = Refusal("Invalid API Key provided.", status=401)
            return self._json(api.Reply(refusal.status, refusal.body()))
        fault = self._fault(request)
        if isinstance(fault, int):
            refusal = Refusal("The sandbox was told to fail.", status=fault, type="api_error")
            return self._json(api.Reply(refusal.status, refusal.body()))
        if fault == "hang_up_before":
            return Answer(hang_up=True)
        form = request.query if request.method in ("GET", "HEAD", "DELETE") else request.body.decode(errors="replace")
        key = request.headers.get("idempotency-key", "")
        reply = api.answer(self.book, request.method, request.path, form, key=key)
        return Answer(hang_up=True) if fault == "hang_up_after" else self._json(reply)

    def _json(self, reply: api.Reply) -> Answer:
        return Answer(reply.status, api.size(reply.body), {"Content-Type": "application/json"} | reply.headers)

    # -- what buyers, banks and time do

    def pay(self, session: str, card: Card = "ok", promotion: str = "", *, approved: bool | None = None) -> str:
        """Pay an open session; "complete", "declined" or "requires_action" (``approved`` answers that at once)."""
        with self.lock:
            found = self.book.get("checkout.session", session)
            if promotion:
                sessions.apply(self.book, found, promotion)
            outcome = checkout.pay(self.book, found, card)
            if outcome == "requires_action" and approved is not None:
                outcome = self.authenticate(session, approved=approved)
            return outcome

    def authenticate(self, session: str, *, approved: bool = True) -> str:
        """Answer the bank's question about a session's payment; returns what ``pay`` returns."""
        with self.lock:
            intent = self.book.note(session).get("intent", "")
            return checkout.authenticate(self.book, self.book.get("payment_intent", intent), approved=approved)

    def settle(self, payment_intent: str, *, succeeds: bool = True) -> None:
        """A payment that takes days arrives, or does not."""
        with self.lock:
            checkout.settle(self.book, self.book.get("payment_intent", payment_intent), succeeds=succeeds)

    def expire(self, session: str) -> None:
        """End an open session."""
        with self.lock:
            sessions.expire(self.book, self.book.get("checkout.session", session))

    def refund(self, payment_intent: str, amount: int | None = None, *, pending: bool = False) -> Json:
        """Give back a payment, whole (what is left) or in part; returns the refund."""
        with self.lock:
            before, self.book.refunds_wait = self.book.refunds_wait, pending
            try:
                asked = {"payment_intent": payment_intent} | ({} if amount is None else {"amount": amount})
                return self._copy(refunds.create(self.book, asked))
            finally:
                self.book.refunds_wait = before

    def settle_refund(self, refund: str, *, succeeds: bool = True) -> None:
        """A pending refund arrives, or fails; one that seemed to have arrived can still fail."""
        with self.lock:
            refunds.settle(self.book, self.book.get("refund", refund), succeeds=succeeds)

    def dispute(
        self,
        payment_intent: str,
        *,
        amount: int | None = None,
        reason: str = "fraudulent",
        inquiry: bool = False,
    ) -> Json:
        """Dispute a payment: the money goes at once. ``inquiry``: only ask. Returns the dispute."""
        with self.lock:
            intent = self.book.get("payment_intent", payment_intent)
            return self._copy(disputes.start(self.book, intent, amount=amount, reason=reason, inquiry=inquiry))

    def escalate(self, dispute: str) -> None:
        """An inquiry becomes a dispute."""
        with self.lock:
            disputes.escalate(self.book, self.book.get("dispute", dispute))

    def close_dispute(self, dispute: str, *, won: bool) -> None:
        """Decide a dispute; an inquiry is closed."""
        with self.lock:
            disputes.close(self.book, self.book.get("dispute", dispute), won=won)

    def set_card(self, customer: str, card: Card) -> str:
        """Have a customer's invoices paid so from now on; returns the id of the way to pay."""
        with self.lock:
            found = customers.living(self.book, customer)
            method = customers.new_method(self.book, card, found)
            customers.set_default(self.book, found, method)
            return str(method["id"])

    def pay_invoice(self, invoice: str, card: Card = "ok") -> str:
        """The customer pays an open invoice: "paid", "failed", "requires_action" or "processing"."""
        with self.lock:
            method = customers.new_method(self.book, card)
            return changes.pay_invoice(self.book, self.book.get("invoice", invoice), method)

    def update_subscription(self, subscription: str, **params: Any) -> Json:
        """What the portal does: see ``changes.update``."""
        with self.lock:
            return self._copy(changes.update(self.book, params, subscription))

    def cancel_subscription(self, subscription: str) -> None:
        """End it now."""
        with self.lock:
            subscriptions.cancel(self.book, {}, subscription)

    def advance(self, days: float = 0, *, seconds: float = 0) -> None:
        """Move the clock forward; what falls due on the way happens at its own moment, in order."""
        with self.lock:
            clock.advance(self.book, days * 86400 + seconds)

    def advance_to_renewal(self, subscription: str) -> None:
        """Move the clock to the end of a subscription's period, and so into the next one."""
        with self.lock:
            end = subscriptions.end_of(self.book.get("subscription", subscription))
            clock.advance(self.book, max(0.0, end - self.book.exact_now()))

    # -- what it knows

    def now(self) -> int:
        """What time it is here, in seconds since the epoch."""
        with self.lock:
            return self.book.now()

    def get(self, kind: str, id: str) -> Json:
        """A copy of an object, such as ``get("refund", id)``."""
        with self.lock:
            return self._copy(self.book.get(kind, id))

    def all(self, kind: str) -> list[Json]:
        """Copies of all objects of a kind, oldest first."""
        with self.lock:
            return [self._copy(one) for one in reversed(self.book.all(kind))]

    def _copy(self, object: Json) -> Json:
        return api.show(self.book, object, [])

    # -- events

    @property
    def events(self) -> list[Json]:
        """All events, oldest first."""
        return self.all("event")

    @property
    def pending(self) -> list[Json]:
        """Events that the mode "delayed" keeps, oldest first."""
        with self.lock:
            return [self._copy(one) for one in self.hooks.kept]

    def deliver(self, event: str | Json | None = None, **options: Any) -> list[int]:
        """Send an event, new or old, now and in this thread; none: all that are kept. See ``Hooks.deliver``."""
        id = event["id"] if isinstance(event, dict) else event
        return self.hooks.deliver(self.book.get("event", id) if id else None, **options)

    def send_again(self, event: str) -> None:
        """Send an event once more, by the thread that sends."""
        self.hooks.queue(self.book.get("event", event))

    def release(self) -> None:
        """Have the thread send what is kept."""
        self.hooks.release()
