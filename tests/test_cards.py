"""What pages say of a provider: its card in words, each exception told as one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import translation

from generation import choices, registry, wording
from generation.options import JobOptions
from generation.provider import Card
from modelmyimage.templatetags import cards
from scripts import messages

NAMES = frozenset(
    {
        "Cog",
        "ComfyUI",
        "Deemos Corporation",
        "Features & Labels, Inc.",
        "Hunyuan3D 2.0",
        "Hunyuan3D 2.0 on fal",
        "Hunyuan3D 2.1",
        "Hyper3D Rodin",
        "Hyper3D Rodin through fal",
        "Meshy",
        "Meshy LLC",
        "Replicate, LLC",
        "Stability AI",
        "Stable Fast 3D",
        "Stable Point Aware 3D",
        "TRELLIS",
        "TRELLIS on Replicate",
        "TRELLIS on fal",
        "TRELLIS.2",
        "TRELLIS.2 on fal",
        "Tripo",
        "TripoSR",
        "TripoSR on Replicate",
        "TripoSR on fal",
        "VAST AI",
    }
)
"""What our cards say that is a name, the same in every language."""

CARD = Card(
    name="far",
    label="Far",
    place="far away",
    region="US",
    operator="Far Ltd",
    credits={"standard": 1},
    typical_seconds={"standard": 90},
)


@pytest.mark.parametrize(
    ("keeps", "word", "sentence"),
    [
        (timedelta(0), "keeps 0 s", "Keeps nothing once the model is there."),
        (timedelta(days=3), "keeps ≤ 3 d", "Keeps what it gets for up to 3 days."),
        (timedelta(days=1), "keeps ≤ 1 d", "Keeps what it gets for up to 1 day."),
        (timedelta(hours=36), "keeps ≤ 36 h", "Keeps what it gets for up to 36 hours."),
        (timedelta(minutes=10), "keeps ≤ 10 min", "Keeps what it gets for up to 10 minutes."),
        (timedelta(seconds=90), "keeps ≤ 90 s", "Keeps what it gets for up to 90 seconds."),
        (None, "keeps: not said", "Does not say how long it keeps what it gets."),
    ],
)
def test_how_long_it_keeps_a_photo(keeps: timedelta | None, word: str, sentence: str) -> None:
    card = replace(CARD, keeps=keeps)
    assert cards.keeps(card) == word
    assert cards.keeping(card) == cards.Statement(sentence, warn=keeps != timedelta(0))


def test_a_machine_of_the_operators_is_swept() -> None:
    card = replace(CARD, keeps=None, self_hosted=True, region="self", operator="")
    assert cards.keeps(card) == "keeps until swept"
    assert cards.keeping(card).warn


def test_only_promises_go_without_a_warning() -> None:
    best = replace(CARD, self_hosted=True, region="self", operator="")
    assert not any(statement.warn for statement in cards.statements(best))
    worst = replace(CARD, region="", keeps=None, can_erase=False, trains_on_input=None, licence="Not for Mondays.")
    assert [statement.text for statement in cards.statements(worst) if not statement.warn] == []
    assert len(cards.statements(worst)) == 6
    assert cards.training(replace(CARD, trains_on_input=True)) == "may train on your photo"
    assert cards.training(CARD) == ""


@pytest.mark.parametrize("language", ["en", *messages.LANGUAGES])
def test_a_company_whose_name_ends_in_a_full_stop_is_said_with_one(language: str) -> None:
    with translation.override(language):
        plain, dotted = (
            cards.statements(replace(CARD, self_hosted=False, operator=company))[0].text
            for company in ("Acme", "Acme Inc.")
        )
    assert ".." not in dotted
    assert dotted.replace("Acme Inc.", "Acme").rstrip(".") == plain.rstrip(".")
    assert dotted[-1] == plain[-1]


def test_prices_and_times() -> None:
    assert cards.costs(CARD) == "standard 1 credit"
    assert cards.costs(replace(CARD, credits={"draft": 1, "high": 12})) == "draft 1, fine 12 credits"
    assert [cards.about(seconds) for seconds in (None, 0, 2, 90, 91, 180)] == [
        "", "", "about 2\u00a0s", "about 90\u00a0s", "about 2\u00a0min", "about 3\u00a0min"
    ]  # fmt: skip


def test_what_cards_say_is_said_in_each_language() -> None:
    """Whatever is more than a name: what a card says anew is to be put into words, or listed above."""
    words = {
        sentence
        for provider in registry.ours().values()
        for sentence in (provider.card.label, provider.card.place, provider.card.operator, provider.card.licence)
        if sentence and sentence not in NAMES
    }
    assert words == wording.WORDS
    for language in messages.LANGUAGES:
        known = messages.read(language)
        assert [one for one in words if not known[one].string or known[one].string == one] == [], language
    with translation.override("de"):
        own = registry.ours()["embedded"].card
        assert (wording.said(own.label), wording.said(own.place)) == ("Unsere eigene Engine", "dieser Server")
        assert [line["label"] for line in choices.facts(JobOptions(back="mirrored"))] != ["back"]
        assert [price.label for price in cards.prices(own)] == ["Entwurf", "Standard", "Fein"]
    assert (wording.said(""), wording.said("Somewhere else")) == ("", "Somewhere else")
