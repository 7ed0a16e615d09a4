"""A deployment is refused whose parts are reached in clear, are believed unseen, or let in whoever guesses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from modelmyimage import packages_checks, parts_checks
from tests.environment import ROOT

PASSWORD = "u7Jq2-long-and-made-by-a-machine"
POSTGRES = {"ENGINE": "django.db.backends.postgresql", "HOST": "database.example", "PASSWORD": PASSWORD}
GOOD = f"rediss://:{PASSWORD}@broker.example/0"


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Settings whose servers are elsewhere, as they should be."""
    told = SimpleNamespace(
        DATABASES={"default": {**POSTGRES, "OPTIONS": {"sslmode": "verify-full"}}},
        CACHES={"default": {"LOCATION": GOOD}},
        CELERY_BROKER_URL=GOOD,
        KEYSTORE_URL=GOOD,
        OTEL_EXPORTER_OTLP_ENDPOINT="",
        PRIVATE_HOSTS=[],
    )
    monkeypatch.setattr(parts_checks, "settings", told)
    return told


def found() -> list[str | None]:
    """What both checks say."""
    return [one.id for one in parts_checks.parts_are_reached_by_tls() + parts_checks.parts_ask_for_a_password()]


def test_parts_by_tls_and_with_passwords_are_fine(far: Any) -> None:
    assert found() == []


@pytest.mark.parametrize("options", [{}, {"sslmode": "prefer"}, {"sslmode": "require"}])
def test_a_database_in_clear_or_believed_unseen(far: Any, options: dict[str, str]) -> None:
    far.DATABASES = {"default": {**POSTGRES, "OPTIONS": options}}
    assert found() == ["modelmyimage.E012"]
    far.PRIVATE_HOSTS = ["database.example"]
    assert found() == []


@pytest.mark.parametrize("address", [GOOD.replace("rediss", "redis"), f"{GOOD}?ssl_cert_reqs=none"])
def test_a_server_in_clear_or_believed_unseen(far: Any, address: str) -> None:
    far.CELERY_BROKER_URL = far.KEYSTORE_URL = address
    assert found() == ["modelmyimage.E013"] * 2
    far.PRIVATE_HOSTS = ["broker.example"]
    assert found() == []


def test_what_is_on_this_very_host_needs_nothing(far: Any) -> None:
    far.DATABASES = {"default": {**POSTGRES, "HOST": "/run/postgresql", "PASSWORD": ""}}
    far.CELERY_BROKER_URL, far.KEYSTORE_URL = "redis+socket:///run/broker.sock", "redis://127.0.0.1:6379/0"
    far.CACHES = {"default": {"LOCATION": "unix:///run/broker.sock?db=1"}}
    assert found() == []


def test_traces_in_clear(far: Any) -> None:
    far.OTEL_EXPORTER_OTLP_ENDPOINT = "http://traces.example:4318"
    assert found() == ["modelmyimage.E014"]


@pytest.mark.parametrize("password", ["", "postgres", "aaaaaaaaaaaaaaaaaaaaaaaa"])
def test_a_password_that_is_none(far: Any, password: str) -> None:
    far.DATABASES = {"default": {**POSTGRES, "PASSWORD": password, "OPTIONS": {"sslmode": "verify-full"}}}
    far.KEYSTORE_URL = f"rediss://:{password}@keystore.example/0"
    assert found() == ["modelmyimage.E015"] * 2
    far.DATABASES["default"]["OPTIONS"] |= {"sslcert": "/run/secrets/site.crt"}
    assert found() == ["modelmyimage.E015"]


def test_secrets_in_the_environment_are_told_and_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*parts_checks.KEYS, *parts_checks.ADDRESSES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KEYSTORE_URL", "unix:///run/keystore.sock")
    monkeypatch.setenv("SECRET_KEY_FILE", "/run/secrets/secret_key")
    assert parts_checks.secrets_are_handed_over_in_files() == []
    monkeypatch.setenv("BROKER_URL", GOOD)
    monkeypatch.setenv("SECRET_KEY", PASSWORD)
    (told,) = parts_checks.secrets_are_handed_over_in_files()
    assert (told.id, "SECRET_KEY, BROKER_URL" in told.msg, PASSWORD in str(told)) == ("modelmyimage.W004", True, False)


@pytest.mark.django_db(transaction=True)
def test_a_role_that_may_do_everything_is_told() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no roles")
    (told,) = parts_checks.the_database_gives_no_more_than_is_needed()
    assert told.id == "modelmyimage.W003"  # tests empty tables past the triggers
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE humble LOGIN")
    user = connection.settings_dict["USER"]
    try:
        connection.settings_dict["USER"] = "humble"
        assert parts_checks.the_database_gives_no_more_than_is_needed() == []
    finally:
        connection.settings_dict["USER"] = user
        with connection.cursor() as cursor:
            cursor.execute("DROP ROLE humble")


def test_the_role_of_the_compose_file_may_do_nothing_but_own_its_database() -> None:
    told = (ROOT / "deploy" / "compose" / "site-role.sh").read_text()
    assert "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION" in told
    assert "OWNER site" in told


def test_logs_that_stay_are_told(settings: Any) -> None:
    settings.LOGS_TO = ""
    assert [one.id for one in parts_checks.logs_leave_the_machine()] == ["modelmyimage.W005"]
    settings.LOGS_TO = "logs.example"
    assert parts_checks.logs_leave_the_machine() == []


def test_packages_of_long_ago_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert date.fromisoformat(packages_checks.STAMP.read_text().strip()) <= datetime.now(UTC).date()
    stamp = tmp_path / "stamp"
    monkeypatch.setattr(packages_checks, "STAMP", stamp)
    for days, told in ((31, []), (32, ["modelmyimage.I001"])):
        stamp.write_text(f"{datetime.now(UTC).date() - timedelta(days=days)}\n")
        assert [one.id for one in packages_checks.packages_are_of_this_month()] == told
