"""Settings that would make a public page wrong are found before it is public."""

from __future__ import annotations

import pytest

from trust import checks, operator


def found(*, deploy: bool = False) -> list[str]:
    check = checks.somebody_answers if deploy else checks.what_is_said_can_be_read
    return [str(one.id) for one in check()]


def test_a_site_as_it_should_be(settings) -> None:
    settings.OPERATOR_NAME, settings.OPERATOR_ADDRESS, settings.OPERATOR_REGION = "Example", "Street 1", "DE"
    settings.CONTACT_EMAIL, settings.GOVERNING_LAW = "hello@models.example", "German law"
    settings.HOSTING, settings.CERTIFICATIONS = ["A|Germany|machines"], ["ISO 27001|https://proof.example"]
    assert found() == []
    assert found(deploy=True) == []


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("HOSTING", ["A|Germany"], "trust.E001"),
        ("HOSTING", ["A||machines"], "trust.E001"),
        ("CERTIFICATIONS", ["SOC 2"], "trust.E001"),
        ("CERTIFICATIONS", ["SOC 2|on request"], "trust.E001"),
        ("CONTACT_EMAIL", "hello", "trust.E002"),
        ("PROVIDERS_COMING", ["nobody"], "trust.E003"),
        ("NOTICE_DAYS", 0, "trust.E004"),
    ],
)
def test_what_cannot_be_said_is_found(settings, name: str, value: object, code: str) -> None:
    setattr(settings, name, value)
    assert found() == [code]


def test_nobody_who_answers_is_told_to_operators(settings) -> None:
    (warning,) = checks.somebody_answers()
    assert "OPERATOR_NAME" in str(warning.msg)
    assert warning.id == "trust.W001"


def test_entries_are_read(settings) -> None:
    settings.HOSTING = [" A Host | Finland | runs our machines "]
    assert operator.hosts() == [operator.Host("A Host", "Finland", "runs our machines")]
