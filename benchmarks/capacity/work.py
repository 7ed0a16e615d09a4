"""What each message of a job takes: the measured seconds of a job, shared out over its steps.

The load benchmark measures a job's processor time by kind of process; a provider answered at once there. So dispatching
and finishing share what the workers of ``default`` took, polls and looks (``bounds``) come on top, and ``held`` is what
a step waits for Postgres, the store and the provider with its thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from benchmarks.capacity import people
from benchmarks.capacity.figures import Figures

UPLOAD: Final = 0.7
"""Of the web's work for a job; the rest is the page and the download."""
DISPATCH: Final = 0.35
"""Of the workers' work for a job: choose and submit. The rest collects, inspects, settles."""
VARIATION: Final = {"web": 0.5, "engine": 0.5, "remote": 0.7, "privacy": 0.5}
"""Standard deviation ÷ mean of a step's seconds: photos and meshes differ in size."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """Seconds of a core, or of a thread (``held``), for each step."""

    upload: float
    download: float
    cut_out: float
    dispatch: float
    poll: float
    finish: float
    look: float
    purge: float
    dispatch_held: float = 0.0
    poll_held: float = 0.0
    finish_held: float = 0.0
    purge_held: float = 0.0
    tick_seconds: float
    woken_per_second: float
    most_woken: float
    variation: dict[str, float]
    instant: bool = False
    """The provider answers within the call, and the model is fetched at once: the load benchmark's circumstances."""


def planned(figures: Figures, *, pages_share: float = 0.0) -> Work:
    """A site whose providers take their time. ``pages_share`` of each web core goes into pages that are open."""
    from django.conf import settings

    from generation import pipeline

    stored = (figures.postgres + figures.s3 + figures.valkey) / 3
    slower = 1 / (1 - pages_share)
    return Work(
        upload=UPLOAD * figures.web * slower,
        download=(1 - UPLOAD) * figures.web * slower,
        cut_out=figures.engine,
        dispatch=DISPATCH * figures.remote,
        poll=figures.poll,
        finish=(1 - DISPATCH) * figures.remote,
        look=figures.look,
        purge=figures.privacy,
        dispatch_held=people.FETCH_SECONDS + stored,
        poll_held=people.FETCH_SECONDS + figures.poll_postgres,
        finish_held=people.FETCH_SECONDS + stored,
        purge_held=people.FETCH_SECONDS + stored,
        tick_seconds=settings.SWEEP_SECONDS,
        woken_per_second=figures.woken,
        most_woken=figures.woken * pipeline.SWEEP_BUDGET_SECONDS,
        variation=VARIATION,
    )
