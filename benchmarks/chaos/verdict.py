"""What must be nought once all is quiet, and what else became of the jobs: read from the rows, the stores, the vendors.

A call may be paid for in vain in the cases that ``docs/providers.md`` and the receipt name, and in no others: nobody
knows whether it was taken (its process died in it, or its line broke), its job was cancelled, or the key store lost the
keys. These are counted on their own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.chaos.customers import Order

LISTED = frozenset({"key_lost"})
"""Failures of a job by which a model that was paid for is lost, as ``docs/operations.md`` says."""


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
    number_of = {order.number: order.job for order in placed if order.job}
    found.noughts["paid calls duplicated"], found.noughts["paid calls thrown away"] = [], []
    taken_unknown = 0
    for provider, taken in calls.items():
        by_job = defaultdict(list)
        for call, number in taken:
            by_job[number_of.get(number, "")].append(call)
        for job_id, ids in by_job.items():
            job = jobs.get(job_id)
            if job is None:
                found.noughts["paid calls duplicated"].append(f"{len(ids)} at {provider} for no job")
                continue
            attempts = [attempt for attempt in job.attempts.all() if attempt.provider == provider]
            # Our own machine runs a photo again for nothing: its card says so.
            free = provider == "cog"
            could = [one for one in attempts if one.state in (Attempt.State.FINISHED, Attempt.State.UNKNOWN)]
            known = [one for one in attempts if one.remote_id]
            explained = len({one.pk for one in could + known})
            finished = [one for one in attempts if one.state == Attempt.State.FINISHED and not one.remote_id]
            if any(one.state == Attempt.State.UNKNOWN for one in attempts):
                taken_unknown += max(0, len(ids) - len(known) - len(finished))
            if len(ids) > explained and not free:
                tale = ", ".join(f"{one.state} {one.failure}".strip() for one in attempts)
                found.noughts["paid calls duplicated"].append(f"{len(ids)} at {provider} for {job_id}: {tale}")
            for one in known:
                wasted = one.state == Attempt.State.FAILED and one.remote_id in ids
                if wasted and job.outcome != "cancelled" and job.failure not in LISTED:
                    found.noughts["paid calls thrown away"].append(f"{provider} for {job_id}: {one.failure}")
    found.figures["jobs by end"] = Counter(
        f"{job.outcome or 'not over'}{': ' + job.failure if job.failure else ''}" for job in jobs.values()
    )
    found.figures["attempts by end"] = Counter(
        f"{one.provider} {one.state}{': ' + one.failure if one.failure else ''}" for one in Attempt.objects.all()
    )
    found.figures["calls taken by vendors"] = Counter({name: len(taken) for name, taken in calls.items()})
    unknown = Attempt.objects.filter(state=Attempt.State.UNKNOWN).count()
    found.figures["attempts that nobody can know of"] = Counter(
        {"their call had been taken": taken_unknown, "their call had not": unknown - taken_unknown}
    )
    found.figures["erasing at providers"] = Counter(
        str((one.erasure or {}).get("result", "none")) for one in Attempt.objects.all()
    )
    return found


def _lost(placed: Sequence[Order], jobs: Mapping[str, object]) -> list[str]:
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


def _unreceipted(jobs: Iterable[object]) -> list[str]:
    from privacy import log_audit, receipts
    from privacy.models import Receipt

    kept = {receipt.group: receipt for receipt in Receipt.objects.all()}
    found = []
    for job in jobs:
        receipt = kept.get(job.pk)  # type: ignore[attr-defined]
        if receipt is None or not receipts.verify(receipt.document).ok or receipt.log_index is None:
            found.append(f"{job.pk}")  # type: ignore[attr-defined]
    return found + log_audit.audit().differences
