"""The pages and addresses of the main job: what they answer, and to whom."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any, cast
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import StreamingHttpResponse
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone

from billing import ledger
from generation.models import Job
from generation.options import JobOptions
from privacy import vault
from privacy.models import Blob, Receipt
from tests.generation.conftest import photo

pytestmark = pytest.mark.django_db(transaction=True)
JSON = {"Accept": "application/json"}


@pytest.fixture
def browser(owner) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def upload(client: Client, data: bytes | None = None, name: str = "me at home.jpg", **fields: object):
    picture = SimpleUploadedFile(name, photo() if data is None else data, "image/jpeg")
    form = {"quality": "draft", "keep": "10", "request_key": str(uuid4()), "photo": picture, **fields}
    return client.post(reverse("generation:create"), form, headers=JSON)


def test_upload_makes_a_job(browser, service, owner) -> None:
    answer = upload(browser)
    assert answer.status_code == 201
    job = Job.objects.get()
    assert answer.json() == {"job": f"/jobs/{job.pk}"}
    assert (job.owner, job.keep_minutes, job.quality, job.credits) == (owner, 10, "draft", 1)
    assert {blob.kind: blob.state for blob in Blob.objects.filter(group=job.pk)} == {
        "upload": "destroyed",
        "source": "sealed",
    }


def test_form_without_script_leads_to_the_job(browser, service) -> None:
    picture = SimpleUploadedFile("a.jpg", photo(), "image/jpeg")
    answer = browser.post(reverse("generation:create"), {"photo": picture})
    assert answer.status_code == 302
    assert answer["Location"] == reverse("generation:job", args=[Job.objects.get().pk])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"photo": ""}, "Choose a photo first"),
        ({"quality": "best"}, "best"),
        ({"keep": "1000000"}, "1000000"),
        ({"provider": "nobody"}, "nobody"),
        ({"back": "painted"}, "painted"),
        ({"print_size_mm": "9"}, "10 to 1000"),
        ({"print_size_mm": "1001"}, "10 to 1000"),
        ({"print_size_mm": "12.5"}, "10 to 1000"),
        ({"print_size_mm": "a foot"}, "10 to 1000"),
        ({"print_size_mm": "120", "keep_all": "on"}, "A printer makes one piece"),
        ({"untextured": "on", "normal_map": "on"}, "A bare shape has no colours"),
        ({"untextured": "on", "back": "mirrored"}, "A bare shape has no colours"),
        ({"target_triangles": "499"}, "500 to 300000"),
        ({"target_triangles": "300001"}, "500 to 300000"),
        ({"most_credits": "-1"}, "whole number of credits"),
        ({"most_credits": "0"}, "Nothing is to be had for 0 credits"),
        ({"format": "dwg"}, "dwg"),
        ({"request_key": "1; drop table"}, "UUID"),
    ],
)
def test_bad_choice_is_a_clear_answer_and_leaves_nothing(browser, service, fields, said) -> None:
    answer = upload(browser, **fields)
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert said in answer.json()["detail"]
    assert not Job.objects.exists()
    assert not Blob.objects.exists()


OPTIONS: dict[str, Any] = {
    "back": "mirrored",
    "flatten_light": "on",
    "normal_map": "on",
    "print_size_mm": "120",
}


def test_options_are_kept_with_the_job_where_they_are_not_as_usual(browser) -> None:
    assert upload(browser, back="invented", print_size_mm="").status_code == 201
    assert upload(browser, keep_all="on").status_code == 201
    assert upload(browser, **OPTIONS).status_code == 201
    usual, everything, chosen = Job.objects.order_by("created_at")
    assert usual.options == {}
    assert everything.options == {"keep_all": True}
    assert chosen.options == {"back": "mirrored", "flatten_light": True, "normal_map": True, "print_size_mm": 120}
    chosen.stage = Job.Stage.OVER
    chosen.outcome = "done"
    chosen.save()
    page = browser.get(reverse("generation:job", args=[chosen.pk])).content.decode()
    for line in (
        "<dd>mirrored</dd>",
        "<dd>evened out</dd>",
        "<dd>added</dd>",
        "<dd>120 mm</dd>",
    ):
        assert line in page


def test_an_option_that_no_provider_honours_is_refused_by_name(browser, service) -> None:
    page = browser.get(reverse("generation:create")).content.decode()
    assert 'name="normal_map"' in page
    assert 'name="print_size_mm"' not in page
    answer = upload(browser, normal_map="on", print_size_mm="120", back="mirrored")
    assert (answer.status_code, answer.json()["code"]) == (422, "option_not_offered")
    assert "“Mirrored back”, “Print size”." in answer.json()["detail"]
    assert not Job.objects.exists()
    assert not Blob.objects.exists()
    assert upload(browser, normal_map="on", keep_all="on").status_code == 201


def test_a_form_that_comes_back_keeps_what_was_chosen(browser) -> None:
    picture = SimpleUploadedFile("a.jpg", photo(), "image/jpeg")
    chosen = {**OPTIONS, "keep_all": "on", "quality": "high", "print_size_mm": "5000", "photo": picture}
    answer = browser.post(reverse("generation:create"), chosen)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="5000"' in page
    checked = re.findall(r'name="(\w+)"(?: value="(\w+)")?[^>]* checked', page)
    assert {"keep_all", "flatten_light", "normal_map"} <= {name for name, _ in checked}
    assert {("back", "mirrored"), ("quality", "high")} <= set(checked)
    assert '<details class="options" id="options" open>' in page
    assert "choose it again" in page


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
    made = {"top": picture, "one": picture, "two": lambda: [picture(), picture()], "none": lambda: picture(data=b"no")}
    answer = upload(browser, **{name: made[value]() if value in made else value for name, value in fields.items()})
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
    from generation import health
    from generation.models import Attempt

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
    from generation.provider import Card
    from generation.routing import Offer

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
    from generation.models import Attempt

    job = send()
    now = timezone.now()
    address = reverse("generation:job", args=[job.pk])
    Job.objects.filter(pk=job.pk).update(stage="dispatch", waiting="providers_down", queue="default")
    page = browser.get(address).content.decode()
    assert "Waiting for a provider" in page
    assert "We keep trying for 20 minutes" in page

    Job.objects.filter(pk=job.pk).update(stage="watch", waiting="", provider="meshy")
    first = Attempt.objects.create(job=job, number=1, provider="meshy", state="running", started_at=now)
    page = browser.get(address).content.decode()
    assert "photo is at</dt><dd>Meshy</dd>" in page
    assert "not stated by Meshy" in page
    assert "Who received the photo" not in page

    first.end(Attempt.State.FAILED, "provider_unavailable")
    first.erasure = {"result": "erased", "at": now.isoformat()}
    first.save()
    Attempt.objects.create(job=job, number=2, provider="embedded", state="submitting", started_at=now)
    page = browser.get(address).content.decode()
    assert "Who received the photo" in page
    assert "stopped answering; <span >erased</span>" in page
    assert "photo is at</dt><dd>Our own engine</dd>" in page


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
    from generation.models import Attempt

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
    assert re.search(r'class="had">Meshy<span class="small quiet">place: not stated by Meshy', history)


def test_history_names_nobody_who_got_nothing(browser, send, hosted) -> None:
    from generation.models import Attempt

    job = send()
    now = timezone.now()
    Job.objects.filter(pk=job.pk).update(provider="meshy", waiting="provider_busy")
    assert "Meshy" not in browser.get(reverse("generation:history")).content.decode()
    Attempt.objects.create(job=job, number=1, provider="meshy", state="failed", started_at=now, ended_at=now)
    Attempt.objects.create(job=job, number=2, provider="embedded", state="running", started_at=now)
    page = browser.get(reverse("generation:history")).content.decode()
    assert "Our own engine" in page
    assert "after 1 other" in page


def test_a_print_is_not_of_everything() -> None:
    with pytest.raises(ValueError, match="keep_all"):
        JobOptions(keep_all=True, print_size_mm=120)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>", photo()[:500]])
def test_bad_photo_is_a_clear_answer_and_leaves_nothing(browser, service, owner, data) -> None:
    answer = upload(browser, data)
    assert answer.status_code == 422
    assert answer.json()["detail"]
    assert not Blob.objects.exists()
    assert ledger.balance(owner).held == 0
    page = browser.post(reverse("generation:create"), {"photo": SimpleUploadedFile("a.jpg", data, "image/jpeg")})
    assert page.status_code == 422
    assert b"<form" in page.content


def test_every_address_is_the_owners_alone(browser, stranger, send, drive, service) -> None:
    job = drive(send(), Job.Stage.DELIVER)
    other, nobody = Client(), Client()
    other.force_login(stranger)
    gets = ["job", "state", "events", "asset", "receipt"]
    posts = ["acknowledge", "cancel"]
    for name in gets + posts:
        url = reverse(f"generation:{name}", args=[job.pk])
        ask = "get" if name in gets else "post"
        assert getattr(other, ask)(url).status_code == 404, name
        answer = getattr(nobody, ask)(url)
        assert answer.status_code == 404 or "/account/login" in answer["Location"], name
    job.refresh_from_db()
    assert (job.cancel_requested_at, job.acknowledged_at, job.stage) == (None, None, Job.Stage.DELIVER)
    assert str(job.pk) not in other.get(reverse("generation:history")).content.decode()
    assert str(job.pk) in browser.get(reverse("generation:history")).content.decode()
    assert browser.get(reverse("generation:job", args=[job.pk])).status_code == 200
    assert browser.get(reverse("generation:state", args=[job.pk])).json()["asset"]["triangles"] == job.triangles


def fetch(owner, job: Job, name: str = "asset") -> tuple[int, dict[str, str], bytes]:
    async def ask() -> tuple[int, dict[str, str], bytes]:
        client = AsyncClient()
        await client.aforce_login(owner)
        answer = await client.get(reverse(f"generation:{name}", args=[job.pk]))
        if not answer.streaming:
            return answer.status_code, dict(answer.headers), answer.content
        parts = [part async for part in cast(StreamingHttpResponse, answer)]
        return answer.status_code, dict(answer.headers), b"".join(parts)

    return asyncio.run(ask())


def test_asset_can_be_fetched_until_it_is_acknowledged(browser, owner, send, drive, service) -> None:
    job = drive(send(), Job.Stage.DELIVER)
    for _ in range(2):
        status, headers, body = fetch(owner, job)
        assert status == 200
        assert body[:4] == b"glTF"
        assert int(headers["Content-Length"]) == len(body) == job.asset_bytes
        assert "no-store" in headers["Cache-Control"]
    answer = browser.post(reverse("generation:acknowledge", args=[job.pk]), headers=JSON)
    assert answer.json()["asset"] is None
    assert fetch(owner, job)[0] == 404
    drive(job)
    answer = browser.get(reverse("generation:receipt", args=[job.pk]))
    assert answer.json() == Receipt.objects.get(group=job.pk).document


def test_asset_whose_key_was_lost_returns_the_credits(owner, send, drive, service) -> None:
    from privacy import keystore

    job = drive(send(), Job.Stage.DELIVER)
    keystore.drop(job.asset_id)
    assert fetch(owner, job)[0] == 404
    drive(job)
    job.refresh_from_db()
    assert (job.outcome, job.failure, job.charged) == ("failed", "key_lost", False)


def test_acknowledging_before_there_is_anything_does_nothing(browser, send, service) -> None:
    job = send()
    browser.post(reverse("generation:acknowledge", args=[job.pk]))
    job.refresh_from_db()
    assert job.acknowledged_at is None


def test_cancel_twice_is_once(browser, send, drive, service) -> None:
    job = send()
    for _ in range(2):
        assert browser.post(reverse("generation:cancel", args=[job.pk])).status_code == 302
    assert drive(job).outcome == "cancelled"


def test_events_tell_the_state_and_end_with_the_job(owner, send, drive, service) -> None:
    job = drive(send(), Job.Stage.DELIVER)
    Job.objects.filter(pk=job.pk).update(acknowledged_at=timezone.now())
    drive(job)
    status, headers, body = fetch(owner, job, "events")
    assert status == 200
    assert headers["Content-Type"].startswith("text/event-stream")
    data = json.loads(body.decode().split("data: ")[1].split("\n")[0])
    assert data["final"]
    assert data["receipt"]["document"] == Receipt.objects.get(group=job.pk).document
    assert [line["code"] for line in data["timeline"]] == [
        "received", "cut_out", "built", "checked", "photo_destroyed", "delivered", "destroyed"
    ]  # fmt: skip
    assert {line["state"] for line in data["timeline"]} == {"done"}


def test_history_pages_do_not_skip_or_repeat(browser, owner, settings, monkeypatch) -> None:
    from generation import history

    monkeypatch.setattr(history, "PAGE_SIZE", 3)
    now = timezone.now()
    for _ in range(8):
        Job.objects.create(owner=owner, created_at=now, due_at=now, deadline_at=now, stage="over", outcome="done")
    seen: list[str] = []
    before = ""
    for _ in range(3):
        page = history.page(owner=owner, state="done", before=before)
        seen += [str(job.pk) for job in page.jobs]
        before = page.before
    assert before == ""
    assert len(seen) == len(set(seen)) == 8
    assert history.page(owner=owner, state="failed").jobs == []
    for hostile in ["x", "_", "2026-01-01_", "2026-01-01T00:00:00_" + str(uuid4()), "\x00_\x00"]:
        assert browser.get(reverse("generation:history"), {"before": hostile, "state": hostile}).status_code == 200


def test_pages_for_people_who_are_not_signed_in(db) -> None:
    nobody = Client()
    assert nobody.get(reverse("generation:landing")).status_code == 200
    for name in ["create", "history"]:
        assert "/account/login" in nobody.get(reverse(f"generation:{name}"))["Location"]


def test_pages_can_be_asked_for_their_headers_only(browser, send, service) -> None:
    job = send()
    for name, args in [("landing", []), ("create", []), ("history", []), ("job", [job.pk]), ("state", [job.pk])]:
        answer = browser.head(reverse(f"generation:{name}", args=args))
        assert (name, answer.status_code, answer.content) == (name, 200, b"")
    assert Job.objects.count() == 1


def test_nothing_private_stays_in_a_cache(browser, owner, send, drive, service) -> None:
    job = drive(send(), Job.Stage.DELIVER)
    browser.post(reverse("generation:acknowledge", args=[job.pk]))
    drive(job)
    for name, args in [("create", []), ("history", []), *((n, [job.pk]) for n in ("job", "state", "receipt"))]:
        answer = browser.get(reverse(f"generation:{name}", args=args))
        assert answer.status_code == 200
        assert "no-store" in answer.headers.get("Cache-Control", ""), name
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("before", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_key_at_the_end_of_time_is_only_a_key(browser, before) -> None:
    answer = browser.get(reverse("generation:history"), {"before": f"{before}_{uuid4()}"})
    assert answer.status_code == 200


def test_an_asset_whose_store_is_away_can_be_asked_for_again(owner, send, drive, service, monkeypatch) -> None:
    def away(_: object) -> None:
        raise vault.Unavailable

    job = drive(send(), Job.Stage.DELIVER)
    with monkeypatch.context() as moment:
        moment.setattr("privacy.vault.read", away)
        status, headers, _ = fetch(owner, job)
    assert status == 503
    assert int(headers["Retry-After"]) > 0
    assert fetch(owner, job)[0] == 200


def test_a_photo_whose_store_is_away_is_told_so(browser, service, owner, monkeypatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise vault.Unavailable

    monkeypatch.setattr(vault, "seal", away)
    answer = upload(browser)
    assert answer.status_code == 503
    assert answer.json()["code"] == "unavailable"
    assert not Blob.objects.exists()
    assert ledger.balance(owner).held == 0


@pytest.mark.parametrize("name", ["events", "asset"])
def test_an_open_stream_holds_no_connection_to_the_database(owner, send, drive, service, name) -> None:
    from django.db import connections

    job = drive(send(), Job.Stage.DELIVER)

    async def ask() -> list[bool]:
        client = AsyncClient()
        await client.aforce_login(owner)
        answer = cast(StreamingHttpResponse, await client.get(reverse(f"generation:{name}", args=[job.pk])))
        held = []
        async for part in cast(AsyncIterator[bytes], answer.streaming_content):
            if part.startswith((b"event: state", b"glTF")):
                held.append(await sync_to_async(lambda: connections["default"].connection is not None)())
                break
        return held

    assert asyncio.run(ask()) == [False]
