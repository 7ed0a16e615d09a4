"""From a sealed upload to a job: the photo is decoded, stripped and sealed anew before any row says "job".

A photo that cannot be used is refused at once, with a sentence that says what to do, and leaves no row and no blob.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import AccessKey, User
from billing import ledger
from generation import choices, health, images, key_limits, pipeline
from generation.dispatching import PROVIDER_DEADLINE
from generation.failures import FAILURES
from generation.models import Event, Job, ProcessingLimits
from generation.options import JobOptions
from generation.provider import VIEWS
from generation.restrictions import Restrictions
from generation.routing import Wants, hindrance, rank, unmet
from privacy import vault

MAX_OPEN_JOBS = 20
"""Jobs of one account that may run at the same time."""

FRONT = frozenset({"front"})

STORE_DOWN = gettext_lazy("Our storage does not answer just now. Nothing was kept or charged; try again in a minute.")

ABSENT = gettext_lazy("No provider offers this. Choose another quality or provider.")

CLOSED = gettext_lazy("This account is switched off. The photo is destroyed, and nothing was charged.")

BUY = gettext_lazy("The Pricing page has more.")
ASK = gettext_lazy("Nothing is for sale on this site: ask whoever runs it.")

HINDRANCES = {
    "format": ("format_not_offered", gettext_lazy("No provider here makes %(format)s files. Choose GLB.")),
    "views": (
        "views_not_offered",
        gettext_lazy("No provider here takes these photos together. Send the front alone, or choose another provider."),
    ),
    "max_credits": ("too_expensive", gettext_lazy("Nothing is to be had for %(credits)d credits or fewer.")),
    "restrictions": (
        "restricted",
        gettext_lazy(
            "Your limits on who may receive a photo leave no provider for this. "
            "Change the choice, or the limits on your account page."
        ),
    ),
}
"""What to say when one wish stands in the way (``routing.hindrance``): a code and a sentence."""

LIMITS = ledger.InsufficientCredits | ledger.LimitReached | key_limits.KeyLimitReached

# Decoding takes a core and some hundred megabytes; a crowd of uploads waits its turn.
_decoders = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class Wishes:
    """What the owner chose; ``provider`` empty: the router chooses."""

    quality: str
    keep_minutes: int
    provider: str = ""
    options: JobOptions = field(default_factory=JobOptions)
    restrictions: Restrictions = field(default_factory=Restrictions)
    most_credits: int | None = None
    """What the job may cost at most; ``None``: whatever the best offer costs."""


class NotAccepted(Exception):
    """The job cannot be taken; ``code`` for programs, ``message`` for people. The photo is destroyed already."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


def price(wishes: Wishes, *, views: frozenset[str] = FRONT, limits: Restrictions | None = None) -> int:
    """Credits to hold: what the best offer costs; the router then keeps to offers that cost no more.

    ``limits`` are the account's. Raises ``NotAccepted`` when no provider offers what is wished for; the wish that is
    to blame is named, as far as giving up that one alone would help.
    """
    wants = Wants(
        quality=wishes.quality,
        max_credits=2**31 if wishes.most_credits is None else wishes.most_credits,
        provider=wishes.provider,
        options=wishes.options.asked_of_provider(),
        format=wishes.options.format,
        views=views,
        restrictions=wishes.restrictions & (limits or Restrictions()),
    )
    offers = health.offers()
    cards = rank(wants, [offer for offer in offers if not offer.health.misconfigured])
    if cards:
        return cards[0].credits[wishes.quality]
    if rank(wants, offers):
        raise NotAccepted("no_provider", str(FAILURES["provider_misconfigured"]))
    blamed = hindrance(wants, offers)
    if blamed == "options":
        raise NotAccepted("option_not_offered", _not_offered(unmet(wants, offers), named=bool(wishes.provider)))
    # Asking again later helps only where a provider may come back, not where none ever did all of this.
    code, sentence = HINDRANCES.get(blamed, ("nothing_offered" if offers else "no_provider", ABSENT))
    raise NotAccepted(code, str(sentence) % {"format": wishes.options.format.upper(), "credits": wishes.most_credits})


def _not_offered(missing: frozenset[str], *, named: bool) -> str:
    if named:
        sentence = _("This provider does not offer %(options)s. Choose another one, or do without.")
    else:
        sentence = _("No provider here offers %(options)s. Do without, and send the photo again.")
    return sentence % {"options": choices.named(missing)}


