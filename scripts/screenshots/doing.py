"""What is done on a page before it is photographed, by the names that ``pages.py`` gives."""

from __future__ import annotations

from uuid import uuid4

from playwright.sync_api import Page

from scripts.screenshots.pages import FULL
from scripts.screenshots.people import PASSWORD, Cast

CHECK = 'form#verify button.primary, form[action="/verify"] button.primary'


def a_receipt_that_holds(page: Page, cast: Cast) -> None:
    """The finished job's receipt is checked."""
    page.locator("#id_document").fill(cast.receipt.decode())
    page.locator(CHECK).click()
    page.get_by_role("heading", level=1).filter(has_text="holds").wait_for()


def a_receipt_that_does_not(page: Page, cast: Cast) -> None:
    """The same with one letter changed."""
    page.locator("#id_document").fill(cast.receipt.decode().replace('"done"', '"gone"'))
    page.locator(CHECK).click()
    page.get_by_role("heading", level=1).filter(has_text="does not hold").wait_for()


def a_code_is_mailed(page: Page, cast: Cast) -> None:
    """An address is given; what the next page says is the same whether somebody has it."""
    page.locator("main form input[type=email]").first.fill(f"{uuid4().hex[:8]}@example.org")
    _send(page)


def an_account_is_made(page: Page, cast: Cast) -> None:
    """Somebody signs up."""
    a_code_is_mailed(page, cast)


def a_password_is_given(page: Page, cast: Cast) -> None:
    """Somebody with an authenticator app signs in."""
    page.locator("main input[type=email]").first.fill(f"{FULL}@example.org")
    page.locator("main input[type=password]").fill(PASSWORD)
    _send(page)


def the_secret_is_shown(page: Page, cast: Cast) -> None:
    """A key gets a new secret, which is shown once."""
    page.locator('form[action$="/rotate"] button').click()
    page.wait_for_load_state()


def the_receipt_arrives(page: Page, cast: Cast) -> None:
    """The model is fetched, shown and taken, and ours destroyed."""
    page.locator("#slip .slip.receipt").wait_for()
    page.wait_for_timeout(1500)


def _send(page: Page) -> None:
    """Press the page's own primary button."""
    with page.expect_navigation():
        page.locator("main form button.primary").first.click()
