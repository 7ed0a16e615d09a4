"""What is held about stored bytes: their keys, the vault's rows, receipts; and what logs hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from privacy import datamap
from privacy.datamap import Basis, Erasure, Holding, Item, Section
from privacy.models import Blob
from privacy.models import Erasure as ErasureRow
from privacy.requests import subject_data as requests
from privacy.retention import RETENTION

HELD = [
    Holding(
        "keys",
        _("Keys of sealed bytes"),
        Section.PHOTOS,
        why=_("Without its key, sealed bytes are noise. Keys are in memory only, never on a disk or in a backup."),
        basis=Basis.CONTRACT,
        keeps="key",
        items=(
            Item("key", _("One random key for each photo and each model"), withheld=_("It would open what it seals.")),
        ),
    ),
    Holding(
        "privacy.Blob",
        _("Notes about sealed bytes"),
        Section.PHOTOS,
        why=_("To find what has to be destroyed, and to say on your receipt what was. Nothing in them shows a photo."),
        basis=Basis.CONTRACT,
        keeps="history",
        whose=datamap.in_groups,
        items=(
            Item("id group", _("Random numbers: its own, and your job’s")),
            Item("kind state", _("What it is (photo, model), and whether it still exists")),
            Item("object_name", _("A random name under which it lies or lay")),
            Item("master_key_id", _("The name of the key that wrapped its key")),
            Item("plain_size sealed_size", _("How many bytes it has or had")),
            Item("sealed_sha256", _("A digest of the sealed bytes; without the key it says nothing about the photo")),
            Item("created_at expires_at destroyed_at", _("When it came, when it had to go, when it went")),
            Item("observation", _("What we saw when we destroyed it")),
        ),
    ),
    Holding(
        "privacy.Receipt",
        _("Receipts"),
        Section.JOBS,
        why=_("To hold us to what we destroyed. They name the job, never you."),
        basis=Basis.CONTRACT,
        keeps="history",
        whose=datamap.in_groups,
        items=(
            Item("id group", _("Random numbers: its own, and your job’s")),
            Item("issued_at key_id", _("When it was signed, and by which of our keys")),
            Item("document", _("The receipt: what was destroyed, when, and who had received the photo")),
            Item("log_index", _("Its place in the public log")),
            Item("log_salt", _("A random number that makes its leaf there, so that the log says nothing about it")),
        ),
    ),
    Holding(
        "privacy.Erasure",
        _("An erasure of your account"),
        Section.ACCOUNT,
        why=_("To erase your account when you ask for it, and to show afterwards what went and what stays."),
        basis=Basis.LEGAL,
        keeps="certificate",
        whose="account",
        erasure=Erasure.LOOSE,
        items=(
            Item("id", _("A random number")),
            Item("account", _("Your account’s number, until it is erased")),
            Item(
                "token",
                _("What opens its page without signing in, until it is done"),
                withheld=_("Whoever has it can read the page; it was mailed to you."),
                erasure=Erasure.ERASED,
            ),
            Item("token_digest", _("A digest of that, to find the page by"), withheld=_("It says nothing to anybody.")),
            Item("requested_at runs_at mailed_at done_at", _("When you asked, when it begins, when it was done")),
            Item("state due_at lease_id lease_until tries error closed", _("How far it is, and what went wrong")),
            Item("elsewhere erased", _("What became of copies at others; how many rows went from which table")),
        ),
    ),
    Holding(
        "privacy.LogNode",
        _("The public log of receipts"),
        Section.NOBODY,
        why=_("So that a receipt cannot be taken back or written later. It holds digests of random numbers, no names."),
        basis=Basis.NONE,
        keeps="site",
        items=(Item("number hash", _("A place in the log, and a digest"), withheld=_("Everybody can read it.")),),
        erasure=Erasure.UNTOUCHED,
    ),
    Holding(
        "privacy.BlobHour",
        _("Counts of destroyed files, by hour"),
        Section.NOBODY,
        why=_("To say how many there were without counting all of them again."),
        basis=Basis.NONE,
        keeps="site",
        items=(
            Item(
                "id hour total strays_gone",
                _("How many in which hour, and whether its old notes are gone"),
                withheld=_("It is about nobody."),
            ),
        ),
        erasure=Erasure.UNTOUCHED,
    ),
    Holding(
        "privacy.LogHead",
        _("The log’s signed heads"),
        Section.NOBODY,
        why=_("To say what the log was at a time, so that others can hold us to it."),
        basis=Basis.NONE,
        keeps="site",
        items=(
            Item(
                "id size signed_at key_id document",
                _("How long the log was, when, and our signature"),
                withheld=_("Everybody can read it."),
            ),
        ),
        erasure=Erasure.UNTOUCHED,
    ),
    Holding(
        "logs",
        _("Logs of the servers"),
        Section.NOBODY,
        why=_("To see what goes wrong. No addresses, no names, no access log: times, codes, random numbers of jobs."),
        basis=Basis.NONE,
        keeps="site",
        items=(Item("lines", _("What happened in which part of the program")),),
        erasure=Erasure.UNTOUCHED,
    ),
    *requests.HELD,
]


def _open(kind: str) -> Callable[[datetime], QuerySet[Any]]:
    return lambda before: Blob.objects.open().filter(kind=kind, created_at__lt=before)


OLDER: dict[str, Callable[[datetime], QuerySet[Any]]] = {
    **{kind: _open(kind) for kind in RETENTION},
    "stray": lambda before: Blob.objects.strays().filter(destroyed_at__lt=before),
    **requests.OLDER,
    "certificate": lambda before: ErasureRow.objects.filter(done_at__lt=before),
}
