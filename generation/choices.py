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
    "texture": later("Without texture"),
    "target_triangles": later("Number of triangles"),
}

VIEWS: dict[str, Promise] = {
    "front": later("the front"),
    "left": later("from the left"),
    "back": later("the back"),
    "right": later("from the right"),
}
"""The photos of one object, as on cards (``provider.VIEWS``)."""

REGIONS: dict[str, Promise] = {
    "self": later("This site’s own machines"),
    "US": later("United States"),
    "GB": later("United Kingdom"),
    "DE": later("Germany"),
    "CN": later("China"),
}
"""What people call the regions on cards; others are shown by their code."""


def region(code: str) -> str:
    """A region as people call it; an empty code means that the provider does not say."""
    return str(REGIONS.get(code, code)) if code else _("not stated")


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
        "texture": (_("texture"), _("none")),
        "target_triangles": (
            _("triangles wished"),
            f"{options.target_triangles:,}" if options.target_triangles else "",
        ),
        "format": (_("format"), options.format.upper()),
    }
    chosen = options.stored()
    return [{"label": label, "value": value} for name, (label, value) in said.items() if name in chosen]
