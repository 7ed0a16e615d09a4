"""What a provider's card says, in words: how long it keeps a photo, whether it learns from it, what it costs.

A promise and its exception are told alike: each statement says whether it is one that a person has to know before
choosing (``warn``), and a card that does not say something is never given the benefit of the doubt.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generation import choices
from generation.offering import Quote
from generation.provider import QUALITIES, VIEWS, Card
from generation.wording import ended, said

register = template.Library()
register.filter("said", said)

MINUTE, HOUR, DAY = 60, 3600, 86400
LONGEST_IN_SECONDS = 90


@dataclass(frozen=True)
class Statement:
    """One sentence about a provider; ``warn``: it limits what we promise."""

    text: str
    warn: bool = False


@dataclass(frozen=True)
class Price:
    """What one quality costs and takes; ``label`` is the quality's."""

    quality: str
    label: str
    credits: int
    seconds: float


def period(length: timedelta) -> str:
    """A time as people say it: “3 days”, “90 minutes”; the largest unit that says it exactly."""
    seconds = int(length.total_seconds())
    if seconds and seconds % DAY == 0:
        return ngettext("%(n)d day", "%(n)d days", seconds // DAY) % {"n": seconds // DAY}
    if seconds and seconds % HOUR == 0:
        return ngettext("%(n)d hour", "%(n)d hours", seconds // HOUR) % {"n": seconds // HOUR}
    if seconds and seconds % MINUTE == 0:
        return ngettext("%(n)d minute", "%(n)d minutes", seconds // MINUTE) % {"n": seconds // MINUTE}
    return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}


@register.filter
def keeps(card: Card) -> str:
    """How long it keeps a photo, as a word on a slip: ``keeps 0 s``, ``keeps ≤ 3 d``."""
    if card.keeps is None:
        return _("keeps until swept") if card.self_hosted else _("keeps: not said")
    seconds = int(card.keeps.total_seconds())
    for unit, length in (("d", DAY), ("h", HOUR), ("min", MINUTE)):
        if seconds and seconds % length == 0:
            return _("keeps ≤ %(n)d %(unit)s") % {"n": seconds // length, "unit": unit}
    return _("keeps ≤ %(n)d s") % {"n": seconds} if seconds else _("keeps 0 s")


@register.filter
def keeping(card: Card) -> Statement:
    """How long it keeps a photo, as a sentence."""
    if card.keeps is None and card.self_hosted:
        return Statement(_("Keeps what it made until its operator’s sweeper removes it."), warn=True)
    if card.keeps is None:
        return Statement(_("Does not say how long it keeps what it gets."), warn=True)
    if not card.keeps:
        return Statement(_("Keeps nothing once the model is there."))
    return Statement(_("Keeps what it gets for up to %(period)s.") % {"period": period(card.keeps)}, warn=True)


@register.filter
def training(card: Card) -> str:
    """Whether it learns from photos, as words on a choice; empty where it says that it does not."""
    if card.trains_on_input is None:
        return _("does not say whether it trains on photos")
    return _("may train on your photo") if card.trains_on_input else ""


@register.filter
def statements(card: Card) -> list[Statement]:
    """What becomes of a photo there, in full: where it goes, how long it is kept, deletion, training, terms."""
    found = []
    if card.self_hosted:
        found.append(Statement(_("Runs on this site’s own machines; the photo goes to no other company.")))
    else:
        company = said(card.operator or card.label)
        goes = _("The photo goes to another company: %(company)s.") % {"company": company}
        found.append(Statement(ended(goes), warn=True))
    if card.region == "":
        found.append(Statement(_("Does not say in which country it works."), warn=True))
    found.append(keeping(card))
    if card.keeps != timedelta(0):
        if card.can_erase:
            found.append(Statement(_("Deletes a job’s files when we ask, and we ask as soon as the job is over.")))
        else:
            found.append(Statement(_("Offers no way to delete what it got."), warn=True))
    if card.trains_on_input is None:
        found.append(Statement(_("Does not say whether it learns from photos."), warn=True))
    elif card.trains_on_input:
        found.append(Statement(_("May learn from photos."), warn=True))
    else:
        found.append(Statement(_("Learns nothing from photos.")))
    if card.licence:
        found.append(Statement(said(card.licence), warn=True))
    return found


@register.filter
def prices(card: Card) -> list[Price]:
    """What it makes, by quality, in the order of the form."""
    labels = dict(choices.QUALITIES)
    return [
        Price(quality, str(labels[quality]), card.credits[quality], card.typical_seconds.get(quality, 0))
        for quality in QUALITIES
        if quality in card.credits
    ]


@register.filter
def costs(card: Card) -> str:
    """All its prices in a line: “draft 6, standard 10, fine 12 credits”."""
    found = prices(card)
    listed = ", ".join(f"{price.label.lower()} {price.credits}" for price in found)
    return ngettext("%(prices)s credit", "%(prices)s credits", found[-1].credits if len(found) == 1 else 2) % {
        "prices": listed
    }


@register.filter
def about(seconds: float | None) -> str:
    """How long a job takes, roughly: “about 40 s”, “about 3 min”; empty where nobody says."""
    if not seconds:
        return ""
    if seconds <= LONGEST_IN_SECONDS:
        return _("about %(n)d\u00a0s") % {"n": round(seconds)}
    return _("about %(n)d\u00a0min") % {"n": round(seconds / MINUTE)}


@register.filter
def lasts(quote: Quote) -> str:
    """How long a job takes: “usually 8–12 s” as measured lately, or else as the provider says."""
    if quote.usual is None:
        return about(quote.seconds)
    least, most = quote.usual
    if most > LONGEST_IN_SECONDS:
        least, most = max(1, round(least / MINUTE)), round(most / MINUTE)
        if least == most:
            return about(most * MINUTE)
        return _("usually %(least)d–%(most)d\u00a0min") % {"least": least, "most": most}
    return about(most) if least == most else _("usually %(least)d–%(most)d\u00a0s") % {"least": least, "most": most}


@register.filter
def takes(card: Card) -> str:
    """The photos it takes of one object: “the front, the back, from the left”."""
    return ", ".join(str(choices.VIEWS[view]) for view in VIEWS if view in card.views)


@register.filter
def honours(card: Card) -> str:
    """The options it honours, as on the form; those that we do ourselves work with each provider."""
    return ", ".join(str(label) for name, label in choices.OPTIONS.items() if name in card.options)


@register.filter
def files(card: Card) -> str:
    """The kinds of file it makes: “FBX, GLB”."""
    return ", ".join(sorted(name.upper() for name in card.formats))
