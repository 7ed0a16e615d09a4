"""Whatever people, banks, jobs and the network do: the ledger is sound at every step, and reconciled, it says what
Stripe says.

``LONG_RUNS`` in the environment (``make test-long``) makes it 500 runs of 50 steps.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, suppress
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, strategies
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from accounts.models import User
from billing import ledger, reconciliation, stripe_client, webhooks
from billing.models import LedgerAccount, Order, StripeEvent, Transaction
from generation import pipeline
from generation.models import Job
from sandbox.stripe.refusal import Refusal
from tests.billing.bank import Bank, net, open_bank
from tests.long import LONG

PEOPLE = strategies.integers(0, 1)
PLAN_CREDITS = 200
WITHDRAWN = ("needs_response", "under_review", "lost")
NOW = 1_800_000_000.0
"""What time it is at the bank until its clock is moved, so that a run can be repeated."""
COUNTS: Counter[str] = Counter()
"""How many of each the runs came to, for whoever reads the figures (``pytest -s``)."""


class Books(RuleBasedStateMachine):
    """Two people, their bank, and a network that loses, repeats and reorders what Stripe says."""

    sessions: Bundle[str] = Bundle("sessions")
    payments: Bundle[str] = Bundle("payments")
    refunds: Bundle[str] = Bundle("refunds")
    disputes: Bundle[str] = Bundle("disputes")
    plans: Bundle[str] = Bundle("plans")
    jobs: Bundle[UUID] = Bundle("jobs")
    ready: Bundle[UUID] = Bundle("ready")

    def __init__(self) -> None:
        super().__init__()
        self.opened = ExitStack()
        self.opened.enter_context(transaction.atomic())
        self.bank: Bank = self.opened.enter_context(open_bank(now=lambda: NOW))
        self.people = [User.objects.create_user(f"{place}@example.com") for place in (0, 1)]
        for person in self.people:
            ledger.balance(person)
        self.spent = [0, 0]

    def teardown(self) -> None:
        """The last word is Stripe's; then everything is undone."""
        try:
            self.reconcile()
            for kind in ("checkout.session", "invoice", "refund", "dispute", "event"):
                COUNTS[kind] += len(self.bank.all(kind))
            COUNTS["job"] += Job.objects.count()
            COUNTS["transaction"] += Transaction.objects.count()
            COUNTS["run"] += 1
        finally:
            transaction.set_rollback(True)
            self.opened.close()

    # -- buying

    @initialize(target=payments)
    def customers(self) -> Any:
        """Both have bought something before; nobody has heard of it yet."""
        for person, code in zip(self.people, ("pack-100", "plan-200"), strict=True):
            order = self.bank.order(person, code)
            assert order.session_id is not None
            self.bank.pay(order.session_id)
        found = [one["id"] for one in self.bank.all("payment_intent")]
        assert len(found) == 2
        return multiple(*found)

    @rule(target=sessions, person=PEOPLE, code=strategies.sampled_from(["pack-20", "pack-100", "plan-200"]))
    def order(self, person: int, code: str) -> Any:
        """Press Buy; a subscriber who wants a plan is sent to the portal."""
        before = Order.objects.count()
        with suppress(Order.DoesNotExist):
            order = self.bank.order(self.people[person], code)
            if Order.objects.count() > before and order.session_id:
                return order.session_id
        return multiple()

    @rule(
        target=payments,
        session=sessions,
        card=strategies.sampled_from(["ok", "ok", "ok", "declined", "delayed", "auth"]),
        promotion=strategies.sampled_from(["", "", "SANDBOX25", "SANDBOXFREE"]),
        approved=strategies.booleans(),
    )
    def pay(self, session: str, card: Any, promotion: str, *, approved: bool) -> Any:
        """Come to a paying page with some card, or too late."""
        with suppress(Refusal):
            self.bank.pay(session, card, promotion, approved=approved)
            intent = self.bank.get("checkout.session", session)["payment_intent"]
            return intent or multiple()
        return multiple()

    @rule(payment=payments, succeeds=strategies.booleans())
    def arrive(self, payment: str, *, succeeds: bool) -> None:
        """A slow payment comes, or not."""
        with suppress(Refusal):
            self.bank.settle(payment, succeeds=succeeds)

    @rule(session=sessions)
    def expire(self, session: str) -> None:
        """Nobody paid in time."""
        with suppress(Refusal):
            self.bank.expire(session)

    # -- money going back

    @rule(
        target=refunds,
        payment=payments,
        part=strategies.integers(1, 100),
        fate=strategies.sampled_from(["done", "pending", "fails", "fails later"]),
    )
    def refund(self, payment: str, part: int, fate: str) -> Any:
        """Part of what was paid goes back, or seems to."""
        with suppress(Refusal):
            amount = max(1, self.bank.get("payment_intent", payment)["amount"] * part // 100)
            refund = str(self.bank.refund(payment, amount, pending=fate != "done")["id"])
            if fate.startswith("fails"):
                if fate == "fails later":
                    self.catch_up()
                self.bank.settle_refund(refund, succeeds=False)
            return refund
        return multiple()

    @rule(refund=refunds, succeeds=strategies.booleans())
    def settle_refund(self, refund: str, *, succeeds: bool) -> None:
        """A refund arrives, or fails."""
        with suppress(Refusal):
            self.bank.settle_refund(refund, succeeds=succeeds)

    @rule(target=disputes, payment=payments, kind=strategies.sampled_from(["dispute", "inquiry", "won later"]))
    def dispute(self, payment: str, kind: str) -> Any:
        """A payment is disputed, or asked about."""
        with suppress(Refusal):
            dispute = str(self.bank.dispute(payment, inquiry=kind == "inquiry")["id"])
            if kind == "won later":
                self.catch_up()
                self.bank.close_dispute(dispute, won=True)
            return dispute
        return multiple()

    @rule(dispute=disputes, end=strategies.sampled_from(["won", "lost", "escalate"]))
    def decide(self, dispute: str, end: str) -> None:
        """A dispute is decided, or an inquiry becomes one."""
        with suppress(Refusal):
            if end == "escalate":
                self.bank.escalate(dispute)
            else:
                self.bank.close_dispute(dispute, won=end == "won")

    # -- subscriptions

    @rule(target=plans)
    def find_plans(self) -> Any:
        """Subscriptions as they come about."""
        return multiple(*(one["id"] for one in self.bank.all("subscription")))

    @rule(target=payments, plan=plans, card=strategies.sampled_from(["ok", "ok", "declined"]))
    def renew(self, plan: str, card: Any) -> Any:
        """A month goes by; the payments that renewals made join the others."""
        found = self.bank.get("subscription", plan)
        before = {one["id"] for one in self.bank.all("payment_intent")}
        with suppress(Refusal):
            self.bank.set_card(found["customer"], card)
            self.bank.advance_to_renewal(plan)
        return multiple(*(one["id"] for one in self.bank.all("payment_intent") if one["id"] not in before))

    @rule(plan=plans, now=strategies.booleans())
    def cancel_plan(self, plan: str, *, now: bool) -> None:
        """It ends, at once or with its period."""
        with suppress(Refusal):
            if now:
                self.bank.cancel_subscription(plan)
            else:
                self.bank.update_subscription(plan, cancel_at_period_end=True)

    # -- the network

    @rule(data=strategies.data())
    def deliver(self, data: Any) -> None:
        """Some of what waits comes, in any order and perhaps twice; some is lost."""
        waiting = self.bank.pending
        self.bank.hooks.kept.clear()  # what is not delivered below is lost
        order = data.draw(strategies.permutations(range(len(waiting))))
        fates = data.draw(strategies.lists(strategies.integers(0, 2), min_size=len(waiting), max_size=len(waiting)))
        for place in order:
            for _ in range(fates[place]):
                assert self.bank.deliver(waiting[place]) == [200]

    @rule(fails=strategies.sampled_from([0, 0, 0, 1, 2]))
    def work(self, fails: int) -> None:
        """The tasks run, with Stripe failing now and then before or after it has done as asked."""
        if fails:
            self.bank.fail("hang_up_after", times=fails)
        StripeEvent.objects.filter(applied_at=None).update(due_at=timezone.now())
        # In an order of its own, so that the same call fails when the run is repeated.
        for event_id in list(StripeEvent.objects.filter(applied_at=None).order_by("pk").values_list("pk", flat=True)):
            webhooks.apply(event_id)
        self.bank.mend()

    def catch_up(self) -> None:
        """Everything said so far is heard and acted on."""
        self.bank.settle_all()

    # -- jobs

    @rule(target=jobs, person=PEOPLE, credits=strategies.integers(0, 60))
    def start(self, person: int, credits: int) -> Any:
        """A job begins, if its credits are there."""
        job_id, now = uuid4(), timezone.now()
        owner = self.people[person]
        before = ledger.balance(owner)
        try:
            with transaction.atomic():
                Job.objects.create(
                    id=job_id, owner=owner, credits=credits, stage="settle", created_at=now, due_at=now,
                    deadline_at=now + timedelta(hours=1),
                )  # fmt: skip
                ledger.hold(user=owner, credits=credits, job=job_id)
        except ledger.InsufficientCredits:
            assert before.available < credits
            return multiple()
        return job_id

    @rule(target=ready, job=consumes(jobs), outcome=strategies.sampled_from(["", "", "failed", "cancelled", "crash"]))
    def end(self, job: UUID, outcome: str) -> Any:
        """It settles. ``crash``: the process dies after the money moved and before the job is saved, and another
        process settles it again."""
        row = Job.objects.get(pk=job)
        if outcome == "crash":
            pipeline.settle(Job.objects.get(pk=job))
            outcome = ""
        row.outcome = outcome
        pipeline.settle(row)
        row.save()
        if not outcome:
            self.spent[self.people.index(row.owner)] += row.credits
            return job
        return multiple()

    @rule(job=consumes(ready), twice=strategies.booleans())
    def lose(self, job: UUID, *, twice: bool) -> None:
        """A model that was paid for is lost before its owner had it."""
        row = Job.objects.get(pk=job)
        for _ in range(1 + twice):
            again = Job.objects.get(pk=job)
            again.outcome, again.charged = "failed", True
            pipeline.settle(again)
        self.spent[self.people.index(row.owner)] -= row.credits

    # -- what must hold

    @rule()
    def reconcile(self) -> None:
        """Whatever was lost: afterwards the books are Stripe's, and a second look finds nothing to do."""
        reconciliation.reconcile(since=None)
        for place, person in enumerate(self.people):
            assert net(person) == settings.GRANT_CREDITS + self.bought(person) - self.spent[place]
        assert reconciliation.reconcile(since=None).repaired == []

    def bought(self, person: User) -> int:
        """Credits that a person has by what Stripe says, reckoned from its objects alone."""
        customers = {one["id"] for one in self.bank.all("customer") if one["metadata"]["account"] == str(person.pk)}
        total = 0
        for session in self.bank.all("checkout.session"):
            paid = session["payment_status"] in ("paid", "no_payment_required")
            if session["mode"] == "payment" and paid and session["customer"] in customers:
                credits = Order.objects.get(pk=session["client_reference_id"]).credits
                total += self.left(credits, session["payment_intent"], session["amount_total"])
        for invoice in self.bank.all("invoice"):
            about = invoice["parent"] and invoice["parent"]["subscription_details"]
            if about and invoice["status"] == "paid" and invoice["customer"] in customers:
                paid_by = [
                    one["payment"]["payment_intent"]
                    for one in self.bank.all("invoice_payment")
                    if one["invoice"] == invoice["id"] and one["status"] == "paid"
                ]
                total += self.left(PLAN_CREDITS, paid_by[0] if paid_by else None, invoice["amount_paid"])
        return total

    def left(self, credits: int, intent: str | None, amount: int) -> int:
        """What is left of a purchase after refunds and disputes."""
        gone = sum(
            one["amount"]
            for one in self.bank.all("refund")
            if one["payment_intent"] == intent and one["status"] not in ("failed", "canceled")
        ) + sum(
            one["amount"]
            for one in self.bank.all("dispute")
            if one["payment_intent"] == intent and one["status"] in WITHDRAWN
        )
        return credits - (credits * min(gone, amount) // amount if intent and amount else 0)

    @invariant()
    def sound(self) -> None:
        """Entries sum to zero; nothing is below zero but a recorded debt; no one who owes has credits to spend."""
        assert ledger.verify() == []
        assert not LedgerAccount.objects.filter(balance__lt=0).exclude(kind="debt").exists()
        grants = Transaction.objects.filter(kind="grant", key__startswith="stripe:")
        assert grants.count() == grants.values("key").distinct().count()


@pytest.mark.django_db
def test_the_books_say_what_stripe_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe_client, "RETRIES", 0)  # the library waits between its own tries
    stripe_client._client.cache_clear()
    run_state_machine_as_test(
        Books,
        settings=hypothesis_settings(
            max_examples=500 if LONG else 4,
            stateful_step_count=50 if LONG else 40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(dict(COUNTS))
    # Four runs may come to no refund; five hundred do.
    assert all(COUNTS[kind] for kind in ("checkout.session", "refund", "dispute", "job") if LONG)
