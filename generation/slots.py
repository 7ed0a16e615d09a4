"""How many calls a provider runs at a time: each takes a numbered slot, which the database gives out once.

A slot is a column of the attempt, so it cannot be lost: it is free again when the attempt is closed, and every
attempt is closed in the end. Whoever finds none waits as a row, not as a worker; the longest wait comes first.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction

from generation.models import Attempt, Job
from generation.provider import Card


def free(card: Card, job: Job) -> bool:
    """Whether the job may hope for a slot now: there are more than older jobs waiting for one."""
    if card.slots is None:
        return True
    taken = Attempt.objects.filter(provider=card.name, slot__isnull=False).count()
    before = Job.objects.filter(
        provider=card.name, stage=Job.Stage.DISPATCH, waiting="provider_busy", created_at__lt=job.created_at
    ).count()
    return taken + before < card.slots


def create(card: Card, attempt: Attempt) -> bool:
    """Save a new attempt, with a slot where the provider has them; false when all were taken meanwhile."""
    if card.slots is None:
        attempt.save(force_insert=True)
        return True
    while True:
        taken = set(Attempt.objects.filter(provider=card.name, slot__isnull=False).values_list("slot", flat=True))
        attempt.slot = next((slot for slot in range(card.slots) if slot not in taken), None)
        if attempt.slot is None:
            return False
        try:
            with transaction.atomic():
                attempt.save(force_insert=True)
            return True
        except IntegrityError:
            if Attempt.objects.filter(job=attempt.job_id, number=attempt.number).exists():
                raise  # not about the slot: somebody else moves this job
