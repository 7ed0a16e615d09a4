"""How long each thing may be kept: one table of periods. Nothing else in the code says so.

A period has a name, by which the data map (``privacy/datamap.py``) and the code that enforces it go; its ``longest``;
and ``by``, the dotted name of the function or task that enforces it. Where nothing but an event ends it, ``longest`` is
``None`` and ``counted`` says which event. ``manage.py audit_retention`` asks for each enforced period whether anything
is older (``privacy/audit.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from django.utils.translation import ngettext

Words = str | Promise
"""What people read: text, or text that is translated when it is read."""

EVERY_ROUND = timedelta(minutes=30)
"""What a sweep of every ten minutes may take to come by, and to be late for."""
EVERY_NIGHT = timedelta(days=2)
"""The same for one that runs nightly."""


@dataclass(frozen=True, kw_only=True)
class Period:
    """The longest that one kind of thing may be kept, what that covers, and what enforces it."""

    name: str
    covers: Words
    longest: timedelta | None
    counted: Words
    """Goes on after the length ("10 minutes after it arrived"); without a length it says until when."""
    by: str = ""
    """Dotted name of what enforces it; empty where nothing runs by the clock."""
    grace: timedelta = timedelta(0)
    """How much later than ``longest`` whatever enforces it may come by; only then is something too old."""

    @property
    def words(self) -> str:
        """The period as people read it."""
        if self.longest is None:
            return str(self.counted)
        return _("{length} {counted}").format(length=length(self.longest), counted=self.counted)


AFTER_IT_CAME = later("after it came, at most")


@dataclass(frozen=True, kw_only=True)
class BlobPeriod(Period):
    """A period of sealed bytes, which the vault takes as a kind of blob."""

    longest: timedelta
    counted: Words = AFTER_IT_CAME
    by: str = "privacy.tasks.sweep"
    grace: timedelta = timedelta(seconds=60)

    @property
    def lifetime(self) -> str:
        """``longest`` as the first part of an object's name, which bucket lifecycle rules go by: ``10m``, ``26h``."""
        minutes = int(self.longest.total_seconds() // 60)
        return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"


def years(count: int) -> timedelta:
    """So many years, wherever they begin: with as many leap days as they can have."""
    return timedelta(days=365 * count + (count + 3) // 4)


def length(span: timedelta) -> str:
    """A length in words, in the largest unit that says it exactly."""
    minutes = int(span.total_seconds() // 60)
    days = minutes // 1440
    if minutes % 1440 == 0 and days and span in (days // 365 * timedelta(days=365), years(days // 365)):
        return ngettext("{n} year", "{n} years", days // 365).format(n=days // 365)
    if minutes % 1440 == 0 and days:
        return ngettext("{n} day", "{n} days", days).format(n=days)
    if minutes % 60 == 0 and minutes:
        return ngettext("{n} hour", "{n} hours", minutes // 60).format(n=minutes // 60)
    return ngettext("{n} minute", "{n} minutes", minutes).format(n=minutes)


PERIODS: dict[str, Period] = {
    period.name: period
    for period in (
        # Sealed bytes
        BlobPeriod(
            name="upload",
            covers=later("a photo as it arrived, until its form has been answered"),
            longest=timedelta(minutes=10),
        ),
        BlobPeriod(
            name="source",
            covers=later("a decoded photo without tags, until its mesh is accepted"),
            longest=timedelta(minutes=60),
        ),
        BlobPeriod(
            name="raw_mesh",
            covers=later("a provider’s mesh, until it has been inspected"),
            longest=timedelta(minutes=60),
        ),
        BlobPeriod(
            name="asset",
            covers=later("the finished 3D model; its owner chooses up to 24 h of waiting"),
            longest=timedelta(hours=26),
        ),
        Period(
            name="key",
            covers=later("the key of sealed bytes; it dies by itself even if everything else has crashed"),
            longest=timedelta(minutes=5),
            counted=later("after the time of its bytes, at most"),
            by="privacy.keystore.put",
        ),
        Period(
            name="interrupted",
            covers=later("sealed bytes whose writing was broken off"),
            longest=timedelta(minutes=10),
            counted=later("after the first byte"),
            by="privacy.tasks.sweep",
            grace=timedelta(seconds=60),
        ),
        Period(
            name="stray",
            covers=later("the note that sealed bytes were destroyed which became part of no job’s receipt"),
            longest=timedelta(days=90),
            counted=later("after they were destroyed"),
            by="privacy.tasks.forget",
            grace=EVERY_ROUND,
        ),
        # People and how they sign in
        Period(
            name="session",
            covers=later("a session, with the address and browser noted beside it"),
            longest=timedelta(days=14),
            counted=later("after its last change, or until you sign out"),
            by="accounts.tasks.forget",
            grace=EVERY_ROUND,
        ),
        Period(
            name="sign_in",
            covers=later("a sign-in, sign-up or new password that was begun: the address, the code that was mailed"),
            longest=timedelta(hours=1),
            counted=later("after the last step"),
            by="accounts.tasks.forget",
            grace=EVERY_ROUND,
        ),
        Period(
            name="unconfirmed",
            covers=later("a new account whose address nobody confirmed: it may belong to somebody who never asked"),
            longest=timedelta(days=1),
            counted=later("after signing up"),
            by="accounts.tasks.forget",
            grace=EVERY_ROUND,
        ),
        Period(
            name="confirmation",
            covers=later("a link that confirms an address"),
            longest=timedelta(days=3),
            counted=later("after it was made"),
            by="accounts.tasks.forget",
            grace=EVERY_ROUND,
        ),
        Period(
            name="operator_log",
            covers=later("what an operator did on the operators’ pages"),
            longest=timedelta(days=365),
            counted=later("after it was done"),
            by="accounts.tasks.forget",
            grace=EVERY_ROUND,
        ),
        Period(
            name="security_log",
            covers=later("a change of one of your access keys or webhooks"),
            longest=timedelta(days=365),
            counted=later("after it"),
            by="accounts.tasks.forget",
            grace=EVERY_ROUND,
        ),
        Period(
            name="request_log",
            covers=later("a call that one of your programs made"),
            longest=timedelta(days=30),
            counted=later("after it"),
            by="accounts.tasks.forget",
            grace=EVERY_ROUND,
        ),
        Period(
            name="rate_limit",
            covers=later("counters against too many tries, by network address, account or digest of an e-mail address"),
            longest=timedelta(hours=1),
            counted=later("after the last try"),
            by="allauth.core.internal.ratelimit.consume",
        ),
        # Requests about one's data
        Period(
            name="unconfirmed_request",
            covers=later("a request from an address that nobody confirmed: it may belong to somebody who never asked"),
            longest=timedelta(days=3),
            counted=later("after it was sent"),
            by="privacy.tasks.forget",
            grace=EVERY_ROUND,
        ),
        Period(
            name="request_text",
            covers=later("what was written about a request, and the address it came from"),
            longest=timedelta(days=90),
            counted=later("after it was closed"),
            by="privacy.tasks.forget",
            grace=EVERY_ROUND,
        ),
        Period(
            name="request",
            covers=later("that a request was made and how it ended; California asks for 24 months"),
            longest=timedelta(days=750),
            counted=later("after it was closed"),
            by="privacy.tasks.forget",
            grace=EVERY_ROUND,
        ),
        # Jobs
        Period(
            name="remote_call",
            covers=later("by what a finished job’s call is found at its provider"),
            longest=timedelta(days=90),
            counted=later("after the call ended"),
            by="generation.tasks.forget",
            grace=EVERY_NIGHT,
        ),
        Period(
            name="webhook_log",
            covers=later("what a webhook of yours was told of a job, or is still to be told, and how that went"),
            longest=timedelta(days=30),
            counted=later("after it happened"),
            by="generation.tasks.forget",
            grace=EVERY_NIGHT,
        ),
        Period(
            name="repeat",
            covers=later("a fingerprint of what was sent with an Idempotency-Key, in memory"),
            longest=timedelta(days=1),
            counted=later("after it was sent first"),
            by="generation.idempotency.remember",
        ),
        # Buying
        Period(
            name="stripe_event",
            covers=later("what Stripe told us: which of its objects to look at"),
            longest=timedelta(days=90),
            counted=later("after it was acted on"),
            by="billing.webhooks.forget",
            grace=EVERY_NIGHT,
        ),
        Period(
            name="unpaid_order",
            covers=later("a purchase that was begun and came to nothing"),
            longest=timedelta(days=90),
            counted=later("after it was begun"),
            by="billing.forgetting.forget",
            grace=EVERY_NIGHT,
        ),
        Period(
            name="books",
            covers=later("lines of the ledger, payments and what they rest on, of an account that was erased"),
            longest=years(10),
            counted=later("after the end of the year in which an erased account last moved a credit or paid"),
            by="billing.forgetting.forget",
            grace=EVERY_NIGHT,
        ),
        Period(
            name="certificate",
            covers=later("the certificate of an erasure, which names nobody, and what was counted for it"),
            longest=years(12),
            counted=later("after the erasure, so that it outlasts the books that it lists"),
            by="privacy.tasks.forget",
            grace=EVERY_ROUND,
        ),
        # What only an event ends
        Period(
            name="account",
            covers=later("addresses, ways to sign in, and choices"),
            longest=None,
            counted=later("until you change or remove it, else as long as your account exists"),
        ),
        Period(
            name="history",
            covers=later(
                "the account itself, and the metadata and receipts of its jobs: nothing of what a photo shows"
            ),
            longest=None,
            counted=later("as long as your account exists"),
        ),
        Period(
            name="site",
            covers=later("what the program is made of; nothing about people"),
            longest=None,
            counted=later("as long as the site runs"),
        ),
    )
}

RETENTION: dict[str, BlobPeriod] = {name: one for name, one in PERIODS.items() if isinstance(one, BlobPeriod)}
"""The kinds of sealed bytes."""


def longest(name: str) -> timedelta:
    """The length of a period that has one."""
    span = PERIODS[name].longest
    assert span is not None
    return span


KEY_MARGIN = longest("key")
"""A key dies by itself this long after its blob should have been destroyed, even if everything else has crashed."""

LONGEST_WRITE = longest("interrupted")
"""A write that has not ended after this long is taken for interrupted."""

SWEEP_GRACE = PERIODS["interrupted"].grace
"""What the sweep may take to come by: a blob is overdue for the audit only after it."""
