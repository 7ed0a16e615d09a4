"""Webhooks by program: the same rules as on the pages, and nobody else's."""

from __future__ import annotations

import json
from typing import Any, get_args
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import SecurityEvent, User
from generation.models import Delivery, Webhook
from generation.notifications import api, messages, outbox, subscribing
from tests.api.conftest import Asker, code_of

pytestmark = pytest.mark.django_db
URL = "https://shop.example/hook"


def sent(asker: Asker, method: str, path: str, **body: Any) -> Any:
    return asker(method, path, data=json.dumps(body), content_type="application/json")


def test_its_whole_life(ours: Asker, owner: User) -> None:
    assert get_args(api.Event) == tuple(messages.KINDS)
    made = sent(ours, "POST", "/webhooks", url=URL)
    assert made.status_code == 201
    webhook = made.json()
    secret = webhook.pop("secret")
    assert secret.startswith("whsec_")
    assert webhook["events"] == list(messages.KINDS)
    assert ours("GET", "/webhooks").json() == {"webhooks": [webhook]}
    path = f"/webhooks/{webhook['id']}"

    changed = sent(ours, "PATCH", path, events=["job.destroyed", "job.ready", "job.ready"], description=None)
    assert changed.json() == {**webhook, "events": ["job.ready", "job.destroyed"]}
    assert sent(ours, "PATCH", path, enabled=False).json()["enabled"] is False
    assert (code_of(ours("POST", f"{path}/test"))) == "webhook_off"
    assert sent(ours, "PATCH", path, enabled=True, url="https://new.example/").json()["url"] == "https://new.example/"

    tried = ours("POST", f"{path}/test")
    assert (tried.status_code, tried.json()["event"], tried.json()["state"]) == (202, "webhook.test", "waiting")
    delivery = Delivery.objects.get()
    now = timezone.now()
    Delivery.objects.update(
        state="given_up", attempts=10, status=None, failure="timeout", milliseconds=15_000, tried_at=now
    )
    shown = ours("GET", f"{path}/deliveries?state=given_up&event=webhook.test").json()["deliveries"][0]
    assert shown["message"] == delivery.notification.message_id
    assert (shown["failure"]["code"], shown["status"], shown["next_at"], shown["job"]) == ("timeout", None, None, None)
    assert ours("GET", f"{path}/deliveries?state=waiting").json() == {"deliveries": [], "next": None}
    again = ours("POST", f"{path}/deliveries/{delivery.pk}/replay")
    assert (again.status_code, again.json()["state"], again.json()["attempts"]) == (202, "waiting", 0)
    assert again.json()["message"] == shown["message"]

    assert ours("DELETE", path).status_code == 204
    assert ours("DELETE", path).status_code == 404
    assert not Webhook.objects.exists()
    codes = ["made", "changed", "disabled", "changed", "enabled", "deleted"]
    assert [line.code for line in SecurityEvent.objects.filter(access_key=webhook["id"]).order_by("pk")] == [
        f"webhook_{code}" for code in codes
    ]


def test_pages_of_deliveries(ours: Asker, owner: User) -> None:
    webhook, _ = subscribing.make(owner=owner, url=URL, description="", kinds=["job.ready"])
    made = [str(outbox.test(webhook).pk) for _ in range(5)]
    path, cursor, found = f"/webhooks/{webhook.pk}/deliveries?limit=2", "", []
    for _ in range(3):
        page = ours("GET", f"{path}&cursor={cursor}").json()
        found += [one["id"] for one in page["deliveries"]]
        cursor = page["next"]
    assert cursor is None
    assert found == made[::-1]
    assert ours("GET", f"{path}&cursor=x").status_code == 422


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "http://shop.example/"}, "url"),
        ({"url": "https://169.254.169.254/"}, "url"),
        ({"url": URL, "events": []}, "events"),
        ({"url": URL, "events": ["job.sold"]}, "events"),
        ({"url": URL, "description": "x" * 61}, "description"),
        ({"url": URL, "description": "\x00"}, "description"),
        ({"url": URL, "secret": "whsec_mine"}, "secret"),
    ],
)
def test_a_wrong_field_is_named(ours: Asker, owner: User, body: Any, field: str) -> None:
    webhook, _ = subscribing.make(owner=owner, url=URL, description="", kinds=["job.ready"])
    answers = [sent(ours, "POST", "/webhooks", **body)]
    if body:
        answers.append(sent(ours, "PATCH", f"/webhooks/{webhook.pk}", **body))
    for answer in answers:
        assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert Webhook.objects.values_list("description", "kinds").get() == ("", ["job.ready"])


def test_ten_and_no_more(ours: Asker) -> None:
    for _ in range(10):
        assert sent(ours, "POST", "/webhooks", url=URL).status_code == 201
    eleventh = sent(ours, "POST", "/webhooks", url=URL)
    assert (eleventh.status_code, code_of(eleventh)) == (409, "too_many_webhooks")


def test_somebody_elses_is_not_there(ours: Asker, theirs: Asker, owner: User, stranger: User) -> None:
    """Word for word as one that never was."""
    webhook, _ = subscribing.make(owner=owner, url=URL, description="", kinds=["job.ready"])
    delivery = outbox.test(webhook)
    own, _ = subscribing.make(owner=stranger, url=URL, description="", kinds=["job.ready"])
    before = [list(model.objects.order_by("pk").values()) for model in (Webhook, Delivery)]
    for method, path in (
        ("PATCH", "/webhooks/{}"), ("DELETE", "/webhooks/{}"), ("POST", "/webhooks/{}/test"),
        ("GET", "/webhooks/{}/deliveries"), ("POST", f"/webhooks/{{}}/deliveries/{delivery.pk}/replay"),
    ):  # fmt: skip
        hidden, never = (sent(theirs, method, path.format(one)) for one in (webhook.pk, uuid4()))
        assert hidden.status_code == never.status_code == 404
        assert {**hidden.json(), "request_id": ""} == {**never.json(), "request_id": ""}
    assert sent(theirs, "POST", f"/webhooks/{own.pk}/deliveries/{delivery.pk}/replay").status_code == 404
    assert [one["id"] for one in theirs("GET", "/webhooks").json()["webhooks"]] == [str(own.pk)]
    assert [list(model.objects.order_by("pk").values()) for model in (Webhook, Delivery)] == before
