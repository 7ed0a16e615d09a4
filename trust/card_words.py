"""What the cards of our own providers say in words, in the reader's language.

Providers know nothing of Django, so a card is written in English. Its sentences stand here once more, for the
catalogues; a test fails for one that does not. What a provider of somebody else's says is shown as it says it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from django.utils.translation import gettext, gettext_noop

from generation.provider import Card

KNOWN: Final = frozenset(
    {
        gettext_noop("Our own engine"),
        gettext_noop("this server"),
        gettext_noop("a machine of this site's operator"),
        gettext_noop("not stated"),
        gettext_noop(
            "Tencent's licence for Hunyuan3D 2.0 excludes the European Union, the United Kingdom and South Korea."
        ),
        gettext_noop("Stability AI's community licence: whoever earns over a million US dollars a year needs another."),
        gettext_noop("The model is under the MIT licence; some of the software that its app needs is not."),
        gettext_noop(
            "Tencent's community licence for Hunyuan 3D covers neither the model nor what it makes in the European "
            "Union, the United Kingdom and South Korea; it binds users to its use policy, lets no other model learn "
            "from what this one makes, and has to be asked for above a million users a month."
        ),
    }
)


def told(card: Card) -> Card:
    """A card in the language that is active, for pages; as a card it is another one."""
    return replace(card, label=_told(card.label), place=_told(card.place), licence=_told(card.licence))


def _told(said: str) -> str:
    return gettext(said) if said in KNOWN else said
