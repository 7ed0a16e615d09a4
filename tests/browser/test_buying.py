"""Buying as a person does it: price list, Checkout, credits, a model that costs some, a failure that costs none."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from sandbox.providers.meshy import MeshySimulator
from tests.browser.conftest import Watched, join, without_viewer
from tests.browser.cutout import CUT_OUT
from tests.stack import RunningSite, launch_ready

pytestmark = [pytest.mark.browser, pytest.mark.stack]
JOB_MS = 60_000


@pytest.fixture(scope="module")
def meshy() -> Iterator[MeshySimulator]:
    """A provider whose every call fails."""
    with MeshySimulator() as simulator:
        simulator.behaviour.fails, simulator.behaviour.polls = True, 1
        yield simulator


@pytest.fixture(scope="module")
def site(meshy: MeshySimulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A site that gives nothing away."""
    environment = {"GRANT_CREDITS": "0", "MESHY_API_KEY": meshy.key, "MESHY_URL": f"{meshy.url} {meshy.files}"}
    running = launch_ready(tmp_path_factory.mktemp("buying") / "var", **environment)
    try:
        assert running.link
        yield running
    finally:
        running.drop()


def purse(page: Page) -> int:
    """The credits that the top of a page shows."""
    return int(page.locator(".purse").inner_text().split()[0])


def make(page: Page, site: RunningSite, provider: str) -> int:
    """Send the sample as a draft to one provider; returns what the page says that it costs."""
    page.goto(f"{site.url}/create")
    page.locator('input[name="quality"][value="draft"]').check(force=True)
    # Away from the bar at the foot of a phone, and in its corner: in the middle of the card there may be a link.
    offer = page.locator(f"#provider-{provider}")
    offer.evaluate("(one) => one.scrollIntoView({ block: 'center', behavior: 'instant' })")
    offer.check(force=True, position={"x": 10, "y": 10})
    page.locator("#id_photo").set_input_files(CUT_OUT)  # last, since the page grows with it
    price = int(page.locator("#quote-price").inner_text().split()[0])
    page.get_by_role("button", name="Make my model").click()
    return price


def test_credits_are_bought_spent_and_given_back(watched: Watched, site: RunningSite) -> None:
    page = watched.page
    without_viewer(page)
    page.goto(f"{site.url}/pricing")
    expect(page.get_by_text("Test mode: no money moves")).to_be_visible()
    join(page, site.url, "buyer@example.org")
    page.goto(f"{site.url}/pricing")
    assert purse(page) == 0

    # Too few credits: said, with the way to get some.
    make(page, site, "embedded")
    expect(page.locator("main")).to_contain_text("you have fewer")
    page.goto(f"{site.url}/pricing")

    # At the bank's: a card that is declined, then one that does.
    page.locator("#pack-20").get_by_role("button").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert not page.url.startswith(site.url)
    page.get_by_label(re.compile("declined", re.IGNORECASE)).check()
    page.get_by_role("button", name=re.compile("^Pay")).click()
    expect(page.locator("main")).to_contain_text(re.compile("declined", re.IGNORECASE))
    page.get_by_label(re.compile("4242")).check()
    page.get_by_role("button", name=re.compile("^Pay")).click()

    # Back: the credits come by themselves.
    page.wait_for_url(re.compile(re.escape(site.url) + "/billing/orders/"))
    expect(page.get_by_role("heading", level=1)).to_have_text("20 credits are yours")
    assert purse(page) == 20

    # A model costs what was said.
    price = make(page, site, "embedded")
    page.wait_for_url(f"{site.url}/jobs/*")
    expect(page.locator("#save")).to_be_enabled(timeout=JOB_MS)
    page.goto(f"{site.url}/billing")
    assert price > 0
    assert purse(page) == 20 - price
    first = page.locator("table tbody tr").first
    expect(first).to_contain_text("Spent on a model")
    expect(first).to_contain_text(f"\u2212{price}")

    # A provider that fails costs nothing, and the line says so.
    reserved = make(page, site, "meshy")
    page.wait_for_url(f"{site.url}/jobs/*")
    expect(page.locator("main")).to_contain_text("Nothing was charged", timeout=JOB_MS)
    page.goto(f"{site.url}/billing")
    assert reserved > 0
    assert purse(page) == 20 - price
    first = page.locator("table tbody tr").first
    expect(first).to_contain_text("Given back, job failed")
    expect(first).to_contain_text(f"{reserved} reserved, {reserved} back")
    expect(page.locator("main")).to_contain_text("Every line adds up")
    expect(page.locator("main")).to_contain_text("Bought 20 credits")


def test_giving_up_at_the_banks_costs_nothing_and_can_be_taken_up_again(watched: Watched, site: RunningSite) -> None:
    page = watched.page
    join(page, site.url, "giving.up@example.org")
    page.goto(f"{site.url}/pricing")
    page.locator("#pack-100").get_by_role("button").click()
    page.get_by_role("link", name=re.compile("Back")).first.click()
    page.wait_for_url(re.compile(re.escape(site.url) + "/billing/orders/"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing was paid")
    page.get_by_role("button", name="Back to Stripe").click()
    page.get_by_label(re.compile("days", re.IGNORECASE)).first.check()
    page.get_by_role("button", name=re.compile("^Pay")).click()
    page.wait_for_url(re.compile(re.escape(site.url) + "/billing/orders/"))
    expect(page.get_by_role("heading", level=1)).to_have_text("The payment is on its way")
    assert purse(page) == 0
