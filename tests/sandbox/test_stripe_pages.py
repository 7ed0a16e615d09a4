"""The stand-in's pages as a browser uses them: links and forms only, from its own pages only, nothing unescaped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from sandbox.stripe import Sandbox
from tests.sandbox.stripes import NOW, buying, client, happened, paid, plan, sandbox, subscribed

HOSTILE = '"><script>alert(1)</script>&'
VOID = {"meta", "link", "input", "br"}


@pytest.fixture
def running():
    with sandbox() as stand_in:
        yield stand_in


@pytest.fixture
def browser(running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.url, headers={"Origin": running.url}) as opened:
        yield opened


class Structure(HTMLParser):
    """Open elements, labelled fields and headings of a page; fails on what does not close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.unlabelled: list[dict[str, str | None]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One more is open."""
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag in ("input", "select") and given.get("type") != "hidden" and "label" not in self.open:
            self.unlabelled.append(given)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """The one opened last is closed."""
        assert self.open.pop() == tag

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of all elements of this name."""
        return [given for name, given in self.tags if name == tag]


def look(answer: httpx.Response) -> str:
    """The page, once it is seen to be one that everybody can read."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    page = Structure(answer.text)
    assert [given["lang"] for given in page.named("html")] == ["en"]
    assert len(page.named("h1")) == 1
    assert page.unlabelled == []
    assert not [1 for _, given in page.tags if "style" in given or any(name.startswith("on") for name in given)]
    assert "Test mode: no money moves." in answer.text
    assert "<script" not in answer.text
    return answer.text


def begin(running: Sandbox, **options: Any) -> Any:
    return client(running).v1.checkout.sessions.create(buying(**options))


def press(browser: httpx.Client, path: str, **form: str) -> httpx.Response:
    return browser.post(path, data=form)


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


def portal(running: Sandbox, customer: str, prices: list[Any], **more: Any) -> Any:
    api = client(running)
    features: Any = {
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
        "subscription_update": {
            "enabled": True,
            "default_allowed_updates": ["price"],
            "proration_behavior": "always_invoice",
            "products": [{"product": str(one.product), "prices": [one.id]} for one in prices],
        },
    }
    configuration = api.v1.billing_portal.configurations.create({"features": features})
    given: Any = {"customer": customer, "configuration": configuration.id, **more}
    given["return_url"] = "https://site.example/billing"
    return api.v1.billing_portal.sessions.create(given)


def test_the_portal(running, browser) -> None:
    one, big, dollars = subscribed(running), plan(running, 3000, key="big"), plan(running, 1, key="other")
    session = portal(running, one["customer"], [big])
    text = look(browser.get(session.url))
    assert 'href="https://site.example/billing"' in text
    assert re.search(r'href="/invoices/in_\w+"', text)

    press(browser, session.url, do="cancel", subscription=one["id"])
    assert running.get("subscription", one["id"])["cancel_at_period_end"]
    assert "Keep it after all" in look(browser.get(session.url))
    press(browser, session.url, do="resume", subscription=one["id"])
    assert not running.get("subscription", one["id"])["cancel_at_period_end"]

    assert press(browser, session.url, do="change", subscription=one["id"], price=dollars.id).status_code == 400
    press(browser, session.url, do="change", subscription=one["id"], price=big.id)
    assert running.get("subscription", one["id"])["items"]["data"][0]["price"]["id"] == big.id

    press(browser, session.url, do="card", card="declined")
    running.advance_to_renewal(one["id"])
    assert running.get("subscription", one["id"])["status"] == "past_due"
    late = browser.get(session.url)
    assert late.status_code == 410
    press(browser, session.url, do="card", card="ok")  # no more: the page has expired
    running.advance(3)
    assert running.get("subscription", one["id"])["status"] == "past_due"
    press(browser, portal(running, one["customer"], []).url, do="card", card="ok")
    running.advance(5)
    assert running.get("subscription", one["id"])["status"] == "active"


def test_the_portal_is_one_customers(running, browser) -> None:
    mine, theirs = subscribed(running), subscribed(running, price=plan(running, key="theirs"))
    session = portal(running, mine["customer"], [])
    assert press(browser, session.url, do="cancel", subscription=theirs["id"]).status_code == 404
    assert not running.get("subscription", theirs["id"])["cancel_at_period_end"]
    assert theirs["latest_invoice"] not in browser.get(session.url).text


def test_a_flow_shows_its_part_and_leads_back(running, browser) -> None:
    one = subscribed(running)
    flow: Any = {
        "type": "subscription_cancel",
        "subscription_cancel": {"subscription": one["id"]},
        "after_completion": {"type": "redirect", "redirect": {"return_url": "https://site.example/back"}},
    }
    session = portal(running, one["customer"], [], flow_data=flow)
    text = look(browser.get(session.url))
    assert "Cancel at the end of the period" in text
    assert "Way to pay" not in text
    done = press(browser, session.url, do="cancel", subscription=one["id"])
    assert done.headers["location"] == "https://site.example/back"


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


def test_the_style_is_there(browser) -> None:
    answer = browser.get("/style.css")
    assert answer.headers["content-type"].startswith("text/css")
    for part in ("prefers-color-scheme: dark", ":focus-visible", "max-width: 480px"):
        assert part in answer.text
