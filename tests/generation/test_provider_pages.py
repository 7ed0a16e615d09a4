"""Who may receive photos, for everybody to read; and who may receive one's own, for its owner to limit."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse

from generation import registry
from generation.models import ProcessingLimits
from generation.providers.meshy import Meshy
from generation.restrictions import Restrictions
from tests.generation.test_views import upload

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def browser(owner) -> Client:
    client = Client()
    client.force_login(owner)
    return client


@pytest.fixture
def hosted(settings) -> None:
    """Meshy beside our own engine, Meshy listed first."""
    settings.PROVIDER_ENVIRONMENT = {"MESHY_API_KEY": "test-key", "MESHY_URL": "http://127.0.0.1:9"}
    settings.PROVIDERS = ["meshy", "embedded"]


def entry(page: str, name: str) -> str:
    """A provider's entry on the page, as text without markup."""
    found = re.search(rf'<article class="sheet" id="{name}".*?</article>', page, re.DOTALL)
    assert found, name
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0]))


def test_everybody_reads_what_each_card_says(hosted, db) -> None:
    page = Client().get(reverse("generation:providers")).content.decode()
    assert re.findall(r'<article class="sheet" id="([\w-]+)"', page) == ["embedded", "meshy"]
    own, meshy = entry(page, "embedded"), entry(page, "meshy")
    for said in ("Keeps nothing once the model is there.", "goes to no other company", "Learns nothing from photos."):
        assert said in own
    for said in (
        "goes to another company: Meshy LLC",
        "up to 3 days",
        "Does not say in which country",
        "Does not say whether it learns from photos.",
        "Deletes a job’s files when we ask",
        "6 credits",
        "10 credits",
        "12 credits",
        "the front, from the left, the back, from the right",
        "Without texture, Number of triangles",
        Meshy.card.evidence,
    ):
        assert said in meshy, said


def test_what_a_card_admits_is_on_the_page(hosted, db, monkeypatch) -> None:
    worst = replace(
        Meshy.card, keeps=None, can_erase=False, trains_on_input=True, region="US", licence="Not for Mondays."
    )
    monkeypatch.setattr(Meshy, "card", worst)
    meshy = entry(Client().get(reverse("generation:providers")).content.decode(), "meshy")
    for said in (
        "Does not say how long it keeps what it gets.",
        "Offers no way to delete",
        "May learn from photos.",
        "United States",
        "Not for Mondays.",
    ):
        assert said in meshy, said


def test_a_site_without_providers_says_so(settings, browser) -> None:
    settings.PROVIDERS = ["meshy"]
    settings.PROVIDER_ENVIRONMENT = {}
    assert "No provider is set up here" in browser.get(reverse("generation:providers")).content.decode()
    page = browser.get(reverse("generation:create")).content.decode()
    assert "No provider is set up here, so no photo can be sent." in page
    assert re.search(r'id="send" disabled', page)


def test_the_way_there_is_on_every_page(hosted, browser) -> None:
    for name in ("generation:landing", "generation:create", "accounts:home"):
        assert f'href="{reverse("generation:providers")}"' in browser.get(reverse(name)).content.decode(), name
    for name in ("generation:create", "accounts:home", "generation:providers"):
        assert f'href="{reverse("generation:limits")}"' in browser.get(reverse(name)).content.decode(), name


def test_limits_are_their_owners_alone(hosted, browser, owner, stranger) -> None:
    address = reverse("generation:limits")
    nobody = Client()
    assert "/account/login" in nobody.get(address)["Location"]
    assert "/account/login" in nobody.post(address, {"no_retention": "on"})["Location"]
    browser.post(address, {"anywhere": "yes", "no_retention": "on"})
    other = Client()
    other.force_login(stranger)
    assert 'id="id_no_retention" aria-describedby="no_retention-help" >' in other.get(address).content.decode()
    assert list(ProcessingLimits.objects.values_list("owner_id", flat=True)) == [owner.pk]


def test_limits_are_saved_shown_and_honoured(hosted, browser, owner) -> None:
    address = reverse("generation:limits")
    chosen = {
        "self_hosted": "on",
        "no_retention": "on",
        "no_training": "on",
        "anywhere": "no",
        "regions": ["self"],
        "never": ["meshy"],
    }
    answer = browser.post(address, chosen, follow=True)
    assert "Saved." in answer.content.decode()
    kept = Restrictions.restored(ProcessingLimits.objects.get(owner=owner).restrictions)
    assert kept == Restrictions(
        self_hosted=True,
        no_retention=True,
        no_training=True,
        regions=frozenset({"self"}),
        never=frozenset({"meshy"}),
    )
    page = browser.get(address).content.decode()
    assert len(re.findall(r"<input[^>]* checked>", page)) == 6
    assert re.findall(r'<li class="(may|may-not)">', page) == ["may-not", "may"]
    assert "you ruled it out by name" in page
    assert "none-left" not in page

    page = browser.get(reverse("generation:create")).content.decode()
    assert re.search(r'value="meshy"[^>]* disabled', page)
    assert "excluded by your limits" in page
    answer = upload(browser, provider="meshy")
    assert (answer.status_code, answer.json()["code"]) == (422, "restricted")
    assert list(answer.json()["errors"]) == ["provider"]
    assert "Your limits" in answer.json()["detail"]
    assert upload(browser, provider="embedded").status_code == 201


def test_limits_that_leave_nobody_are_saved_with_a_warning(hosted, browser) -> None:
    answer = browser.post(reverse("generation:limits"), {"never": ["meshy", "embedded"]}, follow=True)
    assert "Nobody may receive your photos." in answer.content.decode()
    page = browser.get(reverse("generation:create")).content.decode()
    assert "Your limits leave nobody to send a photo to." in page
    assert re.search(r'id="send" disabled', page)
    assert upload(browser).json()["code"] == "restricted"


@pytest.mark.parametrize(
    "chosen", [{"anywhere": "no"}, {"anywhere": "no", "regions": ["XX"]}, {"never": ["nobody"]}, {"anywhere": "sea"}]
)
def test_limits_that_cannot_be_meant_are_refused(hosted, browser, chosen) -> None:
    answer = browser.post(reverse("generation:limits"), chosen)
    assert answer.status_code == 422
    assert 'class="error"' in answer.content.decode()
    assert not ProcessingLimits.objects.exists()


def test_a_limit_on_a_provider_that_is_gone_stays(hosted, browser, owner, settings) -> None:
    address = reverse("generation:limits")
    browser.post(address, {"never": ["meshy"]})
    settings.PROVIDERS = ["embedded"]
    assert [card.name for card in registry.cards()] == ["embedded"]
    page = browser.get(address).content.decode()
    assert re.search(r'value="meshy"[^>]* checked', page)
    assert browser.post(address, {"never": ["meshy"]}).status_code == 302
    assert ProcessingLimits.objects.get(owner=owner).restrictions == {"never": ["meshy"]}
