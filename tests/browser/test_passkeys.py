"""A new person signs up by a mailed code, makes a passkey and signs in with it, on an authenticator that Chromium
plays. At an IP address, where browsers refuse passkeys, the pages say so and lead to where they work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Watched, join
from tests.stack import RunningSite

pytestmark = [pytest.mark.browser, pytest.mark.stack]


def authenticator(context: BrowserContext, page: Page) -> Callable[[], list[dict[str, Any]]]:
    """A platform authenticator whose person always agrees; returns a function that tells its passkeys."""
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    made = devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return lambda: devtools.send("WebAuthn.getCredentials", made)["credentials"]


def test_passkey_is_made_and_signs_in(watched: Watched, context: BrowserContext, site: RunningSite) -> None:
    address = site.url.replace("127.0.0.1", "localhost")
    page = watched.page
    passkeys = authenticator(context, page)
    join(page, address, "passkey@example.org")

    page.goto(f"{address}/account/")
    page.get_by_role("link", name="Second step").click()
    page.get_by_role("link", name="Add one").click()
    page.get_by_label("Name").fill("This machine")
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add it").click()
    page.wait_for_url(lambda url: "/add/" not in url)
    assert len(passkeys()) == 1
    page.goto(f"{address}/account/2fa/webauthn/")
    expect(page.locator("main")).to_contain_text("This machine")

    page.goto(f"{address}/account/")
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{address}/history")
    page.wait_for_url(lambda url: "/account/login/" in url)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{address}/history")
    assert watched.off_origin(address) == []
    assert watched.complaints == []


def test_at_an_ip_address_the_page_says_where_passkeys_work(watched: Watched, site: RunningSite) -> None:
    page = watched.page
    page.goto(f"{site.url}/account/login/?next=/history")
    expect(page.get_by_role("button", name="Use a passkey")).to_have_count(0)
    page.locator("#passkey-elsewhere").get_by_role("link").click()
    page.wait_for_url(lambda url: url.startswith(site.url.replace("127.0.0.1", "localhost")))
    assert page.url.endswith("/account/login/?next=/history")
    expect(page.get_by_role("button", name="Use a passkey")).to_be_visible()
    assert watched.complaints == []
