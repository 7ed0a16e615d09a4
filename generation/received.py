"""Who received a job's photo, what came of it, and what became of their copies: each attempt in a person's words."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later

from generation import registry
from generation.models import Attempt, Job
from generation.snapshot import provider_label, provider_place

CAME: dict[str, Promise] = {
    "provider_unavailable": later("stopped answering"),
    "provider_busy": later("had no place free"),
    "provider_misconfigured": later("refused this site’s key or account"),
    "provider_lost": later("lost the job"),
    "provider_unclear": later("did not say whether it took the photo"),
    "provider_failed": later("could not make a model"),
    "provider_declined": later("did not accept the photo or the choices"),
    "provider_too_slow": later("did not finish in time"),
    "provider_unknown": later("our machine stopped while handing the photo over"),
    "bad_mesh": later("sent back no valid 3D model"),
    "back_differs": later("found that front and back do not match"),
    "no_subject": later("found no object in the photo"),
    "subject_too_small": later("found the object too small"),
    "subject_too_thin": later("found the object too thin"),
    "cancelled": later("was stopped: you cancelled"),
}
"""What came of an attempt that made no model, by the code of its failure."""


@dataclass(frozen=True)
class Receiver:
    """One attempt: who, where, what came of it (``came``), what became of the copies (``copies``, perhaps empty).

    ``state``: "next", "now", "done" or "failed". ``until``: until when a copy may exist, as ISO 8601; ``open``: one
    may exist still. ``elsewhere``: on a machine that is not the one this runs on.
    """

    provider: str
    place: str
    state: str
    came: str
    copies: str
    until: str = ""
    open: bool = False
    elsewhere: bool = False


def receivers(job: Job) -> list[Receiver]:
    """All attempts, in order."""
    return [_receiver(attempt) for attempt in job.attempts.order_by("number")]


def holder(found: list[Receiver]) -> Receiver | None:
    """Who has the job at this moment, or made its model; ``None`` while it waits for somebody."""
    return found[-1] if found and found[-1].state != "failed" else None


def filed(job: Job) -> dict[str, object]:
    """Who made a job's model, or had it last, as one cell of the history; ``others``: how many had it before.

    Those to whom nothing was sent do not count. Reads the attempts that were fetched with the job.
    """
    sent = [attempt for attempt in job.attempts.all() if attempt.state != Attempt.State.CHOSEN]
    if not sent:
        return {"provider": "", "place": "", "others": 0}
    last = max(sent, key=lambda attempt: attempt.number)
    others = {attempt.provider for attempt in sent} - {last.provider}
    return {
        "provider": provider_label(last.provider),
        "place": provider_place(last.provider),
        "others": len(others),
    }


def _receiver(attempt: Attempt) -> Receiver:
    state, came = _came(attempt)
    copies, open_still = _copies(attempt)
    until = str((attempt.erasure or {}).get("until", ""))
    return Receiver(
        provider=provider_label(attempt.provider),
        place=provider_place(attempt.provider),
        state=state,
        came=came,
        copies=copies,
        until=until,
        open=open_still,
        elsewhere=any(card.hosts for card in registry.cards() if card.name == attempt.provider),
    )


def _came(attempt: Attempt) -> tuple[str, str]:
    match attempt.state:
        case Attempt.State.CHOSEN:
            return "next", _("is next; nothing was sent yet")
        case Attempt.State.SUBMITTING | Attempt.State.RUNNING:
            return "now", _("has it now")
        case Attempt.State.FINISHED:
            return "done", _("made the model")
    return "failed", str(CAME.get(attempt.failure) or _("was stopped with the job"))


def _copies(attempt: Attempt) -> tuple[str, bool]:
    """What the provider said of its copies, and whether one may exist still."""
    if attempt.erasure is None:
        return "", False
    match attempt.erasure.get("result"):
        case "erased":
            return _("erased"), False
        case "nothing_kept":
            return _("nothing kept"), False
        case "expires":
            return _("keeps a copy until"), True
        case "swept":
            return _("no way to delete; the operator’s sweeper removes it"), True
        case "unsupported":
            return _("keeps it: it offers no way to delete"), True
    return _("what became of its copy is not known"), True
