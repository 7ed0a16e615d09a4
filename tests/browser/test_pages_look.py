"""Every page, on a wide and on a narrow screen, light and dark: nothing that axe objects to, nothing cut off, no
control too small for a thumb, and a console without complaints."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.browser.cutout import CUT_OUT
from tests.browser.looks import Looks
from tests.browser.screens import SCREENS, TWO
from tests.browser.test_main_job import until
from tests.stack import RunningSite

pytestmark = [pytest.mark.browser, pytest.mark.stack]

SAMPLE = Path(__file__).resolve().parents[2] / "static" / "samples" / "mug.jpg"
ANONYMOUS = [
    "/",
    "/pricing",
    "/providers",
    "/verify",
    "/trust",
    "/privacy/data",
    "/guides",
    "/guides/printing",
    "/guides/search?q=print",
    "/account/login/",
    "/account/signup/",
    "/account/login/code/",
    "/account/password/reset/",
    "/in/used-up",
    "/nowhere",
]
PICTURED = ["/guides/photos"]
"""Looked at on every screen, too; its pictures are others where no script runs."""
TRANSLATED = ["/privacy", "/faq?lang=en", "/guides/api", "/guides/search?q=wasserdicht"]
"""A translation, the English text beside one, a text that has none, and what a search finds of both."""
SIGNED_IN = [
    "/create",
    "/account/photos",
    "/history",
    "/pricing",
    "/billing",
    "/account/",
    "/account/email/",
    "/account/password/change/",
    "/account/2fa/",
    "/account/second-step",
    "/account/sessions/",
    "/account/data",
    "/account/mail",
    "/account/erase",
    "/account/logout/",
    "/mailbox",
]


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, site: RunningSite) -> Any:
    """The cookies of the demo account."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(site.link)
    page.locator("main button").click()
    page.wait_for_url(f"{site.url}/create")
    state = context.storage_state()
    context.close()
    return state


def look(
    context: BrowserContext, site: RunningSite, paths: list[str], screens: Mapping[str, dict[str, Any]] = TWO
) -> dict[str, list[str]]:
    """Objections by path, those of the console among them."""
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    looks = Looks(page, screens)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    found = {}
    for path in paths:
        complaints.clear()
        page.goto(site.url + path)
        # Chromium writes the status of a page that is an error into the console.
        said = [text for text in complaints if "responded with a status of" not in text]
        found[path] = looks() + said
    page.close()
    return {path: problems for path, problems in found.items() if problems}


def test_pages_for_everybody(chromium: Browser, site: RunningSite) -> None:
    with chromium.new_context() as context:
        assert look(context, site, [*ANONYMOUS, *PICTURED], SCREENS) == {}


def test_texts_in_another_language(chromium: Browser, site: RunningSite) -> None:
    with chromium.new_context(locale="de-DE") as context:
        assert look(context, site, TRANSLATED) == {}


def test_pages_of_an_account(chromium: Browser, site: RunningSite, signed_in: Any) -> None:
    with chromium.new_context(storage_state=signed_in) as context:
        assert look(context, site, SIGNED_IN, SCREENS) == {}


@pytest.fixture
def demo(site: RunningSite) -> Iterator[Callable[..., Any]]:
    """Runs a statement on the site's database; ``?`` first is the demo account's id."""
    with closing(sqlite3.connect(site.state / "db.sqlite3", timeout=20, isolation_level=None)) as database:
        found = database.execute("SELECT id FROM accounts_user WHERE email = 'demo@localhost'").fetchone()[0]
        yield lambda statement, *values: database.execute(statement, (found, *values))


def ordered(demo: Callable[..., Any], state: str) -> UUID:
    """An order of the demo account."""
    order = uuid4()
    demo(
        "INSERT INTO billing_order (user_id, id, request_key, item, monthly, credits, amount, currency, state,"
        " session_id, created_at) VALUES (?, ?, ?, 'pack-100', 0, 100, 2000, 'eur', ?, ?, '2026-11-01 10:00:00')",
        *(order.hex, order.hex, state, f"cs_{order.hex}"),
    )
    return order


def test_a_page_that_waits_for_stripe_learns_of_the_payment(
    chromium: Browser, site: RunningSite, signed_in: Any, demo: Callable[..., Any]
) -> None:
    """By script, and without one."""
    for scripts in (True, False):
        order = ordered(demo, "open")
        with chromium.new_context(storage_state=signed_in, java_script_enabled=scripts) as context:
            page = context.new_page()
            page.goto(f"{site.url}/billing/orders/{order}?from=stripe")
            expect(page.locator("h1")).to_have_text("Waiting for Stripe’s word")
            demo("UPDATE billing_order SET state = 'paid' WHERE user_id = ? AND id = ?", order.hex)
            expect(page.locator("h1")).to_have_text("100 credits are yours")
        demo("DELETE FROM billing_order WHERE user_id = ?")


