"""What must be nought once all is quiet, and what else became of the jobs: read from the rows, the stores, the vendors.

A call may be paid for in vain in the cases that ``docs/providers.md`` and the receipt name, and in no others: nobody
knows whether it was taken (its process died in it, or its line broke), its job was cancelled, or the key store lost the
keys. These are counted on their own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.chaos.customers import Order

if TYPE_CHECKING:  # rows can be named only once Django is set up
    from generation.models import Job

LISTED = frozenset({"key_lost"})
"""Failures of a job by which a model that was paid for is lost, as ``docs/operations.md`` says."""


FREE = frozenset({"cog"})
"""Where a call costs nothing."""


@dataclass
class Verdict:
    """``noughts``: what must not be, by name, with what is known of each case. ``figures``: what else to tell."""

    noughts: dict[str, list[str]] = field(default_factory=dict)
    figures: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether every nought is one."""
        return not any(self.noughts.values())


def reached(placed: Sequence[Order], calls: Mapping[str, Sequence[tuple[str, int]]], granted: int) -> Verdict:
    """Look at everything. ``calls``: those that vendors took (``Vendors.calls``); ``granted``: each one's credits."""
    from generation.models import Attempt, Job

    jobs = {str(job.pk): job for job in Job.objects.prefetch_related("attempts")}
    found = Verdict()
    found.noughts["jobs lost"] = _lost(placed, jobs)
    found.noughts["double captures"] = _captured_twice()
    found.noughts["credits unaccounted"] = _unaccounted(granted)
    found.noughts["blobs overdue"] = _overdue()
    found.noughts["receipts missing"] = _unreceipted(jobs.values())
    paid = _Paid()
    job_of = {order.number: jobs.get(order.job) for order in placed}
    for provider, taken in calls.items():
        by_job = defaultdict(list)
        for call, number in taken:
            by_job[job_of.get(number)].append(call)
        for job, ids in by_job.items():
            paid.look(provider, job, ids)
    found.noughts["paid calls duplicated"] = paid.twice
    found.noughts["paid calls thrown away"] = paid.wasted
    found.figures["jobs by end"] = Counter(
        f"{job.outcome or 'not over'}{': ' + job.failure if job.failure else ''}" for job in jobs.values()
    )
    found.figures["attempts by end"] = Counter(
        f"{one.provider} {one.state}{': ' + one.failure if one.failure else ''}" for one in Attempt.objects.all()
    )
    found.figures["calls taken by vendors"] = Counter({name: len(taken) for name, taken in calls.items()})
    unknown = Attempt.objects.filter(state=Attempt.State.UNKNOWN).count()
    found.figures["attempts that nobody can know of"] = Counter(
        {"their call had been taken": paid.unknown, "their call had not": unknown - paid.unknown}
    )
    found.figures["erasing at providers"] = Counter(
        str((one.erasure or {}).get("result", "none")) for one in Attempt.objects.all()
    )
    return found


@dataclass
class _Paid:
    """What calls were paid for in vain."""

    twice: list[str] = field(default_factory=list)
    wasted: list[str] = field(default_factory=list)
    unknown: int = 0
    """Calls that were taken, of which the site could not know."""

    def look(self, provider: str, job: Job | None, ids: Sequence[str]) -> None:
        """At the calls that a provider took of one job."""
        if job is None:
            self.twice.append(f"{len(ids)} at {provider} for no job")
            return
        attempts = [attempt for attempt in job.attempts.all() if attempt.provider == provider]
        known = [one for one in attempts if one.remote_id]
        answered = [one for one in attempts if one.state == one.State.FINISHED and not one.remote_id]
        unsure = [one for one in attempts if one.state == one.State.UNKNOWN]
        # Our own machine runs a photo again for nothing: its card says so.
        if len(ids) > len(known) + len(answered) + len(unsure) and provider not in FREE:
            tale = ", ".join(f"{one.state} {one.failure}".strip() for one in attempts)
            self.twice.append(f"{len(ids)} at {provider} for {job.pk}: {tale}")
        self.unknown += min(len(unsure), max(0, len(ids) - len(known) - len(answered)))
        if job.outcome == job.Outcome.CANCELLED or job.failure in LISTED:
            return
        given_up = [one for one in known if one.state == one.State.FAILED and one.remote_id in ids]
        self.wasted += [f"{provider} for {job.pk}: {one.failure}" for one in given_up]
        if job.outcome == job.Outcome.FAILED and any(one.state == one.State.FINISHED for one in attempts):
            self.wasted.append(f"{provider} for {job.pk}, which failed: {job.failure}")


def _lost(placed: Sequence[Order], jobs: Mapping[str, Job]) -> list[str]:
    from generation.models import Job

    found = [f"order {order.number} was never taken in" for order in placed if not order.job]
    found += [f"{order.job} was promised and is not there" for order in placed if order.job and order.job not in jobs]
    found += [f"{job.pk} stands in {job.stage}" for job in Job.objects.exclude(stage=Job.Stage.OVER)]
    promised = {order.job for order in placed}
    return found + [f"{job} was made beside what its customer knows" for job in jobs if job not in promised]


def _captured_twice() -> list[str]:
    from billing.models import Transaction

    kinds = defaultdict(list)
    for job, kind in Transaction.objects.exclude(job=None).order_by("pk").values_list("job", "kind"):
        kinds[job].append(kind)
    # A capture may be undone once: what was paid for and then lost is refunded (docs/adr/0003).
    good = (["hold", "capture"], ["hold", "release"], ["hold", "capture", "reverse"])
    return [f"{job}: {', '.join(told)}" for job, told in kinds.items() if told not in good]


def _unaccounted(granted: int) -> list[str]:
    from accounts.models import User
    from billing import ledger
    from generation.models import Job

    found = list(ledger.verify())
    for user in User.objects.all():
        balance = ledger.balance(user)
        spent = sum(Job.objects.filter(owner=user, charged=True).values_list("credits", flat=True))
        if balance.held or balance.available != granted - spent:
            found.append(
                f"account {user.pk}: {balance.available} left and {balance.held} held of {granted}; spent {spent}"
            )
    return found


def _overdue() -> list[str]:
    from privacy.audit import audit, too_old
    from privacy.models import Blob

    found = [f"{blob.kind} {blob.pk} is {blob.state}" for blob in Blob.objects.open()]
    return found + [str(difference) for difference in (*audit(), *too_old())]


def _unreceipted(jobs: Iterable[Job]) -> list[str]:
    from privacy import log_audit, receipts
    from privacy.models import Receipt

    kept = {receipt.group: receipt for receipt in Receipt.objects.all()}
    found = []
    for job in jobs:
        receipt = kept.get(job.pk)
        if receipt is None or not receipts.verify(receipt.document).ok or receipt.log_index is None:
            found.append(f"{job.pk}")
    return found + log_audit.audit().differences
