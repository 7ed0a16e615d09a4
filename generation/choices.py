"""What people read about the choices of a job: on the form, on its slip, and where a choice cannot be had."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later

from generation.options import JobOptions

QUALITIES = [("draft", later("Draft")), ("standard", later("Standard")), ("high", later("Fine"))]
KEEP = [(10, later("10 minutes")), (60, later("1 hour")), (1440, later("24 hours"))]
BACKS = [("invented", later("Invented")), ("mirrored", later("Mirrored"))]

OPTIONS: dict[str, Promise] = {
    "keep_all": later("Keep everything"),
    "back": later("Mirrored back"),
    "flatten_light": later("Even out the light"),
    "normal_map": later("Fine relief"),
    "print_size_mm": later("Print size"),
}


def named(options: Iterable[str]) -> str:
    """Options as a list in a sentence: “Fine relief”, “Print size”."""
    wanted = set(options)
    return ", ".join(f"“{label}”" for name, label in OPTIONS.items() if name in wanted)


def facts(options: JobOptions) -> list[dict[str, str]]:
    """What is not as usual, as lines of a slip: ``label`` and ``value``."""
    said = {
        "keep_all": (_("subject"), _("everything")),
        "back": (_("back"), _("mirrored")),
        "flatten_light": (_("light"), _("evened out")),
        "normal_map": (_("fine relief"), _("added")),
        "print_size_mm": (_("for printing"), _("%(size)s mm") % {"size": options.print_size_mm}),
    }
    chosen = options.stored()
    return [{"label": label, "value": value} for name, (label, value) in said.items() if name in chosen]