def test_pages_of_orders_and_plans(
    chromium: Browser, site: RunningSite, signed_in: Any, demo: Callable[..., Any]
) -> None:
    now, paths = "2026-11-01 10:00:00", ["/billing", "/pricing", "/billing?only=bought"]
    for state in ("open", "pending", "paid", "failed", "expired"):
        order = ordered(demo, state)
        came = ("", "?from=stripe", "?cancelled=1") if state == "open" else ("",)  # on the others it changes nothing
        paths += [f"/billing/orders/{order}{query}" for query in came]
    demo(
        "INSERT INTO billing_subscription (user_id, stripe_id, plan, credits, amount, currency, status,"
        " period_ends_at, started_at) VALUES (?, ?, 'plan-200', 200, 3200, 'eur', 'past_due', ?, ?)",
        f"sub_{uuid4().hex}", now, now,
    )  # fmt: skip
    try:
        with chromium.new_context(storage_state=signed_in) as context:
            assert look(context, site, paths) == {}
    finally:
        demo("DELETE FROM billing_order WHERE user_id = ?")
        demo("DELETE FROM billing_subscription WHERE user_id = ?")


def test_pages_of_operators_keep_to_the_policy(
    chromium: Browser, site: RunningSite, signed_in: Any, demo: Callable[..., Any]
) -> None:
    """Nothing inline that the policy would refuse, nothing that axe minds; and chosen colours hold there, too."""
    demo("UPDATE accounts_user SET is_staff = 1, is_superuser = 1 WHERE id = ?")
    try:
        with chromium.new_context(storage_state=signed_in) as context:
            page = context.new_page()
            complaints: list[str] = []
            page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(f"{site.url}/operators/")
            for name in ("Transactions", "Adjustments"):
                page.get_by_role("link", name=name, exact=True).click()
                page.goto(f"{site.url}/operators/")
            page.goto(f"{site.url}/operators/billing/transaction/")
            page.locator("#result_list tbody a").first.click()
            expect(page.locator("h1")).to_contain_text("View transaction")
            page.goto(f"{site.url}/operators/billing/adjustment/")
            page.get_by_role("link", name="Adjust credits").click()
            expect(page.get_by_label("I have checked this and sign for it")).to_be_visible()
            assert complaints == []
            # axe tries styles of its own, about which the console complains.
            looks = Looks(page)
            assert looks() == []
            wanted = ("", "billing/", "billing/transaction/", "billing/transaction/1/change/")
            for path in (*wanted, "privacy/subjectrequest/", "privacy/subjectrequest/numbers/", "sessions/"):
                page.goto(f"{site.url}/operators/{path}")
                assert looks() == [], path

            # Colours that a person chose hold everywhere, whatever the device asks for, and without a script.
            for address in ("/operators/", "/account/"):
                looks.show(looks.order[0])
                page.goto(f"{site.url}/theme?next={address}")
                assert looks() == []
                page.get_by_role("button", name="High contrast").click()
                page.wait_for_url(site.url + address)
                looks.show("phone dark")
                seen = page.evaluate(
                    "[document.body, document.querySelector('h1')].map((one) => getComputedStyle(one).color)"
                )
                assert seen == ["rgb(0, 0, 0)"] * 2
                assert looks() == []
                page.goto(f"{site.url}/theme?next={address}")
                page.get_by_role("button", name="Dark").click()
                page.wait_for_url(site.url + address)
                looks.show("wide light")
                assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(234, 241, 237)"
                looks.show(looks.order[0])
                assert looks() == []
            page.goto(f"{site.url}/theme")
            page.get_by_role("button", name="As this device").click()
    finally:
        demo("UPDATE accounts_user SET is_staff = 0, is_superuser = 0 WHERE id = ?")


