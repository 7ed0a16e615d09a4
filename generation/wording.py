"""What a provider's card says in words, in the language of whoever reads it.

Cards are written in English and import no Django; each of their sentences is translated where it is shown, by ``said``.
The marks below are there for the catalogues: a test finds every card's words among them. What is a proper name stays as
it is, and so does what a card of another package says, unless a catalogue happens to know it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from django.utils.translation import gettext, gettext_noop

from generation.provider import Card

WORDS: Final = frozenset(
    {
        gettext_noop("Our own engine"),
        gettext_noop("Stable Fast 3D (own machine)"),
        gettext_noop("this server"),
        gettext_noop("a machine of this site’s operator"),
        gettext_noop("not stated"),
        gettext_noop("Features & Labels, Inc. (fal), which forwards to Deemos Corporation"),
        gettext_noop("The model is under the MIT licence; some of the software that its app needs is not."),
        gettext_noop("Stability AI's community licence: whoever earns over a million US dollars a year needs another."),
        gettext_noop(
            "Tencent's licence for Hunyuan3D 2.0 excludes the European Union, the United Kingdom and South Korea."
        ),
        gettext_noop(
            "Tencent's community licence for Hunyuan 3D covers neither the model nor what it makes in the European "
            "Union, the United Kingdom and South Korea; it binds users to its use policy, lets no other model learn "
            "from what this one makes, and has to be asked for above a million users a month."
        ),
    }
)
"""Every sentence of our cards that is more than a name."""


def said(words: str) -> str:
    """A card's label, place, operator or licence in the present language; as it is where that has no words for it."""
    return gettext(words) if words else ""


def told(card: Card) -> Card:
    """A card whose words are in the present language, for pages; as a card it is another one."""
    return replace(card, label=said(card.label), place=said(card.place), licence=said(card.licence))


def ended(sentence: str) -> str:
    """A sentence that ends in a name: where the name has a full stop of its own ("Inc."), that one ends both."""
    return sentence.removesuffix(".") if sentence.endswith("..") else sentence
