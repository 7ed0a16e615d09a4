"""What documents say comes from the code: another value there is another text; an unknown name is an error."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.utils import translation

from privacy import datamap, retention
from privacy.datamap import Basis, Holding, Item, Section
from tests.trust.test_promises import TEXTS
from trust import facts, texts

TODAY = date(2026, 11, 26)


def said(name: str) -> str:
    return texts.render(texts.source(name).template, facts.values(today=TODAY))


@pytest.mark.parametrize("name", TEXTS)
def test_every_name_in_a_document_is_filled(name: str) -> None:
    text = said(name)
    assert text.startswith("# ")
    assert "{{" not in text
    assert "{%" not in text
    assert "&amp;" not in text


@pytest.mark.parametrize("wrong", ["{{ period.forever }}", "{{ promise.everything }}", "{{ nobody.name }}"])
def test_a_name_that_nothing_fills_is_an_error(wrong: str) -> None:
    source = texts.parse(f"---\nsubstance: 1\nsummary: s.\n---\nIt lasts {wrong}.\n")
    with pytest.raises(texts.UnknownName):
        texts.render(source.template, facts.values(today=TODAY))


@pytest.mark.parametrize("wrong", ["# No head\n", "---\nsummary: s\n---\ntext", "---\nsubstance: 1\n---\ntext"])
def test_a_document_needs_its_head(wrong: str) -> None:
    with pytest.raises(texts.Headless):
        texts.parse(wrong)


def test_a_period_is_the_one_that_is_enforced(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "A session, with IP address and browser: 14 days" in said("privacy")
    changed = replace(retention.PERIODS["session"], longest=timedelta(days=3))
    monkeypatch.setitem(retention.PERIODS, "session", changed)
    assert "A session, with IP address and browser: 3 days" in said("privacy")
    source = replace(retention.PERIODS["source"], longest=timedelta(minutes=7))
    monkeypatch.setitem(retention.PERIODS, "source", source)
    assert "a photo 7 minutes after it came, at most" in said("security")


def test_what_is_held_is_the_map(monkeypatch: pytest.MonkeyPatch) -> None:
    diary = Holding(
        "diary", "Diaries", Section.ACCOUNT, why="To remember.", basis=Basis.CONTRACT, keeps="account",
        items=(Item("pages", "What was written"),),
    )  # fmt: skip
    whole = datamap.held()
    assert "Diaries" not in said("privacy")
    monkeypatch.setattr(datamap, "held", lambda: (*whole, diary))
    assert "**Diaries.** To remember." in said("privacy")


def test_limits_and_the_operator_are_the_settings(settings) -> None:
    assert "Whoever runs this copy has not said who they are" in said("privacy")
    assert "No contact address has been set up" in said("privacy")
    settings.OPERATOR_NAME, settings.OPERATOR_ADDRESS = "Example GmbH", "Street 1, Town"
    settings.CONTACT_EMAIL, settings.OPERATOR_REGION = "hello@models.example", "DE"
    settings.SUPERVISORY_AUTHORITY, settings.GOVERNING_LAW = "The Authority", "The law of Germany"
    settings.UPLOAD_LIMIT_BYTES, settings.GRANT_CREDITS, settings.NOTICE_DAYS = 7_000_000, 1, 12
    settings.MINIMUM_AGE = 18
    policy, terms = said("privacy"), said("terms")
    assert "Example GmbH, Street 1, Town (Germany)" in policy
    assert "hello@models.example" in policy
    assert "The supervisory authority is The Authority." in policy
    assert "take effect 12 days after" in policy
    assert "18 or older" in policy
    assert "The law of Germany applies." in terms
    assert "A new one comes with 1 credit." in terms
    assert "up to 7 MB" in said("faq")


def test_providers_are_told_from_their_cards(settings) -> None:
    assert "No provider of another company is set up." in said("sub-processors")
    settings.PROVIDER_ENVIRONMENT = {"MESHY_API_KEY": "x", "STABILITY_API_KEY": "x"}
    settings.PROVIDERS = ["embedded", "meshy", "stability-sf3d"]
    settings.PROVIDERS_COMING = ["tripo", "meshy"]
    text = said("sub-processors")
    assert "### Meshy" in text
    assert "Keeps what it gets for up to 3 days." in text
    assert "On this list since 26 November 2026" in text
    assert text.index("### Meshy") < text.index("## Coming") < text.index("### Tripo")
    assert text.count("### Meshy") == 1
    policy = said("privacy")
    assert "Meshy (Meshy LLC) does not say whether it learns from photos." in policy
    assert "Photos can go to companies elsewhere" in policy


def test_who_learns_from_photos_is_named(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from generation.providers import meshy

    (kind,) = meshy.PROVIDERS
    settings.PROVIDERS, settings.PROVIDER_ENVIRONMENT = ["embedded", "meshy"], {"MESHY_API_KEY": "x"}
    monkeypatch.setattr(kind, "card", replace(kind.card, trains_on_input=True))
    assert "Meshy (Meshy LLC) may learn from photos." in said("privacy")
    assert "May learn from photos." in said("sub-processors")
    monkeypatch.setattr(kind, "card", replace(kind.card, trains_on_input=False, region="DE"))
    settings.OPERATOR_REGION = "DE"
    assert "say that they learn nothing from photos" in said("privacy")
    assert "No provider that is set up here takes photos to another country." in said("privacy")


def test_what_our_cards_say_in_words_is_translated(settings) -> None:
    settings.PROVIDER_ENVIRONMENT, settings.PROVIDERS = {"MESHY_API_KEY": "x"}, ["embedded", "meshy"]
    with translation.override("de"):
        values = facts.values(today=TODAY)
    assert [(card.label, card.place) for card in values["own"]] == [("Unsere eigene Engine", "dieser Server")]
    assert [(one.name, one.card.place) for one in values["receivers"]] == [("Meshy", "nicht angegeben")]


def test_payments_and_hosts(settings) -> None:
    settings.BILLING = True
    settings.HOSTING = ["A Host|Finland|runs our machines", "Post Ltd|Ireland|carries our mail"]
    text = said("sub-processors")
    assert "### Stripe" in text
    assert "**A Host** (Finland): runs our machines." in text
    assert "**Post Ltd** (Ireland): carries our mail." in said("privacy")
