"""What a stage says when it is done: where the job goes next, and when to look again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from generation.models import Event, Job


@dataclass(frozen=True)
class Step:
    """``next`` empty: stay. ``wait`` in seconds. ``further`` false: this claim got nowhere and counts as a try.

    ``also`` is written in the transaction in which the step is saved: both are so, or neither. So is the ``line`` of
    the job's history, before that of the stage.
    """

    next: Job.Stage | None
    wait: float = 0.0
    further: bool = True
    also: tuple[Callable[[], object], ...] = ()
    line: Event | None = None


class JobFailed(Exception):
    """The job cannot succeed; ``code`` is one of ``generation.failures``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def backoff(tries: int, *, longest: float) -> float:
    """Seconds to wait after so many tries that got nowhere: twice as long each time, ``longest`` at most."""
    return min(longest, 2.0 ** min(tries, 16))


def fail(job: Job, code: str) -> Step:
    """End the job as failed: credits go back and everything is destroyed."""
    job.outcome = Job.Outcome.FAILED
    job.failure = code
    job.queue = "default"
    return Step(Job.Stage.SETTLE)
