"""Proofs of who somebody is, those that fail, and refusals are lines in the log, and no line says who."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client

from accounts.models import User
from modelmyimage.logs import JsonLines
from tests.accounts.test_signing_in import ADDRESS, PASSWORD, make
from tests.api.asgi import Call

pytestmark = pytest.mark.django_db
SEED = "JBSWY3DPEHPK3PXP"


class Kept(logging.Handler):
    """Lines as they are written on a site."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(JsonLines())

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.lines.append(self.format(record))


@pytest.fixture
def told() -> Iterator[Callable[[str], list[dict[str, Any]]]]:
    """Lines of a logger whose name begins so; no line may name anybody."""
    import modelmyimage.asgi  # noqa: F401 - sets the log up, which would take the handler off

    kept, loggers = Kept(), [logging.getLogger(name) for name in ("accounts", "django", "modelmyimage")]
    for logger in loggers:
        logger.addHandler(kept)
    yield lambda name: [line for line in map(json.loads, kept.lines) if line["logger"].startswith(name)]
    for logger in loggers:
        logger.removeHandler(kept)
    text = "\n".join(kept.lines)
    assert ADDRESS.split("@")[0] not in text.lower()
    assert PASSWORD not in text


def test_signing_in_and_failing_to(client: Client, told: Callable[[str], list[dict[str, Any]]]) -> None:
    user = make()
    for address in (ADDRESS, "nobody@example.com"):
        client.post("/account/login/", {"login": address, "password": "wrong"})
    wrong = [(line["level"], line["failure"]) for line in told("accounts")]
    assert wrong == [("warning", "email_password_mismatch")] * 2, "one that has an account looks like one that has none"
    client.post("/account/login/", {"login": ADDRESS, "password": PASSWORD})
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    client.post("/account/logout/")
    said = [(line["event"], line.get("part"), line.get("outcome")) for line in told("accounts")][2:]
    assert said == [
        ("a proof of identity held", "password", "first"),
        ("somebody signed in", None, None),
        ("a proof of identity held", "password", "again"),
        ("somebody signed out", None, None),
    ]

    TOTP.activate(user, SEED)
    client.post("/account/login/", {"login": ADDRESS, "password": PASSWORD})
    client.post("/account/2fa/authenticate/", {"code": "000000"})
    assert told("accounts")[-1]["failure"] == "incorrect_code"


def test_wrong_codes_and_limits(client: Client, told: Callable[[str], list[dict[str, Any]]]) -> None:
    make()
    client.post("/account/login/code/", {"email": ADDRESS})
    client.post("/account/login/code/confirm/", {"code": "BBBB-BBBB"})
    assert told("accounts")[-1]["failure"] == "incorrect_code"
    for _ in range(6):
        Client().post("/account/login/", {"login": ADDRESS, "password": "wrong"})
    assert told("accounts")[-1]["failure"] == "too_many_login_attempts"


def test_refusals_of_pages_and_of_the_api_say_which_and_at_what_kind_of_address(
    owner: User, stranger: User, told: Callable[[str], list[dict[str, Any]]]
) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(stranger)
    browser.get("/operators/", follow=True)  # not for customers
    browser.get("/jobs/00000000-0000-4000-8000-000000000001")  # not theirs, or nobody's
    browser.post("/account/logout/")  # a form of somebody else's
    browser.get("/api/v1/jobs", headers={"Authorization": "Bearer nothing"})
    said = [(line["status"], line["route"]) for line in told("django.")]
    assert said == [(403, "operators/login/"), (404, "jobs/<uuid:job_id>"), (403, "account/logout/")]
    assert told("accounts.problems")[0]["failure"] == "key_malformed"


def test_a_body_past_the_limit_is_told(told: Callable[[str], list[dict[str, Any]]]) -> None:
    assert Call("/create", b"", {"Content-Length": "99999999"}).make().status == 413
    assert "past the limit" in told("modelmyimage.bodylimit")[0]["event"]
