"""The end of an account's jobs: those that run are cancelled, and each is waited for until its receipt is issued.

Cancelling is the pipeline's own way: credits go back, bytes are destroyed, providers are told to erase. A provider that
never answers is given up after some tries (``generation/erasing.py``), so that every job ends.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.utils import timezone
from django.utils.translation import ngettext

from generation import pipeline
from generation.models import Attempt, Job
from privacy.closing import AGAIN_SECONDS, Closed
from privacy.datamap import Person

AT_ONCE = 200
NOTHING = "nothing_kept"


def loses(person: Person) -> list[str]:
    """Jobs that run, and models that nobody has saved yet."""
    running = _running(person)
    waiting = running.filter(stage=Job.Stage.DELIVER).count()
    others = running.count() - waiting
    said = []
    if others:
        sentence = ngettext("{n} job runs and is cancelled.", "{n} jobs run and are cancelled.", others)
        said.append(sentence.format(n=others))
    if waiting:
        sentence = ngettext(
            "{n} model waits to be saved and is destroyed.", "{n} models wait to be saved and are destroyed.", waiting
        )
        said.append(sentence.format(n=waiting))
    return said


def close(person: Person) -> Closed:
    """Cancel what runs, and wait for it; then say what providers said of their copies."""
    running = _running(person)
    for job in running.filter(cancel_requested_at=None)[:AT_ONCE]:
        if Job.objects.filter(pk=job.pk, cancel_requested_at=None).update(cancel_requested_at=timezone.now()):
            pipeline.wake(job)
    if running.exists():
        return Closed(wait=AGAIN_SECONDS)
    return Closed(elsewhere=_copies(person))


def _running(person: Person) -> Any:
    return Job.objects.filter(owner=person.pk).exclude(stage=Job.Stage.OVER)


def _copies(person: Person) -> list[dict[str, Any]]:
    """By provider and what it said: how many calls, and until when the last of them is kept there."""
    calls: Counter[tuple[str, str]] = Counter()
    until: dict[tuple[str, str], str] = {}
    mine = Attempt.objects.filter(job__owner=person.pk).values_list("provider", "erasure")
    for provider, erasure in mine.iterator(2000):
        said = erasure or {}
        key = (provider, said.get("result", "unknown"))
        calls[key] += 1
        if "until" in said:
            until[key] = max(until.get(key, ""), said["until"])
    return [
        {"provider": provider, "result": result, "calls": count}
        | ({"until": until[provider, result]} if (provider, result) in until else {})
        for (provider, result), count in sorted(calls.items())
        if result != NOTHING
    ]
