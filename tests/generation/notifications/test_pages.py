"""The pages of webhooks: to their owner, to another customer, to nobody; and what each says that went wrong."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import throttle
from accounts.models import SecurityEvent, User
from generation.models import Delivery, Job, Notification, Webhook
from generation.notifications import outbox, signing, subscribing
from generation.notifications.messages import KINDS, TEST
from tests.generation.notifications.conftest import come_to, make_job

pytestmark = pytest.mark.django_db
GOOD = {"url": "https://shop.example/hook", "description": "the shop", "kinds": ["job.destroyed", "job.ready"]}


@pytest.fixture
def browser(owner: User, client: Client) -> Client:
    client.force_login(owner)
    return client


@pytest.fixture
def shop(owner: User) -> Webhook:
    return subscribing.make(owner=owner, url="https://shop.example/hook", description="shop", kinds=list(KINDS))[0]


def url_of(name: str, *args: Any) -> str:
    return reverse(f"generation:{name}", args=[getattr(one, "pk", one) for one in args])


def secret_in(page: Any) -> str:
    found = re.search(r'value="(whsec_[0-9A-Za-z+/=]{44})"', page.content.decode())
    assert found, page.status_code
    return found[1]


def test_a_secret_is_on_one_page_and_nowhere_else(browser: Client, owner: User) -> None:
    made = browser.post(url_of("webhook_new"), GOOD)
    secret = secret_in(made)
    assert "no-store" in made["Cache-Control"]
    webhook = owner.webhooks.get()
    assert (webhook.url, webhook.name, webhook.kinds) == (GOOD["url"], "the shop", ["job.ready", "job.destroyed"])
    for page in (url_of("webhooks"), url_of("webhook", webhook)):
        shown = browser.get(page).content.decode()
        assert secret not in shown
        assert "the shop" in shown
    second = secret_in(browser.post(url_of("webhook_rotate", webhook), {"overlap": "24"}))
    assert second != secret
    told = outbox.test(webhook).notification
    headers = signing.headers(Webhook.objects.get(), told, b"", now=timezone.now())
    assert len(headers["webhook-signature"].split()) == 2
    assert list(SecurityEvent.objects.order_by("pk").values_list("code", "subject")) == [
        ("webhook_made", "the shop"),
        ("webhook_rotated", "the shop"),
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"url": ""}, "Give the address"),
        ({"url": "http://shop.example/"}, "begin with https://"),
        ({"url": "https://127.0.0.1/"}, "everybody can reach"),
        ({"url": "https://shop.example/" + "x" * 500}, "At most 500"),
        ({"description": "x" * 61}, "At most 60"),
        ({"kinds": []}, "at least one thing"),
        ({"kinds": ["job.sold"]}, "job.sold"),
    ],
)
def test_a_wrong_choice_is_said_and_loses_nothing(browser: Client, shop: Webhook, fields: Any, said: str) -> None:
    for page in (url_of("webhook_new"), url_of("webhook", shop)):
        answer = browser.post(page, {"url": "https://kept.example/", "description": "kept", **GOOD, **fields})
        assert (answer.status_code, said in answer.content.decode()) == (422, True)
        assert any(str(value) in answer.content.decode() for value in (GOOD["description"], GOOD["url"]))
    shop.refresh_from_db()
    assert (Webhook.objects.count(), shop.url, shop.description) == (1, "https://shop.example/hook", "shop")


def test_what_is_chosen_is_kept_and_changed(browser: Client, shop: Webhook) -> None:
    changed = {"url": "https://new.example:8443/", "description": "", "kinds": ["job.failed"]}
    assert browser.post(url_of("webhook", shop), changed).status_code == 302
    browser.post(url_of("webhook", shop), changed)
    shop.refresh_from_db()
    assert (shop.url, shop.name, shop.kinds) == ("https://new.example:8443/", "new.example", ["job.failed"])
    assert SecurityEvent.objects.filter(code="webhook_changed").count() == 1
    assert browser.post(url_of("webhook_rotate", shop), {"overlap": "5"}).status_code == 422


def test_ten_and_no_more(browser: Client, owner: User) -> None:
    for number in range(subscribing.MOST):
        subscribing.make(owner=owner, url=f"https://{number}.example/", description="", kinds=["job.ready"])
    answer = browser.post(url_of("webhook_new"), GOOD)
    assert (answer.status_code, "You have 10 webhooks" in answer.content.decode()) == (422, True)
    assert "Make a webhook" not in browser.get(url_of("webhooks")).content.decode()


def test_whose_they_are(browser: Client, owner: User, stranger: User, shop: Webhook) -> None:
    other, anonymous = Client(), Client()
    other.force_login(stranger)
    delivery = outbox.test(shop)
    foreign = outbox.test(subscribing.make(owner=stranger, url="https://b.example/", description="", kinds=[])[0])
    pages = [
        (method, url_of(name, shop))
        for method, name in (
            ("get", "webhook"), ("post", "webhook"), ("post", "webhook_rotate"), ("post", "webhook_test"),
            ("post", "webhook_again"), ("post", "webhook_disable"), ("post", "webhook_enable"),
            ("get", "webhook_delete"), ("post", "webhook_delete"),
        )
    ]  # fmt: skip
    pages.insert(0, ("post", url_of("webhook_replay", shop, delivery)))
    before = [list(model.objects.order_by("pk").values()) for model in (Webhook, Delivery, Notification)]
    for method, url in pages:
        assert getattr(other, method)(url, {**GOOD, "overlap": "0"}).status_code == 404, url
        assert getattr(anonymous, method)(url)["Location"].startswith(reverse("account_login")), url
    assert "shop" not in other.get(url_of("webhooks")).content.decode()
    assert browser.post(url_of("webhook_replay", shop, foreign)).status_code == 404  # of another webhook
    assert [list(model.objects.order_by("pk").values()) for model in (Webhook, Delivery, Notification)] == before
    for name in ("webhooks", "webhook_new"):
        assert anonymous.get(url_of(name)).status_code == 302
    for method, url in pages:
        assert getattr(browser, method)(url, {**GOOD, "overlap": "0"}).status_code in (200, 302), url
    assert not owner.webhooks.exists()
    assert not Delivery.objects.filter(webhook=shop.pk).exists()
    assert [told.owner for told in Notification.objects.all()] == [stranger]


def test_what_lets_more_out_takes_a_new_proof(browser: Client, owner: User, shop: Webhook) -> None:
    User.objects.filter(pk=owner.pk).update(password=make_password("a long phrase"))
    browser.force_login(User.objects.get(pk=owner.pk))
    for method, name, args in (
        ("get", "webhook_new", []), ("post", "webhook_new", []), ("post", "webhook", [shop]),
        ("post", "webhook_rotate", [shop]), ("post", "webhook_enable", [shop]), ("post", "webhook_delete", [shop]),
    ):  # fmt: skip
        answer = getattr(browser, method)(url_of(name, *args), {**GOOD, "overlap": "0"})
        assert answer["Location"].startswith(reverse("account_reauthenticate")), name
    assert browser.post(url_of("webhook_disable", shop)).status_code == 302
    shop.refresh_from_db()
    assert (shop.enabled, shop.url) == (False, "https://shop.example/hook")


def test_the_log_is_filtered_and_turned_over(browser: Client, owner: User, shop: Webhook) -> None:
    for _ in range(30):
        outbox.test(shop)
    job = make_job(owner)
    come_to(job, Job.Stage.DELIVER)
    shop.deliveries.filter(notification__kind="job.ready").update(
        state="given_up", attempts=10, status=503, failure="status", milliseconds=41, tried_at=timezone.now()
    )
    page = url_of("webhook", shop)

    def rows(query: str) -> int:
        return browser.get(page + query).content.decode().count("Send again<")

    assert rows("") == 25
    older = re.search(r'rel="next" href="([^"]+)#told"', browser.get(page).content.decode())
    assert older
    assert rows(older[1].replace("&amp;", "&")) == 6
    assert (rows("?state=given_up"), rows("?event=job.ready"), rows("?event=job.ready&state=waiting")) == (1, 1, 0)
    assert (rows(f"?event={TEST}"), rows("?state=none&event=none&before=none"), rows("?state=%00&before=%00")) == (
        25,
    ) * 3
    shown = browser.get(page + "?state=given_up").content.decode()
    assert "Answered, but not with a status of 200 to 299." in shown
    assert str(job.pk) in shown
    assert "503" in shown


def test_a_test_and_a_repeat_by_button(browser: Client, owner: User, shop: Webhook, monkeypatch: Any) -> None:
    assert "On its way" in browser.post(url_of("webhook_test", shop), follow=True).content.decode()
    delivery = shop.deliveries.get()
    assert (delivery.notification.kind, delivery.notification.job) == (TEST, None)
    shop.deliveries.update(state="given_up", attempts=10)
    message = delivery.notification.message_id
    browser.post(url_of("webhook_again", shop))
    shop.deliveries.update(state="delivered", delivered_at=timezone.now())
    browser.post(url_of("webhook_replay", shop, delivery))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.delivered_at) == ("waiting", 0, None)
    assert delivery.due_at <= timezone.now() + timedelta(seconds=1)
    assert delivery.notification.message_id == message

    def full(wanted: dict[str, str]) -> Any:
        assert wanted == {"webhook_sends": str(owner.pk)}
        raise throttle.Exceeded(6.2, [])

    with monkeypatch.context() as throttled:
        throttled.setattr(throttle, "take", full)
        assert "Wait 7 seconds." in browser.post(url_of("webhook_test", shop), follow=True).content.decode()
    browser.post(url_of("webhook_disable", shop))
    assert "Switch it on first" in browser.post(url_of("webhook_test", shop), follow=True).content.decode()
    assert shop.deliveries.count() == 1
