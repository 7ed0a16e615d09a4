"""Each promise has its exceptions and a mechanism that exists; none claims what the program does not do."""

from __future__ import annotations

import ast
import re
from datetime import date

import pytest
from django.utils import translation

from tests.environment import ROOT
from trust import facts, promise, texts
from trust.promise import Promise
from trust.promises import PROMISES

TEXTS = ("privacy", "terms", "security", "sub-processors", "faq", "about")
FORBIDDEN = [
    r"end[- ]to[- ]end encrypt",
    r"encrypted end[- ]to[- ]end",
    r"anonym",
    r"\bSOC ?2\b",
    r"ISO ?27001",
    r"military|bank[- ]grade|unbreakable|100 ?%",
    r"\b(fully|completely|totally|absolutely) (secure|private|safe)",
    r"we (delete|erase|destroy) everything",
    r"(GDPR|CCPA|HIPAA)[- ]complian",
    r"never (stored|shared)",
]


def missing(promise: Promise) -> list[str]:
    """What a promise names and the repository lacks."""
    found = [file for file in promise.files if not (ROOT / file).is_file()]
    for test in promise.tests:
        file, _, name = test.partition("::")
        if not (ROOT / file).is_file():
            found.append(test)
            continue
        parsed = ast.parse((ROOT / file).read_text()).body
        functions = {node.name for node in parsed if isinstance(node, ast.FunctionDef)}
        if name not in functions:
            found.append(test)
    return found


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.name)
def test_its_mechanism_exists(promise: Promise) -> None:
    assert promise.files
    assert promise.tests
    assert missing(promise) == []


def test_a_mechanism_that_does_not_exist_is_found() -> None:
    false = Promise("x", "Words.", (), ("privacy/nothing.py",), ("tests/test_cards.py::test_nothing", "tests/no.py::x"))
    assert missing(false) == ["privacy/nothing.py", "tests/test_cards.py::test_nothing", "tests/no.py::x"]


def test_names_are_single_and_each_promise_is_shown_somewhere() -> None:
    names = [promise.name for promise in PROMISES]
    assert len(names) == len(set(names))
    written = "".join((texts.FOLDER / f"{name}.md").read_text() for name in TEXTS)
    assert set(re.findall(r"{{ promise\.(\w+) }}", written)) == set(names)


def test_exceptions_and_mechanism_stand_beside_the_words() -> None:
    shown = promise.markdown(PROMISES[0])
    assert str(PROMISES[0].words) in shown
    assert all(str(exception) in shown for exception in PROMISES[0].exceptions)
    assert all(name in shown for name in PROMISES[0].files + PROMISES[0].tests)
    assert "Exceptions: none that we know of." in promise.markdown(Promise("x", "Words.", (), (), ()))


def test_a_promise_is_read_in_the_readers_language() -> None:
    sealed, keys = (one for one in PROMISES if one.name in {"sealed", "keys"})
    with translation.override("de"):
        shown = promise.markdown(keys)
    assert "Arbeitsspeicher" in shown
    assert "5 Minuten nach" in shown
    assert "> * Ausnahme: " in shown
    assert all(name in shown for name in keys.files + keys.tests)
    assert "encrypted" in promise.markdown(sealed)


@pytest.mark.parametrize("rich", [False, True], ids=["bare", "with everything"])
@pytest.mark.parametrize("name", TEXTS)
def test_nothing_is_claimed_that_is_not_so(name: str, rich: bool, settings) -> None:
    if rich:
        settings.PROVIDER_ENVIRONMENT = {"MESHY_API_KEY": "x", "FAL_KEY": "x"}
        settings.BILLING = True
        settings.OPERATOR_NAME = "Example"
        settings.HOSTING = ["Host|Germany|runs our machines"]
    text = texts.render(texts.source(name).template, facts.values(today=date(2026, 11, 26)))
    assert [wrong for wrong in FORBIDDEN if re.search(wrong, text, re.IGNORECASE)] == []


def test_a_certificate_is_named_only_with_its_evidence(settings) -> None:
    settings.CERTIFICATIONS = ["SOC 2 Type II|https://proof.example/report"]
    text = texts.render(texts.source("security").template, facts.values(today=date(2026, 11, 26)))
    assert "SOC 2 Type II: [evidence](https://proof.example/report)" in text
    settings.CERTIFICATIONS = []
    text = texts.render(texts.source("security").template, facts.values(today=date(2026, 11, 26)))
    assert "No certificate and no audit by others is claimed" in text
