"""Access keys: what a secret is, what is kept of it, and what each change does, at once and on the record."""

from __future__ import annotations

import string
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from smtplib import SMTPServerDisconnected
from threading import Barrier
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts import keys, security_log
from accounts.models import AccessKey, SecurityEvent, User


@pytest.fixture
def made(owner: User) -> tuple[AccessKey, str]:
    return keys.make(owner=owner, name="shop", scopes=["read"])


def test_a_secret_is_long_and_never_the_same() -> None:
    found = {keys.new_secret() for _ in range(200)}
    assert len(found) == 200
    assert all(keys.PATTERN.fullmatch(secret) for secret in found)
    assert len(keys.ALPHABET) ** keys.RANDOM >= 2**256


@given(st.integers(0, 52), st.sampled_from(string.ascii_letters + string.digits))
def test_one_wrong_character_is_told_without_a_look_up(place: int, other: str) -> None:
    secret = keys.new_secret()
    assert keys.well_formed(secret)
    typo = secret[:place] + other + secret[place + 1 :]
    assert keys.well_formed(typo) is (typo == secret)
    swapped = secret[:place] + secret[place : place + 2][::-1] + secret[place + 2 :]
    assert keys.well_formed(swapped) is (swapped == secret)
    assert not keys.well_formed(secret[:place])


def test_the_secret_is_nowhere(made: tuple[AccessKey, str]) -> None:
    key, secret = made
    row = AccessKey.objects.filter(pk=key.pk).values().get()
    assert not any(secret[4:30] in str(value) for value in row.values())
    assert row["digest"] == keys.digest(secret)


def test_a_key_is_found_by_one_query_that_uses_an_index(
    made: tuple[AccessKey, str], django_assert_num_queries: Any
) -> None:
    key, secret = made
    with django_assert_num_queries(1):
        assert keys.find(secret) == key
    with django_assert_num_queries(2):  # it might have been one before a rotation
        assert keys.find(keys.new_secret()) is None
    with django_assert_num_queries(0):
        assert keys.find(secret[:-1]) is None


def test_rotation_leaves_the_secret_before_its_time(made: tuple[AccessKey, str]) -> None:
    key, first = made
    second = keys.rotate(key, overlap=timedelta(hours=1))
    assert keys.find(first) == keys.find(second) == key
    AccessKey.objects.update(old_until=timezone.now() - timedelta(seconds=1))
    assert keys.find(first) is None
    assert keys.find(second) == key

    third = keys.rotate(key, overlap=timedelta(0))
    assert (keys.find(first), keys.find(second), keys.find(third)) == (None, None, key)


def test_a_second_rotation_ends_the_first_secret(made: tuple[AccessKey, str]) -> None:
    key, first = made
    second = keys.rotate(key, overlap=timedelta(days=7))
    keys.rotate(key, overlap=timedelta(days=7))
    assert keys.find(first) is None
    assert keys.find(second) == key


def test_off_and_on_and_gone(made: tuple[AccessKey, str]) -> None:
    key, secret = made

    def works() -> bool:
        found = keys.find(secret)
        return found is not None and keys.usable(found)

    assert works()
    keys.switch(key, on=False)
    assert not works()
    keys.switch(key, on=True)
    assert works()
    AccessKey.objects.update(expires_at=timezone.now())
    assert not works()
    AccessKey.objects.update(expires_at=timezone.now() + timedelta(seconds=30))
    assert works()
    User.objects.update(is_active=False)
    assert not works()
    User.objects.update(is_active=True)
    keys.delete(key)
    keys.delete(key)
    assert keys.find(secret) is None
    with pytest.raises(keys.Vanished):
        keys.rotate(key, overlap=timedelta(0))


