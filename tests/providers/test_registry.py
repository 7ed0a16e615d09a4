"""Who is listed: nobody who was not allowed, nobody without a key, and nobody inside but where the operator pointed."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from generation import egress, providers, registry
from generation.checks import egress_is_filtered, licences_allow
from generation.provider import Brief, Card, Erased, Erasure, Failed, Provider, Remote, Variable
from tests.environment import variables


class Outside:
    """A provider of an outside package, whose card lies."""

    card: ClassVar[Card] = Card(
        name="outside", label="Outside", place="somewhere", self_hosted=True,
        hosts=frozenset({"127.0.0.1", "10.0.0.5", "169.254.169.254", "localhost", "api.outside.example"}),
        credits={"draft": 1, "standard": 1, "high": 1}, typical_seconds={},
        variables=(Variable("OUTSIDE_KEY", required=False),),
    )  # fmt: skip

    def __init__(self, http: httpx.Client, setup: Mapping[str, str]) -> None:
        self.http = http
        self.setup = setup

    def submit(self, brief: Brief) -> Remote:
        """Never asked here."""
        return Remote("1")

    def poll(self, remote: Remote) -> Failed:
        """Never asked here."""
        return Failed()

    def fetch(self, remote: Remote) -> Iterator[bytes]:
        """Never asked here."""
        return iter(())

    def erase(self, remote: Remote) -> Erasure:
        """Never asked here."""
        return Erasure(Erased.NOTHING_KEPT)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """``Outside`` as an installed package offers it."""
    entry = importlib.metadata.EntryPoint("outside", f"{__name__}:Outside", registry.GROUP)
    found = importlib.metadata.entry_points

    def entry_points(**params: Any) -> Any:
        if params.get("group") == registry.GROUP and params.get("name") == "outside":
            return importlib.metadata.EntryPoints([entry])
        return found(**params)

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)


def names() -> list[str]:
    return [card.name for card in registry.cards()]


def test_nothing_said_means_the_engine_and_those_whose_keys_are_set(settings) -> None:
    settings.PROVIDERS = []
    settings.PROVIDER_ENVIRONMENT = {}
    assert names() == ["embedded"]
    settings.PROVIDER_ENVIRONMENT = {"MESHY_API_KEY": "k"}
    assert names() == ["embedded", "meshy"]
    assert registry.absent() == []


def test_a_provider_that_may_train_has_to_be_named(settings) -> None:
    wary = [kind for kind in registry.ours().values() if kind.card.listed_only]
    settings.PROVIDERS = []
    for kind in wary:
        settings.PROVIDER_ENVIRONMENT = {variable.name: "https://k.example" for variable in kind.card.variables}
        assert kind.card.name not in names()
        settings.PROVIDERS = [kind.card.name]
        assert names() == [kind.card.name]
        settings.PROVIDERS = []


def test_installed_package_stays_off_until_it_is_listed(settings, installed) -> None:
    settings.PROVIDERS, settings.PROVIDER_ENVIRONMENT = [], {"OUTSIDE_KEY": "k"}
    assert "outside" not in names()
    settings.PROVIDERS = ["embedded", "outside"]
    assert names() == ["embedded", "outside"]
    provider = registry.get("outside")
    assert isinstance(provider, Outside)
    assert provider.setup == {"OUTSIDE_KEY": "k"}, "it is shown its own variables and no others"


@pytest.mark.parametrize("host", sorted(Outside.card.hosts - {"api.outside.example"}))
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_card_that_lies_cannot_reach_inside(settings, installed, host, scheme) -> None:
    settings.PROVIDERS, settings.PROVIDER_ENVIRONMENT = ["outside"], {}
    provider = registry.get("outside")
    assert isinstance(provider, Outside)
    with pytest.raises(egress.EgressRefused):
        provider.http.get(f"{scheme}://{host}/latest/meta-data")


def test_provider_without_its_key_is_absent_and_said_so(settings) -> None:
    settings.PROVIDERS, settings.PROVIDER_ENVIRONMENT = ["embedded", "meshy"], {}
    assert names() == ["embedded"]
    assert [(one.card.name, one.missing) for one in registry.absent()] == [("meshy", ("MESHY_API_KEY",))]
    with pytest.raises(registry.NotListed):
        registry.get("meshy")
    assert [message.id for message in run_checks()] == ["generation.W001"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PROVIDERS", ["nobody"]),
        ("PROVIDER_CREDITS", ["meshy:3"]),
        ("PROVIDER_CREDITS", ["meshy:1/x/3"]),
        ("PROVIDER_SLOTS", ["meshy:many"]),
        ("PROVIDER_SLOTS", ["meshy:0"]),
        ("PROVIDER_ENVIRONMENT", {"MESHY_API_KEY": "k", "MESHY_URL": "meshy.example"}),
        ("PROVIDER_ENVIRONMENT", {"MESHY_API_KEY": "k", "MESHY_URL": "https://:99999/"}),
    ],
)
def test_nonsense_is_found_by_the_checks(settings, name, value) -> None:
    settings.PROVIDERS, settings.PROVIDER_ENVIRONMENT = ["meshy"], {"MESHY_API_KEY": "k"}
    assert run_checks() == []
    setattr(settings, name, value)
    with pytest.raises(ImproperlyConfigured):
        registry.cards()
    assert [message.id for message in run_checks()] == ["generation.E001"]


def test_operator_sets_prices_and_slots(settings) -> None:
    settings.PROVIDERS, settings.PROVIDER_ENVIRONMENT = ["meshy"], {"MESHY_API_KEY": "k"}
    settings.PROVIDER_CREDITS, settings.PROVIDER_SLOTS = ["meshy:7/8/9"], ["meshy:2"]
    card = registry.card("meshy")
    assert dict(card.credits) == {"draft": 7, "standard": 8, "high": 9}
    assert card.slots == 2


@pytest.mark.parametrize(
    ("region", "barred", "said"),
    [
        ("DE", {"EU", "KR"}, "generation.E002"), ("KR", {"EU", "KR"}, "generation.E002"), ("US", {"EU", "KR"}, ""),
        ("", {"EU"}, "generation.W002"), ("", set(), ""), ("EU", {"EU"}, "generation.E002"),
    ],
)  # fmt: skip
def test_licence_that_excludes_the_operator(settings, installed, monkeypatch, region, barred, said) -> None:
    monkeypatch.setattr(Outside, "card", replace(Outside.card, barred=frozenset(barred), licence="Not there."))
    settings.PROVIDERS, settings.PROVIDER_ENVIRONMENT, settings.OPERATOR_REGION = ["outside"], {}, region
    assert [message.id for message in licences_allow()] == ([said] if said else [])


def test_photos_that_leave_have_a_filter_outside_of_us(settings, installed) -> None:
    settings.PROVIDERS, settings.EGRESS_PROXY = ["embedded"], ""
    assert egress_is_filtered() == []
    settings.PROVIDERS = ["embedded", "outside"]
    assert [message.id for message in egress_is_filtered()] == ["generation.E003"]
    settings.EGRESS_PROXY = "http://proxy.example:3128"
    assert egress_is_filtered() == []


def test_every_card_is_complete() -> None:
    for name, kind in registry.ours().items():
        card: Card = kind.card
        assert card.name == name
        assert card.label
        assert card.place
        assert card.evidence
        assert card.credits
        assert set(card.credits) == set(card.typical_seconds)
        assert "front" in card.views
        assert "glb" in card.formats
        assert bool(card.licence) == bool(card.barred) or card.licence
        assert card.self_hosted == (card.region == "self")
        assert card.self_hosted or card.hosts
        assert {variable.name for variable in card.variables} <= variables()


@pytest.mark.parametrize("path", sorted(Path(providers.__path__[0]).rglob("*.py")), ids=lambda path: path.name)
def test_each_provider_is_one_short_file(path: Path) -> None:
    assert path.read_bytes().count(b"\n") <= 150


def test_protocol_is_what_ours_keep() -> None:
    checked: list[type[Provider]] = list(registry.ours().values())
    assert len({kind.card.name for kind in checked}) == len(checked)
