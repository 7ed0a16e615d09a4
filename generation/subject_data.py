"""What is held about jobs: sealed bytes for a while, and rows of metadata that hold nothing of what a photo shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from generation import forgetting, registry
from generation.models import Job
from generation.wording import said
from privacy.datamap import Basis, Holding, Item, Person, Recipient, Section


def _others() -> list[str]:
    """The providers of other companies that are set up here."""
    cards = [card for card in registry.cards() if not card.self_hosted]
    return [
        f"{said(card.label)} ({', '.join(part for part in (said(card.operator), card.region) if part)})"
        for card in cards
    ]


PROVIDERS = Recipient(_("the provider that you or the router chose; the receipt names each"), _others)
PROGRAMS = Recipient(_("whoever runs the addresses that you gave as webhooks"))
ON_ITS_PAGE = _("While a model exists, it is on its job’s page.")

HELD = [
    Holding(
        "bytes",
        _("The bytes of photos and 3D models"),
        Section.PHOTOS,
        why=_("To make the model that you asked for, and to hand it to you. They lie sealed, each under its own key."),
        basis=Basis.CONTRACT,
        keeps="asset",
        items=(
            Item("upload", _("A photo as it arrived"), withheld=ON_ITS_PAGE, keeps="upload"),
            Item(
                "source",
                _("A photo without its tags, and the object cut out of it"),
                withheld=ON_ITS_PAGE,
                keeps="source",
                receives=(PROVIDERS,),
            ),
            Item("raw_mesh", _("What a provider made of it"), withheld=ON_ITS_PAGE, keeps="raw_mesh"),
            Item(
                "asset",
                _("Your 3D model, until you have saved it, or as long as you chose"),
                withheld=ON_ITS_PAGE,
                keeps="asset",
            ),
        ),
    ),
    Holding(
        "repeats",
        _("What was sent with an Idempotency-Key"),
        Section.JOBS,
        why=_("To tell a repeat of a request from another one under the same key."),
        basis=Basis.CONTRACT,
        keeps="repeat",
        items=(
            Item(
                "fingerprints",
                _("A keyed digest of photos and choices, in memory; nothing can be read from it, not even by us"),
                withheld=_("It is gone before it could tell you anything."),
            ),
        ),
    ),
    Holding(
        "generation.Job",
        _("Jobs"),
        Section.JOBS,
        why=_("To make your model, to show you how far it is, and afterwards as your history."),
        basis=Basis.CONTRACT,
        keeps="history",
        whose="owner",
        items=(
            Item("id owner request_key", _("Numbers: its own, your account’s, the form’s")),
            Item("stage outcome failure warnings", _("How far it is, how it ended, and what went wrong")),
            Item("quality keep_minutes provider_wish options", _("What you chose"), receives=(PROVIDERS,)),
            Item("restrictions", _("Who may not get its photos")),
            Item("access_key direct", _("The access key that sent it, and whether the model was the answer at once")),
            Item("provider waiting percent", _("Who makes it, how far they are, or why nobody has it yet")),
            Item(
                "queue due_at deadline_at lease_id lease_until nudged_at stage_tries",
                _("How our machines share the work: which takes it, when, until when"),
            ),
            Item("sources raw_mesh_id asset_id", _("Random numbers of its photos and its model, while they exist")),
            Item("credits charged", _("What it costs, and whether it was paid")),
            Item(
                "asset_bytes triangles size_x size_y size_z watertight",
                _("Figures of the finished model: bytes, triangles, outer size, whether it is closed"),
            ),
            Item(
                "created_at ready_at acknowledged_at asset_expires_at finished_at cancel_requested_at",
                _("When it came, was ready, was saved, had to go, was over; when you cancelled it"),
            ),
            Item("receipt_id", _("The number of its receipt")),
        ),
    ),
    Holding(
        "generation.JobSum",
        _("Sums of your jobs, by day"),
        Section.JOBS,
        why=_("To show you how much you used without counting all your jobs again."),
        basis=Basis.CONTRACT,
        keeps="history",
        whose="owner",
        items=(
            Item("id owner access_key", _("Numbers: its own, your account’s, the key’s")),
            Item("day provider", _("One day’s jobs of a provider")),
            Item("jobs done failed credits model_bytes", _("How many they were, how they ended, what they came to")),
        ),
    ),
    Holding(
        "generation.Attempt",
        _("Who was asked to make a model"),
        Section.JOBS,
        why=_("To follow a call to its end, to have it erased there, and to name on the receipt who had the photo."),
        basis=Basis.CONTRACT,
        keeps="history",
        whose="job__owner",
        items=(
            Item("id job number", _("Numbers: its own, the job’s, and which try it was")),
            Item("provider state failure", _("Which provider, and what became of it")),
            Item("key", _("A random number that keeps a provider from doing it twice"), receives=(PROVIDERS,)),
            Item("remote_id", _("The provider’s number for the call"), keeps="remote_call", receives=(PROVIDERS,)),
            Item(
                "remote",
                _("What else the provider gave us to find the call again"),
                keeps="remote_call",
                withheld=_("It can hold addresses at which the provider lets anybody in who has them."),
            ),
            Item("slot polls erase_tries", _("Its place in the queue there, and how often we asked")),
            Item("erasure", _("What the provider answered when we had it erased")),
            Item("started_at ended_at", _("When it began and ended")),
        ),
    ),
    Holding(
        "generation.Event",
        _("The course of a job"),
        Section.JOBS,
        why=_("To show when each stage was reached."),
        basis=Basis.CONTRACT,
        keeps="history",
        whose="job__owner",
        items=(
            Item("id job attempt", _("Numbers: its own, the job’s, the attempt’s")),
            Item("at code provider", _("When what happened, and at whom")),
        ),
    ),
    Holding(
        "generation.ProcessingLimits",
        _("Who may not receive your photos"),
        Section.JOBS,
        why=_("To keep your photos from whom you ruled out."),
        basis=Basis.CONTRACT,
        keeps="account",
        whose="owner",
        items=(
            Item("id owner", _("Numbers: its own, and your account’s")),
            Item("restrictions", _("What you chose")),
        ),
    ),
    Holding(
        "generation.Webhook",
        _("Webhooks"),
        Section.JOBS,
        why=_("To tell programs of yours what becomes of your jobs."),
        basis=Basis.CONTRACT,
        keeps="account",
        whose="owner",
        items=(
            Item("id owner", _("Numbers: its own, and your account’s")),
            Item("url description kinds", _("The address, what you called it, and what it is told of")),
            Item(
                "secret old_secret",
                _("What its requests are signed with, and were before; encrypted"),
                withheld=_("Whoever has it could send your program what looks like ours."),
            ),
            Item("old_until", _("Until when the secret before signs, too")),
            Item("enabled off_because created_at", _("Whether it is on, or why we switched it off; when you made it")),
            Item("failures failing_since", _("How often it failed since it last took something, and since when")),
            Item(
                "lease_id lease_until nudged_at", _("How our machines share the work: which speaks to it, until when")
            ),
        ),
    ),
    Holding(
        "generation.Notification",
        _("What webhooks are told"),
        Section.JOBS,
        why=_("To tell it until it is taken, and to show you that it was."),
        basis=Basis.CONTRACT,
        keeps="webhook_log",
        whose="owner",
        items=(
            Item("id owner", _("Numbers: its own, and your account’s")),
            Item(
                "message job kind at",
                _("A number by which a repeat is known; which job, what happened to it, and when"),
                receives=(PROGRAMS,),
            ),
        ),
    ),
    Holding(
        "generation.Delivery",
        _("How webhooks were told"),
        Section.JOBS,
        why=_("To try again, and to show you what failed."),
        basis=Basis.CONTRACT,
        keeps="webhook_log",
        whose="webhook__owner",
        items=(
            Item("id webhook notification", _("Numbers: its own, the webhook’s, and of what is told")),
            Item("state attempts due_at tried_at delivered_at", _("How far it is, how often and when it was tried")),
            Item("status failure milliseconds", _("What the last try got for an answer, and how long that took")),
        ),
    ),
]

OLDER: dict[str, Callable[[datetime], QuerySet[Any]]] = {
    "remote_call": forgetting.remote_calls,
    "webhook_log": forgetting.notifications,
}


def groups(person: Person) -> QuerySet[Any, UUID]:
    """A job's blobs and receipt go by the job's id."""
    return Job.objects.filter(owner=person.pk).values_list("pk", flat=True)
