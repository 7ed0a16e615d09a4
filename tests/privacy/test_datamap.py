"""Every field of every table is classified, and nothing that is not there; a map with a hole in it is found out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.apps import apps
from django.db import models
from django.utils.translation import override

from privacy import datamap
from privacy.datamap import Basis, Erasure, Holding, Item, Section
from privacy.retention import PERIODS

TABLES = apps.get_models(include_auto_created=True)


def test_the_map_is_whole() -> None:
    assert datamap.problems(datamap.held(), TABLES) == []


def test_every_app_with_tables_of_its_own_offers_a_map(settings) -> None:
    own = {model._meta.app_label for model in TABLES if model.__module__.split(".")[0] not in {"django", "allauth"}}
    assert {name.removesuffix(".subject_data") for name in settings.SUBJECT_DATA} == own


def test_a_field_that_nobody_classified_is_found() -> None:
    """For each item of each table in turn, as if it had been forgotten."""
    whole = list(datamap.held())
    for place, holding in enumerate(whole):
        for item in holding.items if holding.is_table else ():
            less = replace(holding, items=tuple(one for one in holding.items if one is not item))
            found = datamap.problems([*whole[:place], less, *whole[place + 1 :]], TABLES)
            assert set(found) >= {f"{holding.model}.{name}: not classified" for name in item.fields}


def test_a_new_table_is_found() -> None:
    class Diary(models.Model):
        owner = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
        text = models.TextField()

        class Meta:
            app_label = "made_up"
            apps = type(apps)()

        def __str__(self) -> str:
            return ""

    assert datamap.problems(datamap.held(), [*TABLES, Diary]) == ["made_up.Diary: not classified"]
    half = Holding(
        "made_up.Diary",
        "Diary",
        Section.ACCOUNT,
        why="to remember",
        basis=Basis.CONTRACT,
        keeps="account",
        whose="owner",
        items=(Item("id owner", "numbers"), Item("mood", "how it was")),
    )
    assert datamap.problems([*datamap.held(), half], [*TABLES, Diary]) == [
        "made_up.Diary.text: not classified",
        "made_up.Diary.mood: no such field",
    ]
    whole = replace(half, items=(*half.items[:1], Item("text", "what it says")))
    assert datamap.problems([*datamap.held(), whole], [*TABLES, Diary]) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"keeps": "a while"}, "'a while' is no period"),
        ({"erasure": Erasure.KEPT}, "kept after an erasure, but under no duty"),
        ({"whose": None}, "nothing says whose its rows are"),
        ({"also": {"user": "nothing"}}, "nothing: no such field"),
        ({"model": "billing.Nothing"}, "no such table"),
        ({"why": ""}, "says nothing to people"),
    ],
)
def test_contradictions_are_found(change: dict[str, object], problem: str) -> None:
    whole = list(datamap.held())
    place = next(i for i, holding in enumerate(whole) if holding.model == "billing.Preferences")
    whole[place] = replace(whole[place], **change)  # type: ignore[arg-type]  # as the cases say
    assert any(problem in one for one in datamap.problems(whole, TABLES))


def test_the_same_field_or_table_twice_is_found() -> None:
    mine = next(holding for holding in datamap.held() if holding.model == "billing.Preferences")
    assert "billing.Preferences: classified more than once" in datamap.problems([*datamap.held(), mine], TABLES)
    twice = replace(mine, items=(*mine.items, Item("noticed_at", "again")))
    others = [holding for holding in datamap.held() if holding is not mine]
    assert datamap.problems([*others, twice], TABLES) == ["billing.Preferences.noticed_at: classified more than once"]


def test_secrets_are_withheld() -> None:
    """By name, whatever the map's authors thought."""
    secrets = ("password", "session_key", "session_data", "secret", "token")
    for holding in datamap.held():
        if holding.is_table and holding.whose is not None:
            assert not set(secrets) & set(holding.exported()), holding.model
    by_model = {holding.model: holding for holding in datamap.held()}
    assert "data" not in by_model["mfa.Authenticator"].exported()
    assert "key" not in by_model["account.EmailConfirmation"].exported()
    assert "remote" not in by_model["generation.Attempt"].exported()


def test_everything_that_is_withheld_says_why() -> None:
    with override("en"):
        for holding in datamap.held():
            for line in holding.lines():
                assert len(str(line.what)) > 3
                assert len(str(line.why)) > 10
                assert not line.withheld or str(line.withheld).endswith(".")
                assert line.period is PERIODS[line.period.name]
