"""Several providers, as a person meets them: who they are, which choices they take, who has the photo, and limits.

The site runs with stand-ins for two hosted services beside its own engine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.providers.meshy import MeshySimulator
from sandbox.providers.simulator import Simulator
from sandbox.providers.tripo import TripoSimulator
from tests.browser.conftest import PATIENCE_MS, Watched, join
from tests.browser.cutout import CUT_OUT
from tests.browser.looks import Looks, objections
from tests.browser.test_other_ways import tab_to
from tests.generation.conftest import mesh
from tests.stack import RunningSite, launch_ready

pytestmark = [pytest.mark.browser, pytest.mark.stack]
# The browser does not show what a form with files holds; this says under which names the files are sent.
SAY_NAMES = """
  const send = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function (body) {
    const files = [...body.values()].filter((value) => value instanceof File);
    console.info("names " + files.map((file) => file.name).join(" "));
    send.call(this, body);
  };
"""


@pytest.fixture(scope="module")
def services() -> Iterator[dict[str, Simulator]]:
    """The stand-ins, running."""
    running: dict[str, Simulator] = {"MESHY": MeshySimulator(), "TRIPO": TripoSimulator()}
    for simulator in running.values():
        simulator.behaviour.mesh = mesh()
    yield running
    for simulator in running.values():
        simulator.close()


@pytest.fixture(scope="module")
def site(services: dict[str, Simulator], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A site that knows them."""
    environment = {"GRANT_CREDITS": "200"}
    for name, simulator in services.items():
        environment |= {f"{name}_API_KEY": simulator.key, f"{name}_URL": f"{simulator.url} {simulator.files}"}
    running = launch_ready(tmp_path_factory.mktemp("providers") / "var", **environment)
    try:
        assert running.link
        yield running
    finally:
        running.drop()


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, site: RunningSite) -> Any:
    """The cookies of the demo account, which limits nobody."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(site.link)
    page.locator("main button").click()
    page.wait_for_url(f"{site.url}/create")
    state = context.storage_state()
    context.close()
    return state


def why_not(page: Page, name: str) -> str:
    """What an offer says against the choices; empty when it takes them."""
    note = page.locator(f".offer:has(#provider-{name}) [data-out]")
    return note.inner_text().strip() if note.is_visible() else ""


def test_choices_rule_offers_out(chromium: Browser, site: RunningSite, signed_in: Any) -> None:
    with chromium.new_context(storage_state=signed_in) as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        looks = Looks(page)
        page.goto(f"{site.url}/create")
        expect(page.locator("#quote-who")).to_have_text("Our own engine first")
        expect(page.locator("#quote-where")).to_have_text("this server · keeps 0 s")
        expect(page.locator("#quote-price")).to_have_text("1 credit")
        assert why_not(page, "embedded") == why_not(page, "meshy") == ""

        page.locator("#id_photo").set_input_files(CUT_OUT)
        page.locator("#id_photo_back").set_input_files(CUT_OUT)
        assert why_not(page, "embedded") == ""
        page.locator("#id_photo_left").set_input_files(CUT_OUT)
        assert why_not(page, "embedded") == "does not take the photo from the left"
        assert why_not(page, "meshy") == ""
        # Tripo costs less as Standard, Meshy is quicker as Draft.
        expect(page.locator("#quote-who")).to_have_text("Tripo first")
        expect(page.locator("#quote-price")).to_have_text("6 credits")
        page.locator('input[name="quality"][value="draft"]').check(force=True)
        expect(page.locator("#quote-who")).to_have_text("Meshy first")
        assert looks() == []

        page.get_by_text("More options").click()
        page.get_by_label("Fine relief").check()
        assert why_not(page, "embedded") == "does not take the photo from the left"
        assert why_not(page, "tripo") == "does not offer “Fine relief”"
        expect(page.locator("#quote-error")).to_contain_text("No provider takes all of these choices")
        expect(page.locator("#quote-price")).to_have_text("—")
        assert looks() == []
        page.get_by_role("button", name="Make my model").click()
        assert page.url == f"{site.url}/create"

        page.get_by_label("Fine relief").uncheck()
        page.get_by_label("Price limit").fill("5")
        page.get_by_label("Only where nothing is learnt").check()
        assert why_not(page, "tripo") == "costs more than your price limit"
        assert why_not(page, "meshy").endswith("may learn from photos, or does not say")
        page.get_by_label("Price limit").fill("")
        page.get_by_label("Only where nothing is learnt").uncheck()
        expect(page.locator("#quote-error")).to_be_hidden()

        page.locator("#provider-embedded").check(force=True)
        expect(page.locator("#quote-error")).to_contain_text("Our own engine does not take the photo from the left.")
        page.get_by_role("button", name="Make my model").click()
        expect(page.locator("#provider-embedded")).to_be_focused()
        page.get_by_role("button", name="Remove the photo from the left").click()
        expect(page.locator("#quote-error")).to_be_hidden()
        assert page.url == f"{site.url}/create"


def test_photos_from_other_sides_by_keyboard(watched: Watched, site: RunningSite) -> None:
    page = watched.page
    join(page, site.url, "sides@example.org")
    field = page.locator("#id_photo_back")
    tab_to(field)
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(CUT_OUT)
    expect(page.locator('[data-view="back"] img')).to_be_visible()
    expect(page.locator("#announce")).to_have_text("Added: the photo of the back. It has not left this device.")
    remove = page.get_by_role("button", name="Remove the photo of the back")
    tab_to(remove)
    page.keyboard.press("Enter")
    expect(field).to_be_focused()
    expect(page.locator('[data-view="back"] img')).to_be_hidden()
    field.set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"not a photo"})
    expect(page.locator("#photo_back-error")).to_contain_text("not a photo we can read")
    expect(remove).to_be_hidden()
    assert watched.complaints == []


def test_who_has_the_photo_is_said_while_it_changes_hands(
    watched: Watched, site: RunningSite, services: dict[str, Simulator]
) -> None:
    page, meshy, tripo = watched.page, services["MESHY"], services["TRIPO"]
    join(page, site.url, "hands@example.org")
    meshy.behaviour.fails, meshy.behaviour.seconds, tripo.behaviour.seconds = True, 4, 12
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.add_init_script(SAY_NAMES)
    page.reload()
    page.locator("#id_photo").set_input_files(CUT_OUT)
    page.locator("#id_photo_back").set_input_files(CUT_OUT)
    page.locator("#id_photo_left").set_input_files(CUT_OUT)
    page.locator('input[name="quality"][value="draft"]').check(force=True)
    page.get_by_role("button", name="Make my model").click()
    page.wait_for_url(f"{site.url}/jobs/*")
    # Names of files stay on the device.
    assert [text for text in said if text.startswith("names ")] == ["names photo photo photo"]

    expect(page.locator("#holder")).to_contain_text("Meshy")
    expect(page.locator("#holder")).to_contain_text("not stated")
    expect(page.locator("#announce")).to_have_text("The photo is at Tripo now.")
    expect(page.locator("#holder")).to_contain_text("Tripo")
    expect(page.locator("#attempts")).to_contain_text("could not make a model; erased")
    assert objections(page) == []
    page.get_by_role("button", name="Cancel, get 6 credits back").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Cancelled")
    expect(page.locator("main")).to_contain_text("Who received the photo")
    expect(page.locator("main")).to_contain_text("keeps it: it offers no way to delete")
    expect(page.locator(".slip.receipt")).to_contain_text("copy at meshy")
    expect(page.locator(".slip.receipt")).to_contain_text("it offers no way to delete")
    assert objections(page) == []
    (call,) = meshy.calls.values()
    assert len(call.photos) == 3
    assert call.erased
    page.goto(f"{site.url}/history")
    expect(page.locator("main")).to_contain_text("after 1 other")
    assert watched.off_origin(site.url) == []
    assert watched.complaints == []


def test_limits_without_scripts(chromium: Browser, site: RunningSite) -> None:
    with chromium.new_context(java_script_enabled=False) as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        join(page, site.url, "limits@example.org")
        page.get_by_role("link", name="Limit who may receive my photos").click()
        page.get_by_role("group", name="Never these").get_by_label("Tripo").check()
        page.get_by_label("Only where nothing is kept").check()
        page.get_by_role("button", name="Save my limits").click()
        expect(page.get_by_role("status")).to_contain_text("Saved.")
        expect(page.locator(".left .may")).to_have_count(1)

        page.goto(f"{site.url}/create")
        expect(page.locator("#provider-meshy")).to_be_disabled()
        expect(page.locator("#about-tripo")).to_contain_text("you ruled it out by name")
        expect(page.locator("#provider-embedded")).to_be_checked()
        page.locator("#id_photo").set_input_files(CUT_OUT)
        expect(page.locator("#id_photo_left")).to_have_count(0)
        page.get_by_role("button", name="Make my model").click()
        page.wait_for_url(f"{site.url}/jobs/*")
        expect(page.locator("#holder")).to_contain_text("Our own engine")


def test_pages_about_providers(chromium: Browser, site: RunningSite, signed_in: Any) -> None:
    with chromium.new_context(storage_state=signed_in) as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        looks = Looks(page)
        for path in ("/", "/providers#tripo", "/account/photos"):
            page.goto(site.url + path)
            assert looks() == [], path
