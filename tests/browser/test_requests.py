"""Each right in the browser, from asking to the answer: signed in and not, answered, extended, refused, withdrawn."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS, join
from tests.browser.looks import Looks
from tests.long import LONG
from tests.stack import RunningSite

pytestmark = [pytest.mark.browser, pytest.mark.stack]

RIGHTS = {
    "access": "See what is held about me",
    "portability": "Take my data with me",
    "correction": "Have something corrected",
    "deletion": "Have my data deleted",
    "objection": "Object to a use of my data",
    "restriction": "Restrict what is done with my data",
    "opt_out": "Opt out of sale and sharing",
}
ADDRESS = f"{uuid4().hex}@rights.example"
"""Of the account that is signed in."""


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, site: RunningSite) -> Any:
    """The cookies of an account of this file's own."""
    with chromium.new_context() as context:
        context.set_default_timeout(PATIENCE_MS)
        join(context.new_page(), site.url, ADDRESS)
        return context.storage_state()


@contextmanager
def database(site: RunningSite) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(site.state / "db.sqlite3", timeout=20, isolation_level=None)) as opened:
        yield opened


@contextmanager
def operator(site: RunningSite) -> Iterator[None]:
    """Meanwhile, whoever is signed in may do everything."""
    with database(site) as rows:
        rows.execute("UPDATE accounts_user SET is_staff = 1, is_superuser = 1 WHERE email = ?", [ADDRESS])
        try:
            yield
        finally:
            rows.execute("UPDATE accounts_user SET is_staff = 0, is_superuser = 0 WHERE email = ?", [ADDRESS])


def ask(page: Page, site: RunningSite, right: str, address: str = "") -> None:
    page.goto(f"{site.url}/privacy/requests?right={right}")
    expect(page.get_by_label(RIGHTS[right])).to_be_checked()
    page.get_by_label("In your words").fill(f"About {right}, please.")
    if address:
        page.get_by_label("Your e-mail address").fill(address)
    page.get_by_role("button", name="Mail me the link" if address else "Send my request").click()


def newest_letter(page: Page, site: RunningSite, address: str, subject: str) -> str:
    """The text of a letter, once a worker has sent it."""
    for _ in range(100):
        rows = re.findall(r"<tr>(.*?)</tr>", page.request.get(f"{site.url}/mailbox").text(), re.DOTALL)
        if found := [row for row in rows if f">{address}<" in row and subject in row]:
            page.goto(site.url + re.findall(r'href="([^"]+)"', found[0])[0])
            return page.locator("pre").inner_text()
        page.wait_for_timeout(100)
    return pytest.fail(f"no letter {subject!r} to {address}")


def link_in(letter: str) -> str:
    found = re.search(r"http\S+/privacy/requests/\S+", letter)
    assert found, letter
    return found[0]


def confirmed(page: Page, site: RunningSite, right: str, address: str) -> str:
    """A request of somebody who is not signed in, up to its page; the address of that."""
    ask(page, site, right, address)
    expect(page.locator("h1")).to_have_text("Look into your mailbox")
    link = link_in(newest_letter(page, site, address, "Confirm your request"))
    page.goto(link)
    page.get_by_role("button", name="Yes, send my request").click()
    expect(page.locator("h1")).to_contain_text("Your request is")
    return link


def customer(site: RunningSite) -> str:
    """The address of an account that is nobody's browser."""
    address = f"{uuid4().hex}@customer.example"
    with database(site) as rows:
        rows.execute(
            "INSERT INTO accounts_user (email, password, is_staff, is_superuser, is_active, language, theme,"
            " date_joined, last_login) VALUES (?, '!', 0, 0, 1, '', '', '2026-11-01 10:00:00', '2026-11-01 10:00:00')",
            [address],
        )
    return address


def test_without_an_account_a_right_is_answered_at_once(chromium: Browser, site: RunningSite) -> None:
    """Without scripts. Nothing is held under these addresses, and the answer says so."""
    with chromium.new_context(java_script_enabled=False) as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        # The server's part of each is in tests/privacy/test_requests.py.
        for right in RIGHTS if LONG else ("access", "opt_out"):
            confirmed(page, site, right, f"{right}-{uuid4().hex[:6]}@nobody.example")
            expect(page.locator("h1")).to_have_text("Your request is answered")
            said = "We sell nothing about you" if right == "opt_out" else "we hold nothing but what you have asked"
            expect(page.locator("main")).to_contain_text(said)


