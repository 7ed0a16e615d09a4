"""security.txt by RFC 9116, its date looked after; an opt-out signal changes nothing, since nothing is sold."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from privacy.well_known import contact_is_current

ADDRESS = "/.well-known/security.txt"


@pytest.fixture
def named(settings) -> None:
    settings.SITE_URL = "https://models.example"
    settings.SECURITY_CONTACT = ["mailto:security@models.example", "https://models.example/report"]
    settings.SECURITY_EXPIRES = (timezone.now() + timedelta(days=200)).date().isoformat()


def test_it_says_whom_to_tell_and_until_when(client: Client, named: None) -> None:
    answer = client.get(ADDRESS)
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    fields = [line.split(": ", 1) for line in answer.content.decode().splitlines()]
    assert [value for name, value in fields if name == "Contact"] == [
        "mailto:security@models.example",
        "https://models.example/report",
    ]
    expires = [value for name, value in fields if name == "Expires"]
    assert len(expires) == 1
    assert timezone.now() < datetime.fromisoformat(expires[0]) < timezone.now() + timedelta(days=366)
    assert expires[0].endswith("Z")
    assert ["Canonical", "https://models.example/.well-known/security.txt"] in fields
    assert contact_is_current() == []


@pytest.mark.django_db
@pytest.mark.parametrize("expires", ["2020-01-01", "", "soon"])
def test_nothing_is_said_after_its_date(client: Client, named: None, settings, expires: str) -> None:
    settings.SECURITY_EXPIRES = expires
    assert client.get(ADDRESS).status_code == 404
    assert [found.id for found in contact_is_current()] == ["privacy.E009" if expires[:2] == "20" else "privacy.E008"]


@pytest.mark.django_db
def test_nothing_is_said_where_nobody_is_named(client: Client, settings) -> None:
    settings.SECURITY_CONTACT = []
    assert client.get(ADDRESS).status_code == 404
    assert contact_is_current() == []


@pytest.mark.parametrize(("days", "found"), [(10, ["privacy.W005"]), (31, []), (365, []), (800, ["privacy.W006"])])
def test_operators_are_told_in_time(named: None, settings, days: int, found: list[str]) -> None:
    settings.SECURITY_EXPIRES = (timezone.now() + timedelta(days=days)).isoformat()
    assert [one.id for one in contact_is_current()] == found


def test_an_address_must_be_one(named: None, settings) -> None:
    settings.SECURITY_CONTACT = ["security@models.example"]
    assert [one.id for one in contact_is_current()] == ["privacy.E010"]


def test_the_opt_out_signal_is_honoured(client: Client) -> None:
    answer = client.get("/.well-known/gpc.json")
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["gpc"] is True
    assert datetime.fromisoformat(answer.json()["lastUpdate"])


@pytest.mark.django_db
def test_the_signal_changes_nothing_and_is_kept_nowhere(client: Client) -> None:
    plain, signalled = client.get("/privacy/data"), client.get("/privacy/data", headers={"sec-gpc": "1"})
    assert plain.content == signalled.content
    assert not signalled.cookies
    assert "Global Privacy Control" in plain.content.decode()
