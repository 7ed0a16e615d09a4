"""Erasing an account as a person does it: ask, undo, ask again at once, keep the certificate, begin anew."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched, join, sign_up
from tests.browser.looks import Looks
from tests.stack import RunningSite

pytestmark = [pytest.mark.browser, pytest.mark.stack]

ADDRESS = "leaving@example.org"


def ask(page: Page, site: RunningSite, when: str) -> None:
    """Fill in the form and send it."""
    page.goto(f"{site.url}/account/erase")
    page.get_by_label(re.compile(f"^{when}")).check(force=True)
    page.get_by_label("Type the account’s address").fill(ADDRESS)
    page.get_by_role("button", name="Erase my account").click()
    page.wait_for_url(f"{site.url}/erasure/*")


def test_an_account_is_erased(watched: Watched, site: RunningSite, tmp_path: Path) -> None:
    page = watched.page
    looks = Looks(page)
    join(page, site.url, ADDRESS)
    page.goto(f"{site.url}/account/")
    page.locator("summary", has_text="Erase the account").press("Enter")
    assert looks() == []
    page.get_by_role("link", name="See what would go").click()
    expect(page.locator("main")).to_contain_text("10 credits are lost")

    # Another address: said, and what was chosen stays chosen.
    page.get_by_label(re.compile("^At once")).check(force=True)
    page.get_by_label("Type the account’s address").fill("else@example.org")
    page.get_by_role("button", name="Erase my account").click()
    expect(page.locator("#address-error")).to_contain_text("not the address of this account")
    expect(page.get_by_label(re.compile("^At once"))).to_be_checked()
    assert looks() == []

    ask(page, site, "In 7 days")
    expect(page.locator("h1")).to_have_text("The account will be erased")
    waiting = page.url
    for path in ("/account/", "/account/erase", waiting.removeprefix(site.url)):
        page.goto(site.url + path)
        assert looks() == [], path
    page.goto(f"{site.url}/account/")
    page.get_by_role("button", name="Keep my account").click()
    expect(page.locator("main")).to_contain_text("Undone. Your account stays")
    page.goto(waiting)
    expect(page.locator("h1")).to_have_text("No erasure here")
    assert looks() == []

    ask(page, site, "At once")
    expect(page.locator("h1")).to_have_text("The account is erased")  # by itself
    done = page.url
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save the certificate").click()
    saved.value.save_as(tmp_path / "certificate.json")
    certificate = json.loads((tmp_path / "certificate.json").read_text())["receipt"]
    assert {"Where you are signed in", "E-mail addresses"} <= {line["kind"] for line in certificate["destroyed"]}
    assert ADDRESS not in str(certificate)
    page.context.clear_cookies()  # whoever has the address sees it
    page.goto(done)
    expect(page.locator("h1")).to_have_text("The account is erased")
    assert looks() == []

    # Checked in the browser, without being sent.
    page.goto(f"{site.url}/verify")
    page.locator("#id_file").set_input_files(tmp_path / "certificate.json")
    page.get_by_role("button", name="Check it").click()
    expect(page.locator("h1")).to_have_text("This receipt holds")
    expect(page.locator("#paper")).to_contain_text("E-mail addresses")

    # Nobody signs in any more; whoever signs up anew is somebody new.
    page.goto(f"{site.url}/account/")
    page.wait_for_url(f"{site.url}/account/login/**")
    sign_up(page, site.url, ADDRESS)
    page.goto(f"{site.url}/history")
    expect(page.locator("main")).to_contain_text("No jobs yet")
    assert [text for text in watched.complaints if "responded with a status of" not in text] == []