def test_a_leaked_secret_switches_off_its_key_and_no_other(made: tuple[AccessKey, str], stranger: User) -> None:
    key, first = made
    other, _secret = keys.make(owner=stranger, name="theirs", scopes=["read"])
    keys.rotate(key, overlap=timedelta(hours=1))
    keys.leaked(keys.new_secret())
    keys.leaked("mmi_")
    assert AccessKey.objects.filter(enabled=True).count() == 2
    keys.leaked(first)  # the one before counts, too, while it works
    keys.leaked(first)
    assert list(AccessKey.objects.filter(enabled=True)) == [other]
    assert list(SecurityEvent.objects.filter(code="key_leaked").values_list("access_key", flat=True)) == [key.pk]


@pytest.mark.parametrize(
    ("networks", "address", "allowed"),
    [
        ([], "203.0.113.7", True),
        (["203.0.113.0/24"], "203.0.113.7", True),
        (["203.0.113.0/24"], "203.0.114.7", False),
        (["203.0.113.0/24"], "::ffff:203.0.113.7", True),
        (["2001:db8::/32"], "2001:db8:1::1", True),
        (["2001:db8::/32"], "203.0.113.7", False),
        (["0.0.0.0/0"], "not an address", False),
    ],
)
def test_networks(networks: list[str], address: str, allowed: bool) -> None:
    assert keys.allows_address(AccessKey(networks=networks), address) is allowed


@pytest.mark.django_db(transaction=True)
def test_fifty_keys_at_most_however_many_ask_at_once(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(46):
        keys.make(owner=owner, name=str(number), scopes=["read"])
    start = Barrier(8)

    def ask(number: int) -> bool:
        try:
            start.wait(30)
            keys.make(owner=owner, name=f"more {number}", scopes=["read"])
        except keys.TooMany:
            return False
        else:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(ask, range(8))) == 4
    assert owner.access_keys.count() == keys.MOST


def test_every_change_is_on_the_record(made: tuple[AccessKey, str]) -> None:
    key, _ = made
    assert keys.change(key, name="shop two", monthly_limit=5)
    assert not keys.change(key, name="shop two", monthly_limit=5)  # nothing differs: no line
    keys.rotate(key, overlap=timedelta(0))
    keys.switch(key, on=False)
    keys.switch(key, on=False)
    keys.switch(key, on=True)
    keys.delete(key)
    lines = list(SecurityEvent.objects.order_by("pk").values_list("code", "subject"))
    assert [code for code, _ in lines] == [
        "key_made", "key_changed", "key_rotated", "key_disabled", "key_enabled", "key_deleted",
    ]  # fmt: skip
    assert {code for code, _ in lines} | {"key_leaked"} == set(security_log.KEYS)
    assert lines[0][1] == "shop"
    assert lines[-1][1] == "shop two"


def test_each_line_is_mailed_once(made: tuple[AccessKey, str], owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    _, secret = made

    def away(*args: Any, **kwargs: Any) -> None:
        raise SMTPServerDisconnected

    with monkeypatch.context() as patch:
        patch.setattr(EmailMultiAlternatives, "send", away)
        assert security_log.send() == 0
    assert security_log.send() == 1
    assert security_log.send() == 0
    keys.leaked(secret)
    assert security_log.send() == 1
    first, second = mail.outbox
    assert first.to == second.to == [owner.email]
    assert first.subject == "Access key made: shop"
    assert "reported it on our page for leaked keys" in str(second.body)
    assert "/account/keys" in str(second.body)
    assert secret not in str(first.body) + str(second.body)


def test_news_of_yesterday_is_not_mailed(made: tuple[AccessKey, str]) -> None:
    SecurityEvent.objects.update(at=timezone.now() - timedelta(days=2))
    assert security_log.send() == 0


def test_use_is_written_by_one_of_two(made: tuple[AccessKey, str]) -> None:
    key, _ = made
    now = timezone.now()
    assert keys.used(key, calls=3, now=now)
    assert not keys.used(key, calls=3, now=now)
    key.refresh_from_db()
    assert (key.calls, key.last_used_at) == (3, now)