def test_answered_extended_and_refused_by_an_operator(
    chromium: Browser,
    site: RunningSite,
    signed_in: Any,
) -> None:
    """Somebody who is not signed in and has an account; an operator in another browser; their letters."""
    address = customer(site)
    with (
        operator(site),
        chromium.new_context() as theirs,
        chromium.new_context(storage_state=signed_in) as desk,
    ):
        for context in (theirs, desk):
            context.set_default_timeout(PATIENCE_MS)
        page, queue = theirs.new_page(), desk.new_page()
        complaints: list[str] = []
        queue.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)

        link = confirmed(page, site, "correction", address)
        expect(page.locator("main")).to_contain_text("There is an account under this address.")
        reference = page.locator(".reference").inner_text()
        open_until = page.locator(".lead").inner_text()

        queue.goto(f"{site.url}/operators/privacy/subjectrequest/?q={reference}")
        queue.get_by_role("link", name=reference).click()
        expect(queue.locator("#content")).to_contain_text("About correction, please.")
        extend = queue.locator("form", has=queue.get_by_role("button", name="Extend"))
        extend.get_by_label("What the person reads").fill("We have to look into a backup first.")
        extend.get_by_role("button").click()
        expect(queue.locator(".success")).to_contain_text("Extended.")
        page.goto(link)
        expect(page.locator("main")).to_contain_text("We have to look into a backup first.")
        assert page.locator(".lead").inner_text() != open_until
        assert "look into a backup" in newest_letter(page, site, address, "takes longer")

        queue.get_by_role("link", name="Corrected").click()
        answer = queue.locator("form", has=queue.get_by_role("button", name="Answer"))
        answer.get_by_role("button").click()
        expect(queue.locator(".errornote")).to_contain_text("Nothing was changed.")
        words = answer.get_by_label("What the person reads")
        words.fill(words.input_value().partition("[")[0] + "your name.")
        answer.get_by_role("button").click()
        expect(queue.locator(".success")).to_contain_text("Answered.")
        page.goto(link)
        expect(page.locator("main")).to_contain_text("We have corrected what you named: your name.")
        assert "your name." in newest_letter(page, site, address, "is answered")

        refused = confirmed(page, site, "deletion", address)
        reference = page.locator(".reference").inner_text()
        queue.goto(f"{site.url}/operators/privacy/subjectrequest/?q={reference}")
        queue.get_by_role("link", name=reference).click()
        refuse = queue.locator("form", has=queue.get_by_role("button", name="Refuse"))
        refuse.get_by_label("Reason").select_option("duty")
        refuse.get_by_label("What the person reads").fill("The law on accounts wants invoices for ten years.")
        refuse.get_by_role("button").click()
        expect(queue.locator(".success")).to_contain_text("Refused.")
        page.goto(refused)
        expect(page.locator("h1")).to_have_text("Your request was refused")
        expect(page.locator("main")).to_contain_text("A law obliges us to keep what you ask us to change or delete.")
        assert "you may go to court" in newest_letter(page, site, address, "was refused")
        queue.goto(f"{site.url}/operators/privacy/subjectrequest/numbers/")
        expect(queue.locator("#result_list")).to_contain_text("correction")
        assert [text for text in complaints if "responded with a status of 422" not in text] == []


def test_signed_in_each_right_and_how_its_pages_look(chromium: Browser, site: RunningSite, signed_in: Any) -> None:
    with chromium.new_context(storage_state=signed_in) as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        looks = Looks(page)
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        for right in RIGHTS:  # and one wrong form: ten an hour are all that an account may send
            ask(page, site, right)
            if right == "opt_out":
                expect(page.locator("h1")).to_have_text("Your request is answered")
                continue
            expect(page.locator("h1")).to_have_text("Your request is with us")
            if right in ("access", "objection"):
                assert looks() == []
            page.get_by_role("button", name="Withdraw this request").click()
            expect(page.locator("h1")).to_have_text("Your request was withdrawn")
        reference = page.locator(".reference").inner_text()
        assert looks() == []
        page.goto(f"{site.url}/account/data")
        expect(page.get_by_role("link", name=reference)).to_be_visible()
        assert looks() == []

        # What is had at once instead
        page.goto(f"{site.url}/privacy/requests")
        page.get_by_role("link", name="Get only the mail that has to be").click()
        page.get_by_label("Only the mail that has to be").check()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_label("Only the mail that has to be")).to_be_checked()
        page.get_by_label("Only the mail that has to be").uncheck()
        page.get_by_role("button", name="Save").click()

        # An error is told, and keeps what was typed
        page.goto(f"{site.url}/privacy/requests?right=correction")
        page.get_by_label("CCPA").check()
        page.get_by_role("button", name="Send my request").click()
        expect(page.get_by_label("In your words")).to_be_focused()
        expect(page.locator("#text-error")).to_contain_text("Say in a sentence what is meant")
        expect(page.get_by_label("CCPA")).to_be_checked()
        assert looks() == []
        assert [text for text in complaints if "responded with a status of 422" not in text] == []


def test_pages_of_who_is_not_signed_in(chromium: Browser, site: RunningSite) -> None:
    with chromium.new_context() as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        looks = Looks(page)
        address = f"{uuid4().hex}@nobody.example"
        page.goto(f"{site.url}/privacy/requests")
        assert looks() == []
        page.get_by_role("button", name="Mail me the link").click()
        expect(page.locator("#address-error")).to_be_visible()
        assert looks() == []
        ask(page, site, "objection", address)
        assert looks() == []
        link = link_in(newest_letter(page, site, address, "Confirm your request"))
        page.goto(link)
        assert looks() == []
        page.get_by_role("button", name="Yes, send my request").click()
        expect(page.locator("h1")).to_have_text("Your request is answered")
        assert looks() == []
        page.goto(f"{site.url}/privacy/requests/nothing")
        expect(page.locator("h1")).to_have_text("No such request")
        assert looks() == []
