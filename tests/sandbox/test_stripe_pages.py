"""The pages for buyers: links and forms only, from its own pages only, nothing unescaped."""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox.browsing import begin, look, press
from tests.sandbox.stripes import NOW, happened, paid, subscribed

HOSTILE = '"><script>alert(1)</script>&'


def test_paying(running, browser) -> None:
    session = begin(running)
    text = look(browser.get(session.url))
    assert "100 credits" in text
    assert "20.00 EUR" in text
    assert 'href="https://site.example/pricing"' in text
    done = press(browser, session.url, card="ok")
    assert (done.status_code, done.headers["location"]) == (303, f"https://site.example/done?session={session.id}")
    assert running.get("checkout.session", session.id)["payment_status"] == "paid"
    again = browser.get(session.url)
    assert again.status_code == 410
    assert "This is paid already" in look(again)
    assert press(browser, session.url, card="ok").status_code == 410
    assert happened(running).count("checkout.session.completed") == 1


def test_a_declined_card_says_so_and_another_one_pays(running, browser) -> None:
    session = begin(running)
    back = press(browser, session.url, card="declined")
    text = look(browser.get(back.headers["location"]))
    assert "declined" in text
    assert "Nothing was paid." in text
    assert press(browser, session.url, card="ok").headers["location"].startswith("https://site.example/done")


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_the_bank_asks(answer: str, running, browser) -> None:
    session = begin(running)
    asked = press(browser, session.url, card="auth").headers["location"]
    asked = browser.get(asked).headers["location"]
    assert "20.00 EUR" in look(browser.get(asked))
    then = press(browser, asked, answer=answer).headers["location"]
    if answer == "yes":
        assert then == f"https://site.example/done?session={session.id}"
    else:
        assert "could not confirm" in look(browser.get(then))
    assert browser.get(asked).status_code == 410


def test_a_debit_that_takes_days(running, browser) -> None:
    session = begin(running)
    assert press(browser, session.url, card="delayed").headers["location"].startswith("https://site.example/done")
    assert "on its way" in look(browser.get(session.url))


def test_promotion_codes(running, browser) -> None:
    assert "Promotion code" not in look(browser.get(begin(running).url))
    session = begin(running, allow_promotion_codes=True)
    wrong = press(browser, session.url, promotion=HOSTILE, apply="yes")
    assert wrong.status_code == 400
    assert "There is no such code." in look(wrong)
    assert 'aria-invalid="true"' in wrong.text
    press(browser, session.url, promotion="sandbox25", apply="yes")
    assert "15.00 EUR" in look(browser.get(session.url))
    press(browser, session.url, promotion="", apply="yes")
    assert "15.00 EUR" not in look(browser.get(session.url))
    press(browser, session.url, promotion="SANDBOXFREE", apply="yes")
    press(browser, session.url, card="ok")
    assert running.get("checkout.session", session.id)["payment_status"] == "no_payment_required"


def test_too_late(running, browser) -> None:
    session = begin(running, expires_at=int(NOW) + 1800)
    running.advance(seconds=1801)
    late = browser.get(session.url)
    assert late.status_code == 410
    assert "This page has expired" in look(late)
    assert press(browser, session.url, card="ok").status_code == 410
    assert running.all("payment_intent") == []


def test_nothing_is_unescaped(running, browser) -> None:
    line = {"quantity": 1, "price_data": {"currency": "eur", "unit_amount": 5, "product_data": {"name": HOSTILE}}}
    session = begin(running, line_items=[line], cancel_url="https://site.example/" + HOSTILE, customer_email=HOSTILE)
    assert "&lt;script&gt;" in look(browser.get(session.url))
    press(browser, session.url, card="ok")
    look(browser.get("/"))


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ({}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "{url}"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "{url}"}, True),
    ],
)
def test_only_its_own_pages_press_buttons(headers: dict[str, str], taken: bool, running) -> None:
    session = begin(running)
    given = {name: value.format(url=running.url) for name, value in headers.items()}
    answer = httpx.post(session.url, data={"card": "ok"}, headers=given)
    assert (answer.status_code == 303) is taken
    assert (running.get("checkout.session", session.id)["status"] == "complete") is taken
    before = running.now()
    httpx.post(f"{running.url}/do/advance", data={"days": "1"}, headers=given)
    assert (running.now() > before) is taken


def test_another_hosts_name_gets_nothing(running) -> None:
    assert httpx.get(running.url, headers={"Host": "evil.example"}).status_code == 421
    assert httpx.get(running.url, headers={"Host": f"localhost:{running.url.rpartition(':')[2]}"}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/nothing", "/pay/cs_test_none", "/portal/x", "/invoices/x", "/receipts/x", "/do/fly"]
)
def test_what_is_not_there_says_so(path: str, browser) -> None:
    answer = browser.get(path)
    assert answer.status_code in (404, 405)
    look(answer)


def test_an_open_invoice_is_paid_on_its_page(running, browser) -> None:
    one = subscribed(running)
    running.set_card(one["customer"], "declined")
    running.advance_to_renewal(one["id"])
    invoice = running.get("invoice", running.get("subscription", one["id"])["latest_invoice"])
    assert "declined" in look(browser.get(invoice["hosted_invoice_url"]))
    asked = browser.get(press(browser, invoice["hosted_invoice_url"], card="auth").headers["location"])
    back = press(browser, asked.headers["location"], answer="yes").headers["location"]
    assert back == f"/invoices/{invoice['id']}"
    assert 'class="first"' not in look(browser.get(back))
    assert running.get("invoice", invoice["id"])["status"] == "paid"
    assert look(browser.get(invoice["invoice_pdf"]))


def test_a_receipt(running, browser) -> None:
    intent = paid(running)["payment_intent"]
    running.refund(intent, 500)
    text = look(browser.get(running.all("charge")[0]["receipt_url"]))
    assert "-5.00 EUR" in text
    assert "15.00 EUR" in text


def test_the_style_is_there(browser) -> None:
    answer = browser.get("/style.css")
    assert answer.headers["content-type"].startswith("text/css")
    for part in ("prefers-color-scheme: dark", ":focus-visible", "max-width: 480px"):
        assert part in answer.text
