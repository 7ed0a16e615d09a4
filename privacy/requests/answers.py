"""What requests are answered with: the program's own answers, texts for operators to begin with, reasons to refuse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from privacy.requests.rights import Right
from privacy.retention import Words

NOTHING_HELD: Final = _(
    "Under this address we hold nothing but what you have asked of us here, which goes by itself (see “What we hold”). "
    "So there is nothing to hand out, to correct, to delete, or to use otherwise."
)
NOTHING_SOLD: Final = _(
    "We sell nothing about you and share nothing for advertising, and never did. So you are opted out already, and "
    "nothing changes for you."
)
COPY_SAVED: Final = _("You saved a copy of everything that we hold about you.")


class Reason(models.TextChoices):
    """Why a request may be refused, as the person reads it."""

    IDENTITY = "identity", _("We could not confirm that the data are yours.")
    UNFOUNDED = "unfounded", _("The request is manifestly unfounded, or excessive because it repeats itself.")
    DUTY = "duty", _("A law obliges us to keep what you ask us to change or delete.")
    OTHERS = "others", _("It would take away rights or freedoms of other people.")
    CLAIMS = "claims", _("The data are needed to establish, exercise or defend legal claims.")
    NOT_OURS = "not_ours", _("The law that you name does not give this right, or not against us.")


@dataclass(frozen=True)
class Template:
    """A text to begin with."""

    code: str
    title: Words
    text: Words


TEMPLATES: Final[dict[str, tuple[Template, ...]]] = {
    Right.ACCESS: (
        Template(
            "copy",
            _("Where the copy is"),
            _(
                "Everything that we hold about you is in one file, which you can save at any time: sign in by a code "
                "that we mail to this address, then choose Account → Your data. The file explains each part. What we "
                "hold of anybody, why, how long and who receives it is on the page “What we hold”."
            ),
        ),
    ),
    Right.PORTABILITY: (
        Template(
            "copy",
            _("Where the file is"),
            _(
                "Your data are in one file with JSON and CSV, which other programs can read: sign in by a code that "
                "we mail to this address, then choose Account → Your data."
            ),
        ),
    ),
    Right.CORRECTION: (
        Template("done", _("Corrected"), _("We have corrected what you named: [what, from what, to what].")),
        Template(
            "yourself",
            _("Where to correct it"),
            _("You can change this yourself: sign in, then choose Account → [where]."),
        ),
        Template(
            "right",
            _("It is right"),
            _("We looked into what you named and found it right: [why]. We noted that you see it otherwise."),
        ),
    ),
    Right.DELETION: (
        Template(
            "done",
            _("Deleted"),
            _(
                "What we held about you is deleted. What a law obliges us to keep stays without your name until its "
                "time is over: [what, under which law]."
            ),
        ),
        Template("part", _("A part deleted"), _("We have deleted [what]. We keep [what], because [why].")),
    ),
    Right.OBJECTION: (
        Template("stopped", _("Stopped"), _("We no longer do what you objected to: [what].")),
        Template(
            "yourself",
            _("Where to set it"),
            _("You can set this yourself, and it holds from the next job on: sign in, then choose Account → [where]."),
        ),
    ),
    Right.RESTRICTION: (
        Template(
            "limited",
            _("Restricted"),
            _("We keep what you named, and do nothing else with it until [what has to happen]."),
        ),
        Template(
            "yourself",
            _("Where to set it"),
            _("You can set this yourself, and it holds from the next job on: sign in, then choose Account → [where]."),
        ),
    ),
    Right.OPT_OUT: (Template("sold", _("Nothing is sold"), NOTHING_SOLD),),
}
"""By right. What is in [brackets] must be filled in: an answer that still has them is not sent."""


def template(right: str, code: str) -> str:
    """The text of a template; empty for one that there is not."""
    return next((str(one.text) for one in TEMPLATES.get(right, ()) if one.code == code), "")
