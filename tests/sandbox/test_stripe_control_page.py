"""The page on which whoever runs the site plays the bank."""

from __future__ import annotations

import re

import pytest

from tests.sandbox.browsing import begin, look, press
from tests.sandbox.stripes import NOW, client, paid, subscribed


def button(text: str, words: str) -> tuple[str, dict[str, str]]:
    """Where the first form with this button leads, and its hidden fields."""
    for form in re.findall(r"<form.*?</form>", text):
        if f">{words}</button>" in form:
            hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)
            return re.findall(r'action="([^"]*)"', form)[0], dict(hidden)
    raise AssertionError(f"no button {words!r}")


def test_the_control_page_plays_the_bank(running, browser) -> None:
    assert "Nobody has paid yet." in look(browser.get("/"))
    first, slow = paid(running), paid(running, "delayed")
    second = paid(running)
    open_ = begin(running)

    def press_words(words: str, **more: str) -> None:
        path, form = button(look(browser.get("/")), words)
        assert press(browser, path, **form, **more).status_code == 303

    press_words("It arrives")
    assert running.get("checkout.session", slow["id"])["payment_status"] == "paid"
    press_words("Dispute")  # the newest payment
    press_words("We lose")
    assert running.all("dispute")[0]["status"] == "lost"
    assert running.all("dispute")[0]["payment_intent"] == second["payment_intent"]
    press(browser, "/do/refund", intent=first["payment_intent"], amount="500", pending="yes")
    press_words("The refund fails")
    assert running.all("refund")[0]["status"] == "failed"
    press_words("Let it expire")
    assert running.get("checkout.session", open_.id)["status"] == "expired"
    press_words("+1 month")
    assert running.now() == int(NOW) + 31 * 86400
    press_words("Set", mode="delayed")
    assert running.hooks.mode == "delayed"
    one = subscribed(running)
    press_words("Its card is declined")
    press_words("To the end of its period")
    assert running.get("subscription", one["id"])["status"] == "past_due"


def test_events_are_sent_again(running, browser) -> None:
    got: list[bytes] = []
    running.hooks.target = lambda body, signature: got.append(body)
    paid(running)
    assert running.hooks.idle()
    before = len(got)
    path, form = button(look(browser.get("/")), "Send again")
    press(browser, path, **form)
    assert running.hooks.idle()
    assert len(got) == before + 1
    running.hooks.mode = "delayed"
    client(running).v1.customers.create()
    path, form = button(look(browser.get("/")), "Send the 1 that are kept")
    press(browser, path, **form)
    assert running.hooks.idle()
    assert len(got) == before + 2


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("refund", {"intent": "pi_none", "amount": "5"}),
        ("refund", {"intent": "pi_none", "amount": "many"}),
        ("advance", {"days": "-1"}),
        ("mode", {"mode": "sideways"}),
        ("card", {"customer": "cus_none", "card": "gold"}),
        ("settle", {}),
        ("fly", {}),
    ],
)
def test_a_button_that_cannot_work_says_why(name: str, form: dict[str, str], browser) -> None:
    answer = press(browser, f"/do/{name}", **form)
    assert answer.status_code == 400
    assert 'role="alert"' in look(answer)
