"""What can be asked about one's data, under which law, and where it is to be had at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import models
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from privacy.retention import Words


class Right(models.TextChoices):
    """What is asked."""

    ACCESS = "access", _("See what is held about me")
    PORTABILITY = "portability", _("Take my data with me")
    CORRECTION = "correction", _("Have something corrected")
    DELETION = "deletion", _("Have my data deleted")
    OBJECTION = "objection", _("Object to a use of my data")
    RESTRICTION = "restriction", _("Restrict what is done with my data")
    OPT_OUT = "opt_out", _("Opt out of sale and sharing")


NAMES: Final[dict[str, Words]] = {
    Right.ACCESS: _("access"),
    Right.PORTABILITY: _("portability"),
    Right.CORRECTION: _("correction"),
    Right.DELETION: _("deletion"),
    Right.OBJECTION: _("objection"),
    Right.RESTRICTION: _("restriction"),
    Right.OPT_OUT: _("opt-out"),
}
"""The same in a word."""


class Law(models.TextChoices):
    """Whose clock runs."""

    GDPR = "gdpr", _("GDPR or UK GDPR (Europe)")
    CCPA = "ccpa", _("CCPA/CPRA (California)")
    OTHER = "other", _("Another law, or I do not know")


LAWS: Final[dict[str, Words]] = {Law.GDPR: _("GDPR"), Law.CCPA: _("CCPA"), Law.OTHER: _("not named")}
"""The same in a word."""

IN_WORDS: Final = frozenset({Right.CORRECTION, Right.OBJECTION, Right.RESTRICTION})
"""Nobody can act on these without being told what is meant."""

NEEDS_NOBODY: Final = frozenset({Right.OPT_OUT})
"""Nothing is sold or shared, so there is nothing to be looked into."""


@dataclass(frozen=True)
class Way:
    """A page on which somebody who is signed in has it at once."""

    page: str
    says: Words

    @property
    def url(self) -> str:
        """Its address; empty where this site has no such page."""
        try:
            return reverse(self.page)
        except NoReverseMatch:
            return ""


COPY = Way("privacy:own", _("Save a copy of everything"))
WAYS: Final[dict[str, tuple[Way, ...]]] = {
    Right.ACCESS: (COPY,),
    Right.PORTABILITY: (COPY,),
    Right.CORRECTION: (Way("account_email", _("Change my e-mail address")),),
    Right.DELETION: (Way("privacy:erase", _("Erase my account")),),
    Right.OBJECTION: (
        Way("generation:limits", _("Say who may receive my photos")),
        Way("accounts:mail", _("Get only the mail that has to be")),
    ),
    Right.RESTRICTION: (Way("generation:limits", _("Say who may receive my photos")),),
    Right.OPT_OUT: (),
}
"""By right. Apps above this one are known by the names of their pages alone."""


def ways(right: str) -> list[Way]:
    """Where it is to be had at once on this site."""
    return [way for way in WAYS.get(right, ()) if way.url]
