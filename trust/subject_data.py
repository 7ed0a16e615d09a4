"""What is held about the documents that people were shown."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from privacy.datamap import Basis, Holding, Item, Section, nobody

HELD = [
    Holding(
        "trust.Shown",
        _("Which of our documents you were shown"),
        Section.ACCOUNT,
        why=_("To tell you of a change once, before it takes effect, and to know which terms you were shown."),
        basis=Basis.CONTRACT,
        keeps="history",
        whose="account",
        items=(
            Item("id account", _("Numbers: its own, and your account’s")),
            Item("version how at", _("Which version, by what, and when")),
            Item("claimed_at refused", _("When we began to mail it, and whether your mail service refused it")),
            Item("dismissed_at", _("When you put the note away")),
        ),
    ),
    nobody(
        "trust.Version",
        _("Versions of our documents"),
        "id document number text mark substance summary published_at effective_at",
        _("To show at any time what held when."),
    ),
]
