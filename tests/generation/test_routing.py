"""The router: restrictions hold, something allowed is always offered, and the order is the same each time."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from generation.provider import QUALITIES, VIEWS, Card
from generation.restrictions import Restrictions
from generation.routing import Health, Offer, Wants, hindrance, rank, unmet

options = st.frozensets(st.sampled_from(["back", "normal_map", "print_size_mm"]))
formats = st.frozensets(st.sampled_from(["glb", "fbx"]), min_size=1)
views = st.frozensets(st.sampled_from(VIEWS)).map(lambda chosen: chosen | {"front"})
regions = st.sampled_from(["", "self", "US", "DE"])
cards = st.builds(
    Card,
    name=st.sampled_from("abcdef"),
    label=st.just(""),
    place=st.just(""),
    region=regions,
    self_hosted=st.booleans(),
    keeps=st.sampled_from([timedelta(0), timedelta(days=3), None]),
    trains_on_input=st.sampled_from([True, False, None]),
    credits=st.dictionaries(st.sampled_from(QUALITIES), st.integers(0, 9)),
    typical_seconds=st.dictionaries(st.sampled_from(QUALITIES), st.floats(0, 99)),
    options=options,
    formats=formats,
    views=views,
    slots=st.sampled_from([None, 1, 5]),
)
health = st.builds(
    Health,
    usable=st.booleans(),
    attempts=st.integers(0, 20),
    failures=st.integers(0, 20),
    throttled=st.integers(0, 20),
    median=st.one_of(st.none(), st.floats(0.1, 999)),
    running=st.integers(0, 30),
)
offers = st.lists(st.builds(Offer, cards, health), max_size=8, unique_by=lambda offer: offer.card.name)
restrictions = st.builds(
    Restrictions,
    regions=st.one_of(st.none(), st.frozensets(regions)),
    no_retention=st.booleans(),
    no_training=st.booleans(),
    self_hosted=st.booleans(),
    never=st.frozensets(st.sampled_from("abcdef"), max_size=3),
)
wants = st.builds(
    Wants,
    quality=st.sampled_from(QUALITIES),
    max_credits=st.integers(0, 9),
    provider=st.sampled_from(["", "", *"abc"]),
    options=options,
    format=st.sampled_from(["glb", "glb", "fbx"]),
    views=views,
    restrictions=st.one_of(st.just(Restrictions()), restrictions),
)


def fits(wish: Wants, card: Card) -> bool:
    """Whether a card keeps to every single wish, said once more and in other words than the router's."""
    limits = wish.restrictions
    broken = [
        card.credits.get(wish.quality, 99) > wish.max_credits,
        wish.provider not in ("", card.name),
        bool(wish.options - card.options),
        wish.format not in card.formats,
        bool(wish.views - card.views),
        card.name in limits.never,
        limits.self_hosted and not card.self_hosted,
        limits.no_retention and (card.keeps is None or card.keeps > timedelta(0)),
        limits.no_training and card.trains_on_input in (True, None),
        limits.regions is not None and (not card.region or card.region not in limits.regions),
    ]
    return not any(broken)


@given(wants, offers)
def test_rank(wish: Wants, offered: list[Offer]) -> None:
    ranked = rank(wish, offered)
    assert {card.name for card in ranked} == {offer.card.name for offer in offered if fits(wish, offer.card)}
    assert ranked == rank(wish, list(reversed(offered)))
    found = {offer.card.name: offer.health for offer in offered}
    usable = [found[card.name].usable for card in ranked]
    assert usable == sorted(usable, reverse=True)


@given(wants, offers)
def test_cheapest_of_those_that_are_well(wish: Wants, offered: list[Offer]) -> None:
    well = [replace(offer, health=Health()) for offer in offered]
    prices = [card.credits[wish.quality] for card in rank(wish, well)]
    assert prices == sorted(prices)


@given(cards, st.integers(5, 20))
def test_who_fails_often_or_is_full_comes_after_an_equal(card: Card, attempts: int) -> None:
    card = replace(card, credits={"draft": 1}, typical_seconds={"draft": 10.0}, slots=2, formats=frozenset({"glb"}))
    twin = replace(card, name="z")
    wish = Wants("draft", 9)
    for worse in (
        Health(attempts=attempts, failures=attempts),
        Health(running=7),
        Health(throttled=9),
        Health(median=99),
    ):
        assert rank(wish, [Offer(card, worse), Offer(twin)])[0] is twin


@given(restrictions, restrictions, cards)
def test_restrictions_only_ever_narrow(one: Restrictions, other: Restrictions, card: Card) -> None:
    assert (one & other).allow(card) == (one.allow(card) and other.allow(card))
    assert Restrictions.restored(one.stored()) == one
    assert Restrictions().stored() == {}
    assert Restrictions().allow(card)


@given(wants, offers)
def test_options_are_to_blame_when_doing_without_them_helps(wish: Wants, offered: list[Offer]) -> None:
    blamed = unmet(wish, offered)
    others = rank(replace(wish, options=frozenset()), offered)
    assert bool(blamed) == (bool(others) and not rank(wish, offered))
    assert blamed <= wish.options
    assert blamed == wish.options or not any(blamed & card.options for card in others)


@given(wants, offers)
def test_a_hindrance_is_what_stands_alone_in_the_way(wish: Wants, offered: list[Offer]) -> None:
    blamed = hindrance(wish, offered)
    if rank(wish, offered):
        return
    assert blamed in {"", *(field.name for field in fields(Wants))}
    usual = {
        "options": frozenset(),
        "format": "glb",
        "views": {"front"},
        "max_credits": 2**31,
        "restrictions": Restrictions(),
    }
    if blamed:
        assert rank(replace(wish, **{blamed: usual[blamed]}), offered)  # type: ignore[arg-type]  # each of its own kind
    else:
        assert not any(rank(replace(wish, **{name: value}), offered) for name, value in usual.items())  # type: ignore[arg-type]
