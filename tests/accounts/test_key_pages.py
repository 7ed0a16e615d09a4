"""The pages of access keys: to their owner, to another customer, to nobody; and a leaked key to whoever has it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import keys
from accounts.models import AccessKey, User

pytestmark = pytest.mark.django_db
GOOD = {"name": "shop", "scopes": ["read", "generate"]}


@pytest.fixture
def browser(owner: User, client: Client) -> Client:
    client.force_login(owner)
    return client


def secret_in(page: Any) -> str:
    found = re.search(r'value="(mmi_[0-9A-Za-z]{49})"', page.content.decode())
    assert found
    return found[1]


def test_a_secret_is_on_one_page_and_nowhere_else(browser: Client, owner: User) -> None:
    made = browser.post(reverse("accounts:key_new"), GOOD)
    secret = secret_in(made)
    assert made["Cache-Control"].count("no-store") == 1
    key = owner.access_keys.get()
    assert keys.find(secret) == key
    assert (key.scopes, key.networks, key.monthly_limit, key.expires_at) == (["read", "generate"], [], None, None)
    for page in (reverse("accounts:keys"), reverse("accounts:key", args=[key.pk])):
        shown = browser.get(page).content.decode()
        assert secret not in shown
        assert f"mmi_…{secret[-4:]}" in shown
    assert secret not in str(dict(browser.session))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "Give it a name"),
        ({"name": "x" * 61}, "At most 60"),
        ({"scopes": []}, "at least one thing"),
        ({"scopes": ["root"]}, "root"),
        ({"expires_on": "soon"}, "year-month-day"),
        ({"expires_on": "2020-01-01"}, "That day is over"),
        ({"expires_on": "9999-12-31"}, "too far away"),
        ({"networks": "10.0.0.0/40"}, "is no network"),
        ({"networks": " ".join(f"10.0.{n}.0/24" for n in range(21))}, "At most 20 networks"),
        ({"monthly_limit": "-1"}, "whole number of credits"),
    ],
)
def test_a_wrong_choice_is_said_and_loses_nothing(browser: Client, owner: User, fields: Any, said: str) -> None:
    answer = browser.post(reverse("accounts:key_new"), {**GOOD, "description": "kept as typed", **fields})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page
    assert "kept as typed" in page
    assert not owner.access_keys.exists()


def test_what_is_chosen_is_kept_and_changed(browser: Client, owner: User) -> None:
    day = (timezone.now() + timedelta(days=3)).date()
    browser.post(
        reverse("accounts:key_new"),
        {**GOOD, "expires_on": day.isoformat(), "networks": "203.0.113.7\n2001:db8::1/32", "monthly_limit": "0"},
    )
    key = owner.access_keys.get()
    assert key.networks == ["203.0.113.7/32", "2001:db8::/32"]
    assert key.expires_at is not None
    assert (key.monthly_limit, key.expires_at.date()) == (0, day + timedelta(days=1))
    url = reverse("accounts:key", args=[key.pk])
    assert f'value="{day.isoformat()}"' in browser.get(url).content.decode()
    assert browser.post(url, {"name": "shop two", "scopes": ["read"]}).status_code == 302
    changed = AccessKey.objects.values("name", "scopes", "networks", "expires_at").get()
    assert changed == {"name": "shop two", "scopes": ["read"], "networks": [], "expires_at": None}
    assert browser.post(url, {"name": ""}).status_code == 422
    assert browser.post(reverse("accounts:key_rotate", args=[key.pk]), {"overlap": "5"}).status_code == 422


def test_fifty_and_no_more(browser: Client, owner: User) -> None:
    AccessKey.objects.bulk_create(
        AccessKey(owner=owner, name=str(n), digest=f"{n:064}", ends_with="abcd") for n in range(keys.MOST)
    )
    answer = browser.post(reverse("accounts:key_new"), GOOD)
    assert (answer.status_code, "You have 50 keys" in answer.content.decode()) == (422, True)
    assert "Make a key" not in browser.get(reverse("accounts:keys")).content.decode()


def test_whose_keys_they_are(browser: Client, owner: User, stranger: User) -> None:
    key, _ = keys.make(owner=owner, name="shop", scopes=["read"])
    other, anonymous = Client(), Client()
    other.force_login(stranger)
    pages = [
        (method, reverse(f"accounts:{name}", args=[key.pk]))
        for method, name in (
            ("get", "key"), ("post", "key"), ("post", "key_rotate"), ("post", "key_disable"), ("post", "key_enable"),
            ("get", "key_delete"), ("post", "key_delete"),
        )
    ]  # fmt: skip
    before = AccessKey.objects.values().get()
    for method, url in pages:
        assert getattr(other, method)(url, {**GOOD, "overlap": "0"}).status_code == 404, url
        assert getattr(anonymous, method)(url).status_code == 302, url
        assert getattr(anonymous, method)(url)["Location"].startswith(reverse("account_login")), url
    assert "shop" not in other.get(reverse("accounts:keys")).content.decode()
    assert AccessKey.objects.values().get() == before
    for name in ("keys", "key_new"):
        assert anonymous.get(reverse(f"accounts:{name}")).status_code == 302
    for method, url in pages:
        assert getattr(browser, method)(url, {**GOOD, "overlap": "0"}).status_code in (200, 302), url
    assert not AccessKey.objects.exists()


def test_more_power_takes_a_new_proof_and_less_does_not(browser: Client, owner: User) -> None:
    key, _ = keys.make(owner=owner, name="shop", scopes=["read"])
    User.objects.filter(pk=owner.pk).update(password=make_password("a long phrase"))
    browser.force_login(User.objects.get(pk=owner.pk))
    proof = reverse("account_reauthenticate")
    for method, name, args in (
        ("get", "key_new", []), ("post", "key_new", []), ("post", "key", [key.pk]), ("post", "key_rotate", [key.pk]),
        ("post", "key_enable", [key.pk]), ("post", "key_delete", [key.pk]),
    ):  # fmt: skip
        answer = getattr(browser, method)(reverse(f"accounts:{name}", args=args), {**GOOD, "overlap": "0"})
        assert answer.status_code == 302, name
        assert answer["Location"].startswith(proof), name
    assert browser.post(reverse("accounts:key_disable", args=[key.pk])).status_code == 302
    key.refresh_from_db()
    assert (key.enabled, key.name) == (False, "shop")
    # Proven, what was asked for is done, and nothing of it is asked again.
    browser.post(reverse("accounts:key_new"), {**GOOD, "name": "after the proof"})
    back = reverse("accounts:key_new")
    done = browser.post(f"{proof}?next={back}", {"password": "a long phrase", "next": back})
    assert secret_in(done)
    assert owner.access_keys.filter(name="after the proof").exists()


def test_anybody_reports_a_leaked_key(client: Client, owner: User) -> None:
    _key, secret = keys.make(owner=owner, name="shop", scopes=["read"])
    url = reverse("accounts:keys_leaked")
    assert client.get(url).status_code == 200
    answers = [client.post(url, {"secret": found}) for found in (secret, secret, keys.new_secret())]
    pages = {re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", one.content.decode()) for one in answers}
    assert len(pages) == 1
    assert "We do not say whether it was one" in pages.pop()
    assert not AccessKey.objects.get().enabled
    wrong = client.post(url, {"secret": "mmi_typo"})
    assert (wrong.status_code, "mmi_typo" in wrong.content.decode()) == (422, True)
    for _number in range(600):  # the bucket fills again meanwhile, however slow the machine is
        last = client.post(url, {"secret": keys.new_secret()})
        if last.status_code == 429:
            break
    assert (last.status_code, "Retry-After" in last) == (429, True)