def test_access_keys_and_the_page_of_the_api(chromium: Browser, site: RunningSite, signed_in: Any) -> None:
    """Made, shown once, changed, given a new secret, switched off, deleted; wrong input loses nothing."""
    with chromium.new_context(storage_state=signed_in) as context:
        context.set_default_timeout(PATIENCE_MS)
        assert look(context, site, ["/api", "/keys/leaked", "/account/keys", "/account/keys/new"]) == {}
        page = context.new_page()
        looks = Looks(page)
        page.goto(f"{site.url}/account/keys/new")
        page.get_by_label("Only from these networks").fill("127.0.0.0/8, nowhere")
        page.get_by_label("Spend at most, in a month").fill("7")
        page.get_by_role("button", name="Make the key").click()
        expect(page.locator("#name-error")).to_contain_text("Give it a name")
        expect(page.locator("#networks-error")).to_contain_text("“nowhere” is no network")
        expect(page.get_by_label("Spend at most, in a month")).to_have_value("7")
        assert looks() == []
        page.get_by_label("Name").fill("shop")
        page.get_by_label("Only from these networks").fill("127.0.0.0/8, ::1")
        page.get_by_label("billing:read").check()
        page.get_by_role("button", name="Make the key").click()
        secret = page.get_by_label("Secret").input_value()
        assert len(secret) == 53
        assert looks() == []
        answer = context.request.get(
            f"{site.url}/api/v1/balance", headers={"Authorization": f"Bearer {secret}", "Cookie": ""}
        )
        assert answer.status == 200, answer.text()

        page.get_by_role("link", name="I have it").click()
        expect(page.locator("h1")).to_have_text("shop")
        assert secret not in page.content()
        assert looks() == []
        page.get_by_label("Name").fill("shop two")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("h1")).to_have_text("shop two")
        page.get_by_role("button", name="Make a new secret").click()
        expect(page.locator("main")).to_contain_text("The secret before works until")
        page.get_by_role("link", name="I have it").click()
        page.get_by_role("button", name="Switch it off").click()
        expect(page.locator("main")).to_contain_text("nothing is let in by it")
        page.get_by_role("link", name="Delete this key").click()
        assert looks() == []
        page.go_back()
        assert look(context, site, ["/account/keys"]) == {}
        page.get_by_role("link", name="Delete this key").click()
        page.get_by_role("button", name="Delete it for good").click()
        expect(page.locator("main")).to_contain_text("“shop two” is deleted.")
        expect(page.locator("main")).to_contain_text("Access key deleted: shop two")


def test_use_and_calls(chromium: Browser, site: RunningSite, signed_in: Any, demo: Callable[..., Any]) -> None:
    """Empty, full, and by keyboard: another time is chosen, wrong days are said, the newest calls are narrowed."""
    paths = ["/account/usage", "/account/usage/calls"]
    with chromium.new_context(storage_state=signed_in) as context:
        demo("DELETE FROM accounts_apicall WHERE owner_id = ?")
        assert look(context, site, [*paths, "/account/usage/calls?only=errors"]) == {}
        now, key = datetime.now(UTC).replace(tzinfo=None), uuid4().hex
        for number, status in enumerate([200, 200, 404, 500, 499] * 12):
            demo(
                "INSERT INTO accounts_apicall (owner_id, id, access_key, at, endpoint, status, ms, bytes_in, bytes_out,"
                " job) VALUES (?, ?, ?, ?, 'GET /jobs/{job_id}/asset', ?, ?, 0, 2400000, ?)",
                *(uuid4().hex, key, now - timedelta(minutes=9 * number), status, number * 31, uuid4().hex),
            )  # fmt: skip
        assert look(context, site, [*paths, "/account/usage?range=custom&from=2020-01-01", "/account/"]) == {}
        page = context.new_page()
        looks = Looks(page)
        page.goto(f"{site.url}/account/usage?range=24h")
        page.get_by_text("24 lines: the figures behind the bars").press("Enter")
        expect(page.get_by_role("region", name="By hour")).to_be_visible()
        expect(page.get_by_role("img", name="60 in all, 36 of them errors")).to_be_visible()
        assert looks() == []
        page.get_by_label("From").fill("2024-05-02")
        page.get_by_label("To").fill("2024-05-01")
        page.get_by_role("button", name="Show").press("Enter")
        expect(page.locator("#range-error")).to_contain_text("This is after the last day")
        expect(page.get_by_label("From")).to_have_value("2024-05-02")
        page.goto(f"{site.url}/account/usage/calls")
        page.get_by_role("link", name="Older").click()
        expect(page.locator("tbody tr")).to_have_count(10)
        page.get_by_label("Answer").select_option("errors")
        page.get_by_role("button", name="Show").click()
        expect(page.locator("tbody tr")).to_have_count(36)
        with page.expect_download() as saved:
            page.get_by_role("link", name="Save as CSV").click()
        assert Path(saved.value.path()).read_text().count("/asset") == 36
    demo("DELETE FROM accounts_apicall WHERE owner_id = ?")


def try_webhook(page: Page, here: str, given_up: Callable[[], Any]) -> None:
    """Send a test, see that it does not arrive, send it again, and switch the webhook off."""
    page.goto(here)
    page.get_by_role("button", name="Send a test").click()
    expect(page.locator("main")).to_contain_text("On its way")
    until(lambda: "Could not be reached" in page.request.get(here).text().partition('id="told"')[2])
    given_up()
    page.goto(here)
    page.get_by_label("State").select_option("given_up")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#told")).to_contain_text("given up")
    page.get_by_role("button", name="Send all that were given up").click()
    expect(page.locator("main")).to_contain_text("1 goes out again.")
    page.get_by_role("button", name="Send again").click()
    page.get_by_role("button", name="Switch it off").click()
    expect(page.locator("main")).to_contain_text("nothing is sent to it")


