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
        since, until = history.span(page, first=not before)  # of which time the page has every job
        assert until >= now
        assert since == (now if page.before else None)
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
    def away() -> None:
        raise vault.Unavailable

    job = drive(send(), Job.Stage.DELIVER)
    with monkeypatch.context() as moment:
        moment.setattr("privacy.vault.store", away)
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
