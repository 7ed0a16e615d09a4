"""Who receives a photo: what the create page offers, takes and refuses, and who a job's page says has it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generation import health
from generation.models import Attempt, Job
from generation.provider import Card
from generation.routing import Offer
from privacy.models import Blob
from tests.generation.conftest import photo
from tests.generation.test_views import upload

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def browser(owner) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def picture(name: str = "a.jpg", data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, photo() if data is None else data, "image/jpeg")


@pytest.fixture
def hosted(settings) -> None:
    """Meshy, which takes photos from all sides, beside our own engine, which takes the back."""
    settings.PROVIDER_ENVIRONMENT = {"MESHY_API_KEY": "test-key", "MESHY_URL": "http://127.0.0.1:9"}
    settings.PROVIDERS = ["meshy", "embedded"]


def test_photos_from_several_sides_are_kept_by_view(browser, hosted) -> None:
    assert upload(browser, photo_back=picture("b.jpg"), photo_left=picture("l.jpg")).status_code == 201
    job = Job.objects.get()
    assert list(job.photos()) == ["front", "left", "back"]
    kinds = sorted(Blob.objects.filter(group=job.pk).values_list("kind", "state"))
    assert kinds == [("source", "sealed")] * 3 + [("upload", "destroyed")] * 3
    assert job.credits == 6  # what Meshy takes: ours knows the back only


@pytest.mark.parametrize(
    ("fields", "code", "said"),
    [
        ({"photo_top": "top"}, "unexpected_field", "a name this form does not have"),
        ({"photo_back": "two"}, "several_files", "One photo for each side"),
        ({"photo_back": "none"}, "unreadable", ""),
        ({"photo_left": "one", "provider": "embedded"}, "views_not_offered", "takes these photos together"),
        ({"photo_left": "one", "no_retention": "on"}, "views_not_offered", "takes these photos together"),
    ],
)
def test_photos_that_cannot_be_taken_leave_nothing(browser, hosted, fields, code, said) -> None:
    made: dict[str, Callable[[], object]] = {
        "top": picture,
        "one": picture,
        "two": lambda: [picture(), picture()],
        "none": lambda: picture(data=b"no"),
    }
    sent: dict[str, Any] = {name: made[value]() if value in made else value for name, value in fields.items()}
    answer = upload(browser, **sent)
    assert answer.status_code == 422
    if said:
        assert answer.json()["code"] == code
    assert said in answer.json()["detail"]
    assert not Job.objects.exists()
    assert not Blob.objects.exists()


def test_only_photos_that_somebody_takes_are_asked_for(browser, hosted, settings) -> None:
    def asked() -> list[str]:
        page = browser.get(reverse("generation:create")).content.decode()
        return re.findall(r'<input type="file" name="(\w+)"', page)

    assert asked() == ["photo", "photo_back", "photo_left", "photo_right"]
    settings.PROVIDERS = ["embedded"]
    assert asked() == ["photo", "photo_back"]


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"provider": "meshy", "most_credits": "5"}, "most_credits", "for 5 credits or fewer"),
        ({"provider": "meshy", "no_retention": "on"}, "provider", "Your limits"),
        ({"provider": "meshy", "normal_map": "on"}, "provider", "“Fine relief”"),
        ({"format": "usdz"}, "format", "USDZ"),
    ],
)
def test_a_refusal_stands_beside_what_it_is_about(browser, hosted, fields, field, said) -> None:
    answer = upload(browser, **fields)
    assert answer.status_code == 422
    assert said in answer.json()["errors"][field][0]["message"]
    page = browser.post(reverse("generation:create"), {**fields, "photo": picture()}).content.decode()
    shown = re.search(rf'<p class="error" id="{field}-error" ?>.*?</p>', page, re.DOTALL)
    assert shown
    assert said in shown[0]
    assert "choose it again" in page
    for name, value in fields.items():
        if name != "format":  # which nobody here makes, so there is no such choice
            assert re.search(rf'name="{name}"[^>]*(value="{value}"|checked)', page), name


def test_who_may_get_this_photo_is_kept_with_the_job(browser, hosted) -> None:
    assert upload(browser, self_hosted="on", no_retention="on", no_training="on", most_credits="1").status_code == 201
    job = Job.objects.get()
    assert job.restrictions == {"self_hosted": True, "no_retention": True, "no_training": True}
    assert job.credits == 1


def test_each_offer_says_what_it_is(browser, hosted, settings) -> None:
    page = browser.get(reverse("generation:create")).content.decode()
    offer = page[page.index('value="meshy"') :]
    for said in (
        'data-views="', 'data-credits-draft="6"', 'data-rank-standard="1"', "keeps ≤ 3 d",
        "does not say whether it trains", "draft 6, standard 10, fine 12 credits", 'href="/providers#meshy"',
    ):  # fmt: skip
        assert said in offer, said
    # Without a script, the prices are those of the best offer.
    assert re.findall(r'data-price="(\w+)">(\d+) credit', page) == [("draft", "1"), ("standard", "1"), ("high", "2")]
    chosen = browser.post(reverse("generation:create"), {"provider": "meshy"}).content.decode()
    assert re.findall(r'data-price="(\w+)">(\d+) credit', chosen) == [
        ("draft", "6"), ("standard", "10"), ("high", "12")
    ]  # fmt: skip
    assert "Best available" in page
    settings.PROVIDERS = ["embedded"]
    page = browser.get(reverse("generation:create")).content.decode()
    assert "Best available" not in page
    assert re.search(r'value="embedded"[^>]* checked', page)
    assert 'name="no_training"' not in page


@pytest.mark.parametrize(
    ("happens", "said", "disabled"),
    [
        ("misconfigured", "not set up correctly here", True),
        ("throttled", "not answering just now", False),
        ("busy", "every place taken", False),
    ],
)
def test_an_offer_says_how_it_is_doing(browser, hosted, settings, send, happens, said, disabled) -> None:
    if happens == "misconfigured":
        health.misconfigured("meshy")
    elif happens == "throttled":
        health.throttled("meshy", 60)
    else:
        settings.PROVIDER_SLOTS = ["meshy:1"]
        now = timezone.now()
        Attempt.objects.create(job=send(), number=1, provider="meshy", slot=0, started_at=now, state="running")
        cache.clear()  # figures are read every few seconds only
    page = browser.get(reverse("generation:create")).content.decode()
    assert said in page
    assert bool(re.search(r'value="meshy"[^>]* disabled', page)) is disabled
    health.worked("meshy")


def test_many_offers_are_folded(browser, settings, monkeypatch) -> None:
    cards = [
        Card(name=f"p{number}", label=f"P{number}", place="here", credits={"standard": number}, typical_seconds={})
        for number in range(1, 12)
    ]
    monkeypatch.setattr("generation.health.offers", lambda: [Offer(card) for card in cards])
    page = browser.get(reverse("generation:create")).content.decode()
    first, folded = page[: page.index('id="more-offers"')], page[page.index('id="more-offers"') :]
    assert re.findall(r'id="provider-(\w+)"', first) == ["best", "p1", "p2", "p3", "p4"]
    assert len(re.findall(r'id="provider-(p\d+)"', folded)) == 7
    assert "7 more" in folded


def test_job_page_says_who_has_the_photo(browser, send, hosted) -> None:
    job = send()
    now = timezone.now()
    address = reverse("generation:job", args=[job.pk])
    Job.objects.filter(pk=job.pk).update(stage="dispatch", waiting="providers_down", queue="default")
    page = browser.get(address).content.decode()
    assert "Waiting for a provider" in page
    assert '<p class="lead">No provider that may take this job answers just now. We keep trying' in page

    Job.objects.filter(pk=job.pk).update(stage="watch", waiting="", provider="meshy")
    first = Attempt.objects.create(job=job, number=1, provider="meshy", state="running", started_at=now)
    page = browser.get(address).content.decode()
    assert "photo is at</dt><dd>Meshy</dd>" in page
    assert "not stated" in page
    assert "Who received the photo" not in page
    assert "the receipt says what Meshy does with its own" in page

    first.end(Attempt.State.FAILED, "provider_unavailable")
    first.erasure = {"result": "erased", "at": now.isoformat()}
    first.save()
    Attempt.objects.create(job=job, number=2, provider="embedded", state="submitting", started_at=now)
    page = browser.get(address).content.decode()
    assert "Who received the photo" in page
    assert "stopped answering; <span >erased</span>" in page
    assert "photo is at</dt><dd>Our own engine</dd>" in page
    assert "Cancelling destroys the photo at once." in page


@pytest.mark.parametrize(
    ("erasure", "said", "open_still"),
    [
        ({"result": "erased"}, "erased", False),
        ({"result": "nothing_kept"}, "nothing kept", False),
        ({"result": "expires", "until": "2026-12-24T18:00:00+00:00"}, "keeps a copy until", True),
        ({"result": "swept"}, "no way to delete; the operator’s sweeper removes it", True),
        ({"result": "unsupported"}, "keeps it: it offers no way to delete", True),
        ({"result": "unknown"}, "what became of its copy is not known", True),
        ({"result": "of another version"}, "what became of its copy is not known", True),
    ],
)
def test_page_of_a_job_that_is_over_says_what_others_keep(browser, send, hosted, erasure, said, open_still) -> None:
    job = send()
    now = timezone.now()
    Attempt.objects.create(
        job=job, number=1, provider="meshy", state="finished", started_at=now, ended_at=now, erasure=erasure
    )
    Job.objects.filter(pk=job.pk).update(stage="over", outcome="done", finished_at=now, provider="meshy")
    page = browser.get(reverse("generation:job", args=[job.pk])).content.decode()
    assert "Who received the photo" in page
    assert said in page
    assert ("Not all copies were ours to destroy" in page) is open_still
    assert ("and nobody else can" in page) is not open_still
    if "until" in erasure:
        assert 'datetime="2026-12-24T18:00:00+00:00" data-as="dated"' in page
    history = browser.get(reverse("generation:history")).content.decode()
    assert re.search(r'class="had">Meshy<span class="small quiet">place: not stated', history)


def test_history_names_nobody_who_got_nothing(browser, send, hosted) -> None:
    job = send()
    now = timezone.now()
    Job.objects.filter(pk=job.pk).update(provider="meshy", waiting="provider_busy")
    attempt = Attempt.objects.create(job=job, number=1, provider="meshy", started_at=now)
    assert attempt.state == Attempt.State.CHOSEN
    assert "Meshy" not in browser.get(reverse("generation:history")).content.decode()
    attempt.end(Attempt.State.FAILED, "provider_failed")
    Attempt.objects.create(job=job, number=2, provider="embedded", state="running", started_at=now)
    page = browser.get(reverse("generation:history")).content.decode()
    assert "Our own engine" in page
    assert "after 1 other" in page
