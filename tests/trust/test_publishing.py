"""A text becomes a version when it says something new; of substance, it waits for its day; nobody's work is doubled."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from io import StringIO
from threading import Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from privacy import datamap
from privacy.datamap import Basis, Holding, Item, Section
from trust import facts, publishing, tasks, texts
from trust.models import Document, Version

HOSTED = {"MESHY_API_KEY": "x"}


def test_the_first_version_comes_when_somebody_looks_and_holds_at_once() -> None:
    assert not Version.objects.exists()
    version = publishing.in_force("privacy")
    assert (version.number, version.substance, version.summary) == (1, False, "The first version.")
    assert version.effective_at == version.published_at
    assert publishing.in_force("privacy") == version
    assert publishing.changes() == []


def test_nothing_new_is_no_version() -> None:
    assert [one.document for one in publishing.publish()] == Document.values
    assert publishing.publish() == []
    tasks.publish()
    assert Version.objects.count() == 4


def test_wording_holds_at_once(settings) -> None:
    publishing.publish()
    settings.OPERATOR_NAME = "Example GmbH"
    found = {one.document: one for one in publishing.publish()}
    assert set(found) == {"privacy", "terms"}
    version = found["privacy"]
    assert (version.number, version.substance) == (2, False)
    assert "Nothing of substance" in version.summary
    assert publishing.in_force("privacy") == version


def test_what_its_file_says_is_of_substance_waits(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.NOTICE_DAYS = 14
    first = publishing.in_force("terms")
    raised = texts.parse("---\nsubstance: 2\nsummary: Models cost more.\n---\n# Terms\n\nOther words.\n")
    monkeypatch.setattr(texts, "source", lambda name: raised)
    version = publishing.publish_one("terms")
    assert version is not None
    assert version.substance
    assert version.summary == "Models cost more."
    assert version.effective_at - version.published_at == timedelta(days=14)
    assert publishing.in_force("terms") == first
    assert publishing.changes() == [version]
    Version.objects.filter(pk=version.pk).update(effective_at=timezone.now())
    assert publishing.in_force("terms") == version


def test_wording_on_top_of_a_change_waits_with_it(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    publishing.in_force("terms")
    raised = texts.parse("---\nsubstance: 2\nsummary: More.\n---\n# Terms\n\nBy {{ site }}.\n")
    monkeypatch.setattr(texts, "source", lambda name: raised)
    coming = publishing.publish_one("terms")
    settings.SITE_URL = "https://other.example"
    third = publishing.publish_one("terms")
    assert coming is not None
    assert third is not None
    assert not third.substance
    assert third.effective_at == coming.effective_at
    assert publishing.in_force("terms").number == 1


def test_a_new_receiver_is_of_substance_and_one_that_goes_is_not(settings) -> None:
    settings.PROVIDERS = ["embedded"]
    publishing.in_force("sub-processors")
    settings.PROVIDER_ENVIRONMENT, settings.PROVIDERS_COMING = HOSTED, ["meshy"]
    announced = publishing.publish_one("sub-processors")
    assert announced is not None
    assert announced.substance
    assert announced.summary == "New on the list: Meshy."
    assert announced.mark["coming"] == ["Meshy"]

    settings.PROVIDERS, settings.PROVIDERS_COMING = ["embedded", "meshy"], []
    enabled = publishing.publish_one("sub-processors")
    assert enabled is not None
    assert not enabled.substance  # people were told when it was announced
    assert "On this list since" in enabled.text

    settings.PROVIDERS = ["embedded"]
    gone = publishing.publish_one("sub-processors")
    assert gone is not None
    assert not gone.substance
    assert gone.summary == "No longer on the list: Meshy."


def test_other_terms_are_of_substance(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from generation.providers import meshy

    settings.PROVIDERS, settings.PROVIDER_ENVIRONMENT = ["embedded", "meshy"], HOSTED
    publishing.in_force("sub-processors")
    (kind,) = meshy.PROVIDERS
    monkeypatch.setattr(kind, "card", replace(kind.card, keeps=timedelta(days=30)))
    version = publishing.publish_one("sub-processors")
    assert version is not None
    assert version.substance
    assert version.summary == "On other terms: Meshy."


def test_a_new_kind_of_thing_that_is_held_is_of_substance(monkeypatch: pytest.MonkeyPatch) -> None:
    publishing.in_force("privacy")
    diary = Holding(
        "diary", "Diaries", Section.ACCOUNT, why="To remember.", basis=Basis.CONTRACT, keeps="account",
        items=(Item("pages", "What was written"),),
    )  # fmt: skip
    whole = datamap.held()
    monkeypatch.setattr(datamap, "held", lambda: (*whole, diary))
    version = publishing.publish_one("privacy")
    assert version is not None
    assert version.substance
    assert version.summary == "New on the list: Diaries."


def test_since_when_somebody_is_on_the_list_does_not_change_from_day_to_day(settings) -> None:
    settings.PROVIDERS, settings.PROVIDER_ENVIRONMENT = ["embedded", "meshy"], HOSTED
    publishing.in_force("sub-processors")
    Version.objects.update(published_at=timezone.now() - timedelta(days=40))
    since = publishing.listed_since()
    assert since == {"Meshy": (timezone.now() - timedelta(days=40)).date().isoformat()}
    # As on the day it was published, so nothing is new; only the day that was moved by hand differs.
    text, _ = publishing.rendered("sub-processors", timezone.now())
    assert text == publishing.rendered("sub-processors", timezone.now() + timedelta(days=3))[0]


@pytest.mark.django_db(transaction=True)
def test_two_that_publish_at_once_make_one_version() -> None:
    found: list[Version] = []

    def look() -> None:
        try:
            found.append(publishing.in_force("security"))
        finally:
            connection.close()

    threads = [Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.pk for one in found} == {Version.objects.get().pk}
    assert len(found) == 4


def test_one_text_for_each_number(change) -> None:
    version = change("terms")
    version.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        version.save(force_insert=True)


def test_the_command_says_what_it_did(settings) -> None:
    def run(*arguments: str) -> str:
        out = StringIO()
        call_command("publish_documents", *arguments, stdout=out)
        return out.getvalue()

    assert "privacy: would be version 1" in run("--dry-run")
    assert not Version.objects.exists()
    assert "privacy: version 1, in force. The first version." in run()
    assert run().count("nothing new") == 4
    settings.PROVIDERS, settings.PROVIDER_ENVIRONMENT = ["embedded", "meshy"], HOSTED
    said = run("--dry-run")
    assert "sub-processors: would be version 2, a change of substance" in said
    assert "+ Meshy" in said
    assert Version.objects.count() == 4
    assert "sub-processors: version 2, takes effect on " in run()


def test_the_command_names_an_unknown_value(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = texts.parse("---\nsubstance: 1\nsummary: s\n---\n{{ nothing.here }}\n")
    monkeypatch.setattr(texts, "source", lambda name: wrong)
    with pytest.raises(CommandError, match=r"nothing\.here"):
        call_command("publish_documents", stdout=StringIO())


def test_changes_are_told_of_for_a_while(change) -> None:
    coming = change("privacy", days=5)
    recent = change("terms", days=-(facts.TOLD_FOR.days - 1))
    change("security", days=-(facts.TOLD_FOR.days + 1))
    change("security", days=3, substance=False)
    assert publishing.changes() == [recent, coming]


@pytest.mark.django_db(transaction=True)
def test_the_migration_can_be_undone() -> None:
    try:
        MigrationExecutor(connection).migrate([("trust", None)])
        assert "trust_version" not in connection.introspection.table_names()
    finally:
        call_command("migrate", verbosity=0)
    assert publishing.in_force("terms").number == 1
