"""Whatever is told in whatever order, the ledger agrees with a few lines of plain Python."""

from __future__ import annotations

import uuid
from contextlib import suppress
from functools import partial

import pytest
from django.conf import settings
from django.db import transaction
from hypothesis import HealthCheck, strategies
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from accounts.models import User
from billing import ledger
from billing.ledger import Balance
from billing.models import LedgerAccount
from tests.long import LONG

JOBS = [uuid.UUID(int=number) for number in range(1, 6)]
KEYS = ["pack:1", "pack:2", "pack:3"]
people = strategies.integers(0, 1)
amounts = strategies.integers(0, 9)
jobs = strategies.sampled_from(JOBS)
keys = strategies.sampled_from(KEYS)


class Ledgers(RuleBasedStateMachine):
    """Two people; a model of each: free credits, holds by job, what became of them, grants by key."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.people = [User.objects.create_user(f"{place}@example.com") for place in (0, 1)]
        self.free = [settings.GRANT_CREDITS] * 2
        self.holds: dict[uuid.UUID, tuple[int, int]] = {}
        self.ends: dict[uuid.UUID, str] = {}
        self.refunded: set[uuid.UUID] = set()
        self.grants: dict[str, tuple[int, int]] = {}
        self.owed = [0, 0]
        self.back: dict[str, int] = {}
        self.told = 0

    def teardown(self) -> None:
        """Undo everything."""
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @rule(person=people, credits=strategies.integers(1, 9), key=keys)
    def grant(self, person: int, credits: int, key: str) -> None:
        """New: given. Same: nothing. Other content: refused."""
        if self.grants.get(key, (person, credits)) != (person, credits):
            with pytest.raises(ledger.KeyReused):
                ledger.grant(user=self.people[person], credits=credits, key=key, reason="pack")
            return
        ledger.grant(user=self.people[person], credits=credits, key=key, reason="pack")
        if key not in self.grants:
            self.grants[key] = (person, credits)
            self.give(person, credits)

    @rule(person=people, credits=amounts, job=jobs)
    def hold(self, person: int, credits: int, job: uuid.UUID) -> None:
        """Reserved when there is enough and the job has no hold."""
        if job in self.holds:
            if self.holds[job] == (person, credits):
                ledger.hold(user=self.people[person], credits=credits, job=job)
            else:
                with pytest.raises(ledger.KeyReused):
                    ledger.hold(user=self.people[person], credits=credits, job=job)
        elif credits > self.free[person]:
            with pytest.raises(ledger.InsufficientCredits):
                ledger.hold(user=self.people[person], credits=credits, job=job)
        else:
            ledger.hold(user=self.people[person], credits=credits, job=job)
            self.holds[job] = (person, credits)
            self.free[person] -= credits

    @rule(job=jobs, end=strategies.sampled_from(["capture", "release"]))
    def settle(self, job: uuid.UUID, end: str) -> None:
        """A hold ends one way."""
        act = ledger.capture if end == "capture" else ledger.release
        if job not in self.holds:
            with pytest.raises(ledger.NoSuchTransaction):
                act(job=job)
        elif self.ends.get(job, end) != end:
            with pytest.raises(ledger.AlreadySettled):
                act(job=job)
        else:
            act(job=job)
            if job not in self.ends:
                self.ends[job] = end
                person, credits = self.holds[job]
                self.give(person, credits if end == "release" else 0)

    @rule(job=jobs)
    def refund(self, job: uuid.UUID) -> None:
        """What was spent comes back, once."""
        if self.ends.get(job) != "capture":
            with pytest.raises(ledger.NoSuchTransaction):
                ledger.refund(job=job)
            return
        ledger.refund(job=job)
        if job not in self.refunded:
            self.refunded.add(job)
            person, credits = self.holds[job]
            self.give(person, credits)

    def give(self, person: int, credits: int) -> None:
        """Whatever comes in pays a debt first."""
        paid = min(credits, self.owed[person])
        self.owed[person] -= paid
        self.free[person] += credits - paid

    @rule(key=keys, credits=strategies.integers(1, 9))
    def reverse(self, key: str, credits: int) -> None:
        """A grant is taken back in parts, up to all of it; what is not there is owed."""
        self.told += 1
        act = partial(ledger.reverse, key=f"back:{self.told}", original=key, credits=credits, reason="refund")
        if key not in self.grants:
            with pytest.raises(ledger.NoSuchTransaction):
                act()
        elif self.back.get(key, 0) + credits > self.grants[key][1]:
            with pytest.raises(ledger.NotReversible):
                act()
        else:
            act()
            assert act().credits == credits  # told twice
            person = self.grants[key][0]
            self.back[key] = self.back.get(key, 0) + credits
            there = min(credits, self.free[person])
            self.free[person] -= there
            self.owed[person] += credits - there

    @rule(key=keys, credits=strategies.integers(1, 9))
    def restore(self, key: str, credits: int) -> None:
        """What was taken back may be given back, and no more."""
        self.told += 1
        act = partial(ledger.restore, key=f"won:{self.told}", original=key, credits=credits, reason="dispute")
        if key not in self.grants:
            with pytest.raises(ledger.NoSuchTransaction):
                act()
        elif credits > self.back.get(key, 0):
            with pytest.raises(ledger.NotReversible):
                act()
        else:
            act()
            self.back[key] -= credits
            self.give(self.grants[key][0], credits)

    @rule(person=people, credits=strategies.integers(1, 9))
    def take(self, person: int, credits: int) -> None:
        """By hand, and only what is there."""
        self.told += 1
        act = partial(ledger.take, user=self.people[person], credits=credits, key=f"take:{self.told}", reason="x")
        if credits > self.free[person]:
            with pytest.raises(ledger.InsufficientCredits):
                act()
        else:
            act()
            self.free[person] -= credits

    @rule(person=people, credits=amounts, job=jobs)
    def crash_after_hold(self, person: int, credits: int, job: uuid.UUID) -> None:
        """What a caller's transaction loses, the ledger loses with it."""
        with suppress(ledger.LedgerError, RuntimeError), transaction.atomic():
            ledger.hold(user=self.people[person], credits=credits, job=job)
            raise RuntimeError("died")

    @invariant()
    def agrees(self) -> None:
        """Balances are the model's, and verify finds nothing."""
        for place, person in enumerate(self.people):
            held = sum(
                credits for job, (whose, credits) in self.holds.items() if whose == place and job not in self.ends
            )
            assert ledger.balance(person) == Balance(available=self.free[place], held=held, owed=self.owed[place])
        assert ledger.verify() == []
        assert not LedgerAccount.objects.filter(balance__lt=0).exclude(kind="debt").exists()


@pytest.mark.django_db
def test_the_ledger_agrees_with_the_model() -> None:
    run_state_machine_as_test(
        Ledgers,
        settings=hypothesis_settings(
            max_examples=100 if LONG else 6,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
