"""The site as an installed app: a page without a network, photos from other apps, nothing of a person's kept."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS, sign_up
from tests.browser.test_pages_look import SAMPLE
from tests.stack import RunningSite

pytestmark = [pytest.mark.browser, pytest.mark.stack]

SHARE = """async ([address, bytes]) => {
  const form = new FormData();
  form.append("photos", new File([new Uint8Array(bytes)], "holiday.jpg", { type: "image/jpeg" }));
  const answer = await fetch(address, { method: "POST", body: form });
  return answer.url;
}"""
KEPT = """async () => {
  const found = {};
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      found[new URL(request.url).pathname] = await (await cache.match(request)).text();
    }
  }
  return found;
}"""


@pytest.fixture
def app(chromium: Browser, site: RunningSite) -> Iterator[Page]:
    """Somebody signed in, on a phone, in a browser that runs the service worker."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, service_workers="allow")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    sign_up(page, site.url, "installed@example.org")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    yield page
    context.close()


def test_offline_shared_and_nothing_of_a_persons_kept(app: Page, site: RunningSite) -> None:
    manifest = json.loads(
        app.request.get(site.url + str(app.locator('link[rel="manifest"]').get_attribute("href"))).text()
    )
    assert manifest["display"] == "standalone"
    for icon in manifest["icons"]:
        assert app.request.get(site.url + icon["src"]).headers["content-type"] == "image/png"

    app.goto(f"{site.url}/history")
    app.context.set_offline(True)
    app.goto(f"{site.url}/billing")
    expect(app.get_by_role("heading", level=1)).to_have_text("No connection.")
    assert app.evaluate("getComputedStyle(document.querySelector('.button.primary')).borderRadius") != "0px"
    assert "installed" not in app.locator("body").inner_text().lower()
    app.context.set_offline(False)
    app.get_by_role("link", name="Try again").click()
    expect(app.get_by_role("heading", level=1)).to_have_text("Balance")

    # Another app's photo comes to the create page without being sent.
    posts: list[str] = []
    app.context.on(
        "request", lambda sent: posts.append(sent.url) if sent.service_worker and sent.method == "POST" else None
    )
    shared = app.evaluate(SHARE, [manifest["share_target"]["action"], list(SAMPLE.read_bytes())])
    assert shared.partition("#")[0] == f"{site.url}/create"
    app.goto(f"{site.url}/create#shared")
    expect(app.locator("#preview")).to_be_visible()
    assert posts == []

    kept = app.evaluate(KEPT)
    pages = [text for address, text in kept.items() if not address.startswith("/static/")]
    assert len(pages) == 1
    for text in pages:
        assert "installed@example.org" not in text
        assert "csrfmiddlewaretoken" not in text