def receive(
    *,
    owner: User,
    uploads: Mapping[str, vault.Known],
    wishes: Wishes,
    request_key: UUID | None,
    access_key: AccessKey | None = None,
    direct: bool = False,
    job_id: UUID | None = None,
) -> Job:
    """Take sealed uploads, by view, in as a job with its credits held.

    Sending the same ``request_key`` again returns the first job, which then has not ``job_id``; without one, each time
    is the first. Raises ``NotAccepted``; the uploads are gone then.
    """
    job_id = job_id or uuid4()
    try:
        existing = _earlier(owner, request_key)
        if existing is not None:
            for upload in uploads.values():
                vault.discard(upload)
            return existing
        credits = price(wishes, views=frozenset(uploads), limits=ProcessingLimits.of(owner.pk))
        _check_means(owner, credits)
        sources = {view: str(_normalised(uploads[view], job_id)) for view in VIEWS if view in uploads}
        with transaction.atomic():
            if not User.objects.filter(pk=owner.pk, is_active=True).exists():
                raise NotAccepted("account_closed", str(CLOSED))  # erased while the photo was under way
            now = timezone.now()
            job = Job.objects.create(
                id=job_id,
                owner=owner,
                request_key=request_key or uuid4(),
                quality=wishes.quality,
                keep_minutes=wishes.keep_minutes,
                provider_wish=wishes.provider,
                options=wishes.options.stored(),
                restrictions=wishes.restrictions.stored(),
                access_key=access_key,
                direct=direct,
                credits=credits,
                sources=sources,
                created_at=now,
                due_at=Now(),  # by whose clock it is claimed, too
                nudged_at=Now(),  # by the message that ``enqueue`` sends
                deadline_at=now + PROVIDER_DEADLINE,
            )
            ledger.hold(user=owner, credits=credits, job=job.pk, new=True)
            key_limits.check(job)
            Event.record(job, "received")
            pipeline.enqueue(job)
        return job
    except BaseException as error:
        _discard(job_id, uploads.values())
        if isinstance(error, IntegrityError | NotAccepted | LIMITS):
            # The same form at the same time: the other one was quicker, and may have taken the last credit.
            twin = _earlier(owner, request_key)
            if twin is not None:
                return twin
        match error:
            case images.Refused():
                raise NotAccepted(error.code, str(error.message)) from None
            case ledger.InsufficientCredits():
                raise _too_few(credits) from None
            case ledger.LimitReached():
                raise _past_limit(error) from None
            case key_limits.KeyLimitReached():
                raise _past_key_limit(error) from None
            case vault.Unavailable():
                raise NotAccepted("unavailable", str(STORE_DOWN)) from None
            case vault.VaultError():
                raise NotAccepted("not_kept", _("The photo did not arrive whole. Please send it again.")) from None
        raise


def _earlier(owner: User, request_key: UUID | None) -> Job | None:
    """The job that this very request has made already."""
    return Job.objects.filter(owner=owner, request_key=request_key).first() if request_key else None


def _normalised(upload: vault.Known, job_id: UUID) -> UUID:
    """The photo decoded, stripped and sealed anew as a source of the job; the upload is destroyed."""
    with _decoders:
        picture = images.normalise(vault.read(upload))
    source = vault.seal([picture.data], kind="source", group=job_id, limit=images.OUTPUT_LIMIT)
    del picture
    vault.destroy(upload, adopted_by=job_id)
    return source.pk


def _check_means(owner: User, credits: int) -> None:
    if ledger.balance(owner).available < credits:
        raise _too_few(credits)
    if owner.jobs.exclude(stage=Job.Stage.OVER).exclude(stage=Job.Stage.DELIVER).count() >= MAX_OPEN_JOBS:
        raise NotAccepted(
            "too_many_jobs", _("You have %(most)d jobs running. Wait until one of them ends.") % {"most": MAX_OPEN_JOBS}
        )


def _too_few(credits: int) -> NotAccepted:
    sentence = ngettext(
        "This takes %(n)d credit, and you have fewer. Nothing was charged.",
        "This takes %(n)d credits, and you have fewer. Nothing was charged.",
        credits,
    ) % {"n": credits}
    return NotAccepted("insufficient_credits", f"{sentence} {BUY if settings.BILLING else ASK}")


def _past_limit(reached: ledger.LimitReached) -> NotAccepted:
    sentence = _(
        "Your own limit of %(limit)d credits a month leaves %(left)d, and this takes more. Nothing was charged. "
        "Raise the limit on your Credits page, or wait for next month."
    )
    return NotAccepted("spending_limit", sentence % {"limit": reached.limit, "left": reached.left})


def _past_key_limit(reached: key_limits.KeyLimitReached) -> NotAccepted:
    sentence = _(
        "This access key's limit of %(limit)d credits a month leaves %(left)d, and this takes more. Nothing was "
        "charged. Raise the limit on the key's page, or wait for next month."
    )
    return NotAccepted("key_limit", sentence % {"limit": reached.limit, "left": reached.left})


def _discard(job_id: UUID, uploads: Iterable[vault.Known]) -> None:
    """Leave nothing of photos that were not taken in."""
    for blob in vault.blobs(job_id):
        vault.discard(blob)
    for upload in uploads:
        vault.discard(upload)