def test_webhooks(chromium: Browser, site: RunningSite, signed_in: Any, demo: Callable[..., Any]) -> None:
    """Made, tried, looked for in the log, switched off, deleted; wrong input loses nothing; without scripts, too."""

    def given_up() -> None:
        demo(
            "UPDATE generation_delivery SET state = 'given_up' WHERE webhook_id IN"
            " (SELECT id FROM generation_webhook WHERE owner_id = ?)"
        )

    with chromium.new_context(storage_state=signed_in) as context:
        assert look(context, site, ["/account/webhooks", "/account/webhooks/new"]) == {}
        page = context.new_page()
        looks = Looks(page)
        page.goto(f"{site.url}/account/webhooks/new")
        page.get_by_label("Address").fill("http://127.0.0.1:8000/hook")
        page.get_by_label("Description").fill("shop")
        page.get_by_label("job.expired").uncheck()
        page.get_by_role("button", name="Make the webhook").click()
        expect(page.locator("#url-error")).to_contain_text("begin with https://")
        expect(page.get_by_label("Description")).to_have_value("shop")
        expect(page.get_by_label("job.expired")).not_to_be_checked()
        assert looks() == []
        page.get_by_label("Address").fill("https://shop.example/hook")
        page.get_by_role("button", name="Make the webhook").click()
        assert page.get_by_label("Secret").input_value().startswith("whsec_")
        assert looks() == []
        page.get_by_role("link", name="I have it").click()
        expect(page.locator("#told")).to_contain_text("Nothing yet")
        here = page.url
        try_webhook(page, here, given_up)
        path = here.removeprefix(site.url)
        seen = ["/account/webhooks", *(path + rest for rest in ("", "?state=delivered", "/delete"))]
        assert look(context, site, seen) == {}
        page.goto(f"{here}/delete")
        page.get_by_role("button", name="Delete it for good").click()
        expect(page.locator("main")).to_contain_text("Webhook deleted: shop")

    with chromium.new_context(**TWO["phone dark"], storage_state=signed_in, java_script_enabled=False) as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.goto(f"{site.url}/account/webhooks/new")
        page.get_by_label("Address").fill("https://shop.example/hook")
        page.get_by_role("button", name="Make the webhook").click()
        page.get_by_role("link", name="I have it").click()
        try_webhook(page, page.url, given_up)
        page.goto(f"{page.url.partition('?')[0]}/delete")
        page.get_by_role("button", name="Delete it for good").click()
        expect(page.locator("main")).to_contain_text("Webhook deleted:")


def test_options_of_a_job(chromium: Browser, site: RunningSite, signed_in: Any) -> None:
    with chromium.new_context(storage_state=signed_in) as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        looks = Looks(page)
        page.goto(f"{site.url}/create")
        size = page.get_by_label("Size for a 3D printer")
        assert not size.is_visible()
        page.get_by_text("More options").click()
        assert looks() == []

        page.get_by_label("Keep everything").check()
        size.fill("5000")
        page.get_by_text("More options").click()
        expect(page.locator("#options-chosen")).to_have_text("2 chosen")
        page.locator("#id_photo").set_input_files(CUT_OUT)
        page.get_by_role("button", name="Make my model").click()
        expect(size).to_be_focused()
        expect(page.locator("#print_size_mm-error")).to_contain_text("10 to 1000")
        assert looks() == []
        assert page.url == f"{site.url}/create"


def test_a_person_saves_a_copy_of_their_data(
    chromium: Browser, site: RunningSite, signed_in: Any, tmp_path: Path
) -> None:
    """By a button, with scripts and without."""
    for scripts in (True, False):
        with chromium.new_context(storage_state=signed_in, java_script_enabled=scripts) as context:
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            page.goto(f"{site.url}/account/")
            page.get_by_role("link", name="Get a copy").click()
            with page.expect_download() as saved:
                page.get_by_role("button", name="Save my data").click()
            assert saved.value.suggested_filename == "my-data.zip"
            saved.value.save_as(tmp_path / "copy.zip")
            with ZipFile(tmp_path / "copy.zip") as copy:
                assert json.loads(copy.read("json/accounts.user.json"))[0]["email"] == "demo@localhost"
                assert "Why we may: your contract with us." in copy.read("README.txt").decode()
            assert page.url == f"{site.url}/account/data"


def test_keyboard_comes_to_the_content_first(chromium: Browser, site: RunningSite) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(site.url)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
