"""Who may ask what: each endpoint, with every kind of key there is, and with none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts import keys
from accounts.models import AccessKey, User
from accounts.scopes import SCOPES
from generation.models import Job
from modelmyimage.api import api, schema
from tests.api.conftest import BASE, Asker, code_of
from tests.generation.conftest import photo

pytestmark = pytest.mark.django_db(transaction=True)

OPERATIONS = sorted(
    (method.upper(), path.removeprefix(BASE), operation["operationId"], (operation["security"] or [{"Key": [""]}])[0])
    for path, methods in schema()["paths"].items()
    for method, operation in methods.items()
)
GUARDED = [(method, path, security["Key"][0]) for method, path, _, security in OPERATIONS if security["Key"][0]]
ABOUT_A_JOB = [(method, path, scope) for method, path, scope in GUARDED if "{job_id}" in path]


def ask(asker: Asker, method: str, path: str, job: Any = None) -> Any:
    path = path.replace("{job_id}", str(job or uuid4()))
    how = {"data": photo(), "content_type": "image/jpeg"} if path in ("/jobs", "/generate") and method == "POST" else {}
    return asker(method, path, **how)


def test_every_operation_is_in_the_schema() -> None:
    bound = {operation.operation_id for one in api._get_bound_routers() for view in one.path_operations.values()
             for operation in view.operations}  # fmt: skip
    assert {operation for _, _, operation, _ in OPERATIONS} == bound
    assert len(GUARDED) == len(OPERATIONS) - 1  # but for the report of a leaked key
    assert {scope for _, _, scope in GUARDED} == set(SCOPES)


@pytest.mark.parametrize(("method", "path", "scope"), GUARDED)
def test_with_every_kind_of_key(
    method: str, path: str, scope: str, owner: User, nobody: Asker, asker: Callable[..., Asker], settings: Any
) -> None:
    settings.PROVIDERS = []
    without = asker(owner, scopes=[other for other in SCOPES if other != scope])
    right = asker(owner, scopes=[scope])
    assert ask(nobody, method, path).status_code == 401
    assert code_of(ask(nobody, method, path)) == "no_key"
    assert code_of(ask(Asker("mmi_typo"), method, path)) == "key_malformed"
    assert code_of(ask(Asker(keys.new_secret()), method, path)) == "key_invalid"
    lacking = ask(without, method, path)
    assert (lacking.status_code, lacking.json()["code"], lacking.json()["scope"]) == (403, "scope_missing", scope)

    expired = asker(owner, scopes=[scope], expires_at=timezone.now() - timedelta(seconds=1))
    assert (ask(expired, method, path).status_code, code_of(ask(expired, method, path))) == (401, "key_invalid")
    off = asker(owner, scopes=[scope])
    keys.switch(off.key, on=False)  # type: ignore[arg-type]  # it has one
    assert code_of(ask(off, method, path)) == "key_invalid"
    rotated = asker(owner, scopes=[scope])
    keys.rotate(rotated.key, overlap=timedelta(0))  # type: ignore[arg-type]  # it has one
    assert code_of(ask(rotated, method, path)) == "key_invalid"
    elsewhere = asker(owner, scopes=[scope], networks=["203.0.113.0/24"])
    assert (ask(elsewhere, method, path).status_code, code_of(ask(elsewhere, method, path))) == (403, "key_elsewhere")
    elsewhere.address = "203.0.113.9"
    with_it = ask(right, method, path)
    assert with_it.status_code not in (401, 403)
    assert ask(elsewhere, method, path).status_code == with_it.status_code or path == "/jobs"
    User.objects.update(is_active=False)
    assert code_of(ask(right, method, path)) == "key_invalid"


@pytest.mark.parametrize(("method", "path", "scope"), ABOUT_A_JOB)
def test_a_job_of_somebody_else_is_not_there(
    method: str, path: str, scope: str, owner: User, ours: Asker, theirs: Asker
) -> None:
    """Word for word as one that never was."""
    now = timezone.now()
    job = Job.objects.create(owner=owner, created_at=now, due_at=now, deadline_at=now)
    before = Job.objects.values().get(pk=job.pk)
    assert ask(ours, method, path, job.pk).status_code != 404
    Job.objects.filter(pk=job.pk).update(**before)
    hidden, never = ask(theirs, method, path, job.pk), ask(theirs, method, path)
    assert hidden.status_code == never.status_code == 404
    assert {**hidden.json(), "request_id": ""} == {**never.json(), "request_id": ""}
    assert Job.objects.values().get(pk=job.pk) == before


def test_lists_hold_ones_own_alone(owner: User, ours: Asker, theirs: Asker) -> None:
    now = timezone.now()
    job = Job.objects.create(owner=owner, created_at=now, due_at=now, deadline_at=now)
    assert [one["id"] for one in ours("GET", "/jobs").json()["jobs"]] == [str(job.pk)]
    assert theirs("GET", "/jobs").json() == {"jobs": [], "next": None}


def test_keys_are_listed_and_nothing_that_helps_to_use_them(
    owner: User, ours: Asker, theirs: Asker, asker: Callable[..., Asker]
) -> None:
    off = asker(owner, ["read"], networks=["203.0.113.0/24"], description="till")
    late = asker(owner, ["usage:read"], expires_at=timezone.now() - timedelta(seconds=1))
    assert ours.key is not None
    assert off.key is not None
    keys.switch(off.key, on=False)
    keys.rotate(off.key, overlap=timedelta(hours=1))
    answer = ours("GET", "/keys")
    found = {one["id"]: one for one in answer.json()["keys"]}
    assert [(one["state"], one["current"]) for one in found.values()] == [
        ("expired", False),
        ("off", False),
        ("on", True),
    ]
    mine = found[str(ours.key.pk)]
    assert (mine["name"], mine["ends_with"], mine["calls"]) == ("test", ours.secret[-4:], 1)
    assert (mine["expires_at"], bool(mine["last_used_at"])) == (None, True)
    assert found[str(off.key.pk)]["scopes"] == ["read"]
    said = answer.content.decode()
    off.key.refresh_from_db()
    digests = [off.key.digest, off.key.old_digest]
    assert not [word for word in (ours.secret, off.secret, late.secret, *digests, "203.0.113", "till") if word in said]
    assert [one["id"] for one in theirs("GET", "/keys").json()["keys"]] == [str(theirs.key and theirs.key.pk)]


def test_a_browser_session_is_nobody(client: Client, owner: User) -> None:
    client.force_login(owner)
    for method, path, _ in GUARDED:
        path = BASE + path.replace("{job_id}", str(uuid4()))
        assert client.generic(method, path).status_code == 401, path


def test_the_old_secret_works_for_its_time(ours: Asker, owner: User) -> None:
    assert ours.key is not None
    second = Asker(keys.rotate(ours.key, overlap=timedelta(hours=1)))
    assert (ours("GET", "/jobs").status_code, second("GET", "/jobs").status_code) == (200, 200)
    AccessKey.objects.update(old_until=timezone.now())
    assert (ours("GET", "/jobs").status_code, second("GET", "/jobs").status_code) == (401, 200)


def test_a_leaked_key_is_switched_off_by_having_it(ours: Asker, nobody: Asker) -> None:
    """And the answer is the same where there is none."""
    answers = [
        nobody("POST", "/keys/leaked", data=f'{{"secret": "{secret}"}}', content_type="application/json")
        for secret in (ours.secret, ours.secret, keys.new_secret())
    ]
    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 3
    assert ours("GET", "/jobs").status_code == 401
    typo = nobody("POST", "/keys/leaked", data='{"secret": "mmi_x"}', content_type="application/json")
    assert (typo.status_code, list(typo.json()["errors"])) == (422, ["secret"])


def test_use_is_counted_and_written_once_a_minute(ours: Asker) -> None:
    assert ours.key is not None
    for _ in range(3):
        ours("GET", "/balance")
    ours.key.refresh_from_db()
    first = ours.key.last_used_at
    assert (ours.key.calls, first is not None) == (1, True)
    AccessKey.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    ours("GET", "/balance")
    ours.key.refresh_from_db()
    assert ours.key.calls == 4


def test_what_comes_without_tls_is_refused_and_not_led_on(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    plain = Client().get(f"{BASE}/jobs", headers={"Authorization": "Bearer mmi_x"})
    assert (plain.status_code, code_of(plain)) == (403, "plain_http")
    assert "Location" not in plain.headers
    assert code_of(Client().get(f"{BASE}/jobs", secure=True)) == "no_key"
    assert Client().get("/pricing").status_code == 301
