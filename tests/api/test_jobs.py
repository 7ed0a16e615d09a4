"""Jobs by the API: sent, repeated, waited for, fetched, destroyed; each limit that the pages obey is obeyed here."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, connection
from django.test import AsyncClient, Client
from django.test.client import MULTIPART_CONTENT, encode_multipart
from PIL import Image

from accounts import throttle
from accounts.models import AccessKey, User
from accounts.throttle import Rate
from billing import ledger
from billing.models import Preferences
from generation import health, idempotency, intake
from generation.models import Job, ProcessingLimits
from privacy import export
from privacy.models import Blob
from tests.api.conftest import BASE, Asker, code_of
from tests.generation.conftest import photo

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def store(settings: Any, tmp_path: Any) -> None:
    settings.STORE_URL = f"file://{tmp_path}/blobs"


def form(asker: Asker, path: str = "/jobs", headers: dict[str, str] | None = None, **fields: Any) -> Any:
    body = encode_multipart("edge", fields)
    media_type = MULTIPART_CONTENT.replace("BoUnDaRyStRiNg", "edge")
    return asker("POST", path, data=body, content_type=media_type, headers=headers or {})


def image(data: bytes | None = None) -> io.BytesIO:
    found = io.BytesIO(photo() if data is None else data)
    found.name = "me at home.jpg"
    return found


def no_uploads_left() -> bool:
    return not Blob.objects.filter(kind="upload").exclude(state="destroyed").exists()


@pytest.mark.parametrize("way", ["form", "raw", "raw in chunks"])
def test_a_photo_becomes_a_job(ours: Asker, service: Any, owner: User, way: str) -> None:
    if way == "form":
        answer = form(ours, image=image(), quality="draft", keep_minutes="10", normal_map="true")
    else:
        answer = ours.send("/jobs?quality=draft&keep_minutes=10&normal_map=true")
    assert answer.status_code == 201
    shown = answer.json()
    job = Job.objects.get()
    assert answer["Location"] == shown["url"] == f"{BASE}/jobs/{job.pk}"
    assert (shown["id"], shown["state"], shown["credits"]) == (str(job.pk), "running", {"held": 1, "charged": 0})
    assert (job.owner, job.access_key, job.direct) == (owner, ours.key, False)
    assert (job.quality, job.keep_minutes, job.options) == ("draft", 10, {"normal_map": True})
    assert no_uploads_left()
    assert b"home" not in answer.content


def test_a_form_in_chunks_is_read(ours: Asker, service: Any) -> None:
    """A body without a declared length, as from a pipe."""
    from tests.api.asgi import Call

    body = encode_multipart("edge", {"image": image()})
    headers = {
        "Authorization": f"Bearer {ours.secret}", "Content-Type": "multipart/form-data; boundary=edge",
        "Transfer-Encoding": "chunked",
    }  # fmt: skip
    assert Call(f"{BASE}/jobs", body, headers).make().status == 201


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["image"]),
    ({"image": "not a file"}, ["image"]),
    ({"image": image, "quality": "best"}, ["quality"]),
    ({"image": image, "keep_minutes": "11"}, ["keep_minutes"]),
    ({"image": image, "keep_all": "yes"}, ["keep_all"]),
    ({"image": image, "print_size_mm": "9"}, ["print_size_mm"]),
    ({"image": image, "print_size_mm": "1e2"}, ["print_size_mm"]),
    ({"image": image, "max_credits": "-1", "quality": ""}, ["max_credits", "quality"]),
    ({"image": image, "colour": "red"}, ["colour"]),
    ({"image": image, "photo": image}, ["image"]),
    ({"image": image, "texture": "false", "normal_map": "true"}, ["texture"]),
    ({"image": image, "keep_all": "true", "print_size_mm": "100"}, ["keep_all"]),
    ({"image": image, "quality": ["draft", "high"]}, ["quality"]),
]


def test_a_wrong_field_is_named_and_leaves_nothing(ours: Asker, service: Any) -> None:
    for fields, names in WRONG:
        answer = form(ours, **{name: value() if callable(value) else value for name, value in fields.items()})
        assert (answer.status_code, answer.json()["code"], sorted(answer.json()["errors"])) == (422, "invalid", names)
    assert not Job.objects.exists()
    assert not Blob.objects.exclude(state="destroyed").exists()


CUT_SHORT = encode_multipart("edge", {"image": image()})[:-2000]
NO_PHOTO = [
    (b"{}", "application/json", 415, "media_type", None),
    (b"no picture", "image/png", 422, "photo_refused", "not_an_image"),
    (b"--edge\r\nnonsense", "multipart/form-data; boundary=edge", 422, "invalid", None),
    (b"x", "multipart/form-data", 400, "malformed", None),
    (CUT_SHORT, "multipart/form-data; boundary=edge", 400, "broken_off", None),
]


def test_what_is_no_photo_is_refused(ours: Asker, service: Any) -> None:
    for body, media_type, *wanted in NO_PHOTO:
        answer = ours.send(body=body, media_type=media_type)
        assert [answer.status_code, code_of(answer), answer.json().get("failure")] == wanted
    assert not Blob.objects.exclude(state="destroyed").exists()


def test_without_the_store_nothing_is_taken_in(ours: Asker, service: Any, settings: Any) -> None:
    settings.KEYSTORE_URL = "unix:///nowhere.sock"
    for answer in (ours.send(), form(ours, image=image())):
        assert (answer.status_code, code_of(answer), answer["Retry-After"]) == (503, "store_away", "60")
    assert not Job.objects.exists()


def test_a_copy_that_is_too_large_is_refused(ours: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_large(_: User) -> bytes:
        raise export.TooLarge

    monkeypatch.setattr(export, "archive", too_large)
    assert code_of(ours("GET", "/privacy/export")) == "copy_too_large"


def test_the_means_of_the_account_and_of_the_key_are_kept_to(
    ours: Asker, service: Any, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    AccessKey.objects.update(monthly_limit=1)
    refused = ours.send("/jobs?quality=standard")
    assert (refused.status_code, code_of(refused)) == (402, "key_limit")
    assert "leaves 1, and this takes more" in refused.json()["detail"]
    assert ours.send("/jobs?quality=draft").status_code == 201
    assert code_of(ours.send("/jobs?quality=draft")) == "key_limit"
    AccessKey.objects.update(monthly_limit=None)
    Preferences.objects.create(user=owner, monthly_limit=1)
    assert code_of(ours.send("/jobs?quality=draft")) == "spending_limit"
    Preferences.objects.all().delete()
    ProcessingLimits.objects.create(owner=owner, restrictions={"never": ["scripted"]})
    limited = ours.send("/jobs?quality=draft")
    assert (limited.status_code, code_of(limited), limited.json()["failure"]) == (422, "not_offered", "restricted")
    # Two wishes, neither of which alone is to blame: later it is no better, so it is no 503.
    several = ours.send("/jobs?quality=draft&max_credits=0")
    assert (several.status_code, code_of(several), several.json()["failure"]) == (422, "not_offered", "nothing_offered")
    assert ours("GET", "/providers").json()["providers"][0]["excluded"] == ["you ruled it out by name"]
    ProcessingLimits.objects.all().delete()
    assert ours.send("/jobs?max_credits=0").json()["failure"] == "too_expensive"
    assert list(ours.send("/jobs?provider=nobody").json()["errors"]) == ["provider"]
    with monkeypatch.context() as patch:
        patch.setattr(health, "offers", list)
        nobody = ours.send("/jobs?quality=draft")
        assert (nobody.status_code, code_of(nobody), nobody["Retry-After"]) == (503, "nobody", "60")
    monkeypatch.setattr(intake, "MAX_OPEN_JOBS", 1)
    many = ours.send("/jobs?quality=draft")
    assert (many.status_code, code_of(many), many["Retry-After"]) == (429, "too_many_jobs", "10")
    ledger.take(user=owner, credits=ledger.balance(owner).available, key="all", reason="test")
    assert code_of(ours.send("/jobs?quality=draft")) == "insufficient_credits"
    assert Job.objects.count() == 1
    assert no_uploads_left()


def test_of_many_at_once_the_keys_limit_lets_as_many_pass(ours: Asker, service: Any) -> None:
    AccessKey.objects.update(monthly_limit=2)
    start = Barrier(6)

    def one(_: int) -> int:
        start.wait(30)
        try:
            return int(ours.send("/jobs?quality=draft").status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(one, range(6))) == [201, 201, 402, 402, 402, 402]
    assert Job.objects.count() == 2
    assert ledger.verify() == []


def test_a_repeat_is_the_same_job(ours: Asker, theirs: Asker, service: Any, owner: User) -> None:
    key = {"Idempotency-Key": "order 4711"}
    first = ours.send("/jobs?quality=draft", headers=key)
    again = ours.send("/jobs?quality=draft", headers=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    other = io.BytesIO()
    Image.new("RGB", (200, 200), "red").save(other, "PNG")
    for clash in (
        ours.send("/jobs?quality=high", headers=key),
        ours.send("/jobs?quality=draft", body=other.getvalue(), media_type="image/png", headers=key),
    ):
        assert (clash.status_code, code_of(clash)) == (409, "idempotency_clash")
    assert theirs.send("/jobs?quality=draft", headers=key).status_code == 201  # another account's keys are its own
    assert Job.objects.count() == 2
    assert no_uploads_left()
    for wrong in ("x" * 256, "über"):
        assert ours.send(headers={"Idempotency-Key": wrong.encode().decode("latin-1")}).status_code == 400
    row = json.dumps([{name: str(value) for name, value in job.items()} for job in Job.objects.values()])
    assert "4711" not in row


def test_a_refused_request_frees_its_key(ours: Asker, service: Any) -> None:
    key = {"Idempotency-Key": "k"}
    assert ours.send(body=b"not a picture", headers=key).status_code == 422
    assert ours.send(headers=key).status_code == 201


def test_without_the_cache_a_repeat_is_still_one_job(
    ours: Asker, service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        def __getattr__(self, name: str) -> Any:
            raise ConnectionError

    monkeypatch.setattr(idempotency, "cache", Away())
    key = {"Idempotency-Key": "k"}
    assert [ours.send(headers=key).status_code for _ in range(2)] == [201, 200]


def test_many_repeats_at_once_are_one_job(ours: Asker, service: Any, owner: User) -> None:
    start = Barrier(6)

    def one(number: int) -> tuple[int, Any]:
        start.wait(30)
        try:
            answer = ours.send(f"/jobs?quality={'high' if number == 5 else 'draft'}", headers={"Idempotency-Key": "k"})
            return answer.status_code, answer.json().get("id")
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(one, range(6)))
    statuses = sorted(status for status, _ in found)
    assert statuses in ([200, 200, 200, 200, 201, 409], [201, 409, 409, 409, 409, 409])
    assert len({job for status, job in found if status < 400}) == 1
    assert Job.objects.count() == 1
    assert ledger.verify() == []
    assert no_uploads_left()


def test_the_whole_way(ours: Asker, owner: User, worker: None, tmp_path: Any, django_assert_num_queries: Any) -> None:
    answer = ours.send("/jobs?quality=draft", headers={"Prefer": "respond-async, wait=30"})
    shown = answer.json()
    assert (answer.status_code, shown["state"], answer["Preference-Applied"]) == (201, "ready", "wait=30")
    path = f"/jobs/{shown['id']}"
    early = ours("GET", f"{path}/receipt")
    assert (early.status_code, code_of(early)) == (409, "not_ready")
    with django_assert_num_queries(3):  # the key with its account, the job, the blob
        asset = ours("GET", f"{path}/asset?format=glb")
    data = asyncio.run(_read(ours, f"{path}/asset"))
    assert (asset["Content-Type"], data[:4], len(data)) == ("model/gltf-binary", b"glTF", shown["asset"]["bytes"])
    assert ours("GET", f"{path}/asset?format=usdz").status_code == 422
    assert ours("DELETE", f"{path}/asset").status_code == 200
    for _ in range(200):
        shown = ours("GET", f"{path}?wait=10").json()
        if shown["over"]:
            break
    assert (shown["state"], shown["credits"], shown["asset"]) == ("done", {"held": 0, "charged": 1}, None)
    assert ours("GET", f"{path}/receipt").json()["receipt"]["outcome"] == "done"
    gone = ours("GET", f"{path}/asset")
    assert (gone.status_code, code_of(gone)) == (410, "gone")
    assert ours("DELETE", f"{path}/asset").status_code == 200  # twice is harmless
    assert code_of(ours("POST", f"{path}/cancel")) == "already_over"
    assert not any(file.is_file() for file in (tmp_path / "blobs").rglob("*"))
    line = ours("GET", "/ledger?only=spent").json()["lines"][0]
    assert (line["job"], line["what"], line["credits"]) == (shown["id"], "spent", -1)
    assert ours("GET", "/balance").json() == {
        "available": 9, "held": 0, "owed": 0, "spent_this_month": 1, "monthly_limit": None,
    }  # fmt: skip


async def _read(asker: Asker, path: str) -> bytes:
    answer = await AsyncClient().get(BASE + path, headers={"Authorization": f"Bearer {asker.secret}"})
    return b"".join([part async for part in answer])  # type: ignore[attr-defined]  # it streams


def test_events_tell_the_job_until_it_is_over(ours: Asker, service: Any, drive: Callable[..., Job]) -> None:
    job_id = ours.send().json()["id"]
    job = Job.objects.get(pk=job_id)
    ours("POST", f"/jobs/{job_id}/cancel")
    drive(job)
    told = asyncio.run(_read(ours, f"/jobs/{job_id}/events")).decode()
    state = json.loads(told.partition("event: state\ndata: ")[2].partition("\n")[0])
    assert (state["id"], state["state"], state["over"]) == (job_id, "cancelled", True)


def test_pages_of_jobs_stay_put(ours: Asker, service: Any, owner: User) -> None:
    made = [ours.send("/jobs?quality=draft").json()["id"] for _ in range(5)]
    first = ours("GET", "/jobs?limit=2").json()
    ours.send("/jobs?quality=draft")
    second = ours("GET", "/jobs", QUERY_STRING=f"limit=2&cursor={first['next'].replace('+', '%2B')}").json()
    third = ours("GET", "/jobs", QUERY_STRING=f"limit=2&cursor={second['next'].replace('+', '%2B')}").json()
    assert [one["id"] for page in (first, second, third) for one in page["jobs"]] == made[::-1]
    assert third["next"] is None
    assert ours("GET", "/jobs?state=ready").json()["jobs"] == []
    assert len(ours("GET", "/jobs?state=running").json()["jobs"]) == 6
    for wrong in ("cursor=x", "limit=0", "limit=101", "state=lost"):
        answer = ours("GET", f"/jobs?{wrong}")
        assert (answer.status_code, list(answer.json()["errors"])) == (422, [wrong.partition("=")[0]])
    assert ours("GET", "/ledger?cursor=x").json()["code"] == "invalid"


def test_limits_are_kept_and_told(ours: Asker, theirs: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    rate = throttle.RATES["key"]
    monkeypatch.setitem(throttle.RATES, "key", Rate("key", "key", 3, 60, rate.what))
    answers = [ours("GET", "/balance") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 19 <= int(answers[3]["Retry-After"]) <= 20
    assert '"key";r=2;t=20' in answers[0]["RateLimit"]
    assert '"key";q=3;w=60' in answers[3]["RateLimit-Policy"]
    assert theirs("GET", "/balance").status_code == 200


def test_so_many_uploads_at_once(ours: Asker, service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from hashlib import sha256

    from tests.api.asgi import Call

    headers = {"Authorization": f"Bearer {ours.secret}", "Content-Type": "image/jpeg"}
    mine = {"uploads_key": sha256(ours.secret.encode()).hexdigest(), "uploads_address": "127.0.0.1"}
    entries = [throttle.enter(mine) for _ in range(throttle.AT_ONCE["uploads_key"].most)]
    refused = Call(f"{BASE}/jobs", photo(), headers).make()
    assert (refused.status, json.loads(refused.received)["code"]) == (429, "too_many_requests")
    assert refused.answered["retry-after"] == "1"
    throttle.leave(mine, entries[0])
    for _ in range(3):  # each leaves when its body is here
        assert Call(f"{BASE}/jobs?quality=draft".partition("?")[0], photo(), headers).make().status == 201


def test_a_body_over_the_limit_is_a_problem(ours: Asker) -> None:
    from tests.api.asgi import Call

    headers = {"Authorization": f"Bearer {ours.secret}", "Content-Type": "image/jpeg", "Content-Length": "31000000"}
    answer = Call(f"{BASE}/generate", b"", headers).make()
    problem = json.loads(answer.received)
    assert (answer.status, problem["code"]) == (413, "too_large")
    assert "31 MB. The limit is 20 MB." in problem["detail"]
    assert problem["request_id"] == answer.answered["request-id"]


def test_what_is_not_there_is_a_problem_too(ours: Asker, nobody: Asker) -> None:
    assert code_of(nobody("GET", "/nowhere")) == "not_found"
    assert code_of(ours("GET", f"/jobs/{uuid4()}")) == "not_found"
    answer = ours("PUT", "/jobs")
    assert (answer.status_code, code_of(answer)) == (405, "method_not_allowed")
    assert set(answer["Allow"].split(", ")) == {"GET", "POST"}


def test_a_fault_of_ours_is_told_without_a_word_of_it(ours: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(**_: Any) -> Any:
        raise RuntimeError("secret words")

    monkeypatch.setattr("generation.history.page", fails)
    answer = ours("GET", "/jobs")
    assert (answer.status_code, code_of(answer)) == (500, "internal")
    assert b"secret words" not in answer.content


def test_a_database_that_is_away_is_no_fault_and_can_be_waited_for(
    ours: Asker, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise OperationalError("secret words")

    monkeypatch.setattr("generation.history.page", away)
    answer = ours("GET", "/jobs")
    assert (answer.status_code, code_of(answer), answer["Retry-After"]) == (503, "database_away", "30")
    monkeypatch.setattr("trust.views.figures.now", away)
    client.raise_request_exception = False
    page = client.get("/trust")
    assert (page.status_code, page["Retry-After"]) == (503, "30")
    assert "Our database does not answer" in page.text
    assert "secret words" not in page.text + answer.text


def test_the_log_and_the_copy(ours: Asker, service: Any, drive: Callable[..., Job]) -> None:
    from privacy import heads, log

    assert code_of(ours("GET", "/log/head")) == "not_found"
    job_id = ours.send().json()["id"]
    ours("POST", f"/jobs/{job_id}/cancel")
    drive(Job.objects.get())
    log.append_waiting()
    head = heads.publish()
    assert head is not None
    assert ours("GET", "/log/head").json() == head.document
    receipt = ours("GET", f"/jobs/{job_id}/receipt").json()
    leaf = log.leaf(digest=__import__("privacy.signing").signing.digest(receipt),
                    salt=bytes.fromhex(receipt["log"]["salt"])).hex()  # fmt: skip
    proof = ours("GET", f"/log/proof?leaf={leaf}&size=1").json()
    assert (proof["index"], proof["path"]) == (0, [])
    assert ours("GET", f"/log/proof?leaf={'0' * 64}&size=1").status_code == 404
    copy = ours("GET", "/privacy/export")
    assert (copy["Content-Type"], copy.content[:2]) == ("application/zip", b"PK")
