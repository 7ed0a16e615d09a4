"""The router: restrictions hold, something allowed is always offered, and the order is the same each time."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from generation.provider import QUALITIES, Card
from generation.routing import Offer, Wants, rank, unmet

options = st.frozensets(st.sampled_from(["back", "normal_map", "print_size_mm"]))
cards = st.builds(
    Card,
    name=st.sampled_from("abcdef"),
    label=st.just(""),
    place=st.just(""),
    credits=st.dictionaries(st.sampled_from(QUALITIES), st.integers(0, 9)),
    typical_seconds=st.dictionaries(st.sampled_from(QUALITIES), st.floats(0, 99)),
    options=options,
)
offers = st.lists(st.builds(Offer, cards, st.booleans()), max_size=8, unique_by=lambda offer: offer.card.name)
wants = st.builds(
    Wants,
    quality=st.sampled_from(QUALITIES),
    max_credits=st.integers(0, 9),
    provider=st.sampled_from(["", "", *"abc"]),
    options=options,
)


@given(wants, offers)
def test_rank(wish: Wants, offered: list[Offer]) -> None:
    ranked = rank(wish, offered)
    allowed = {
        offer.card.name
        for offer in offered
        if offer.card.credits.get(wish.quality, 99) <= wish.max_credits
        and wish.provider in ("", offer.card.name)
        and wish.options <= offer.card.options
    }
    assert {card.name for card in ranked} == allowed
    assert ranked == rank(wish, list(reversed(offered)))
    health = {offer.card.name: offer.healthy for offer in offered}
    assert [health[card.name] for card in ranked] == sorted((health[c.name] for c in ranked), reverse=True)


@given(wants, offers)
def test_options_are_to_blame_when_doing_without_them_helps(wish: Wants, offered: list[Offer]) -> None:
    blamed = unmet(wish, offered)
    others = rank(replace(wish, options=frozenset()), offered)
    assert bool(blamed) == (bool(others) and not rank(wish, offered))
    assert blamed <= wish.options
    assert blamed == wish.options or not any(blamed & card.options for card in others)
