"""Checking a receipt in the browser, by WebCrypto: nothing is sent, each forgery is refused by the check it is for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.conftest import PATIENCE_MS
from tests.browser.looks import Looks
from tests.privacy.forgeries import NAMES, Case, Log, cases, flipped
from tests.stack import RunningSite

pytestmark = [pytest.mark.browser, pytest.mark.stack]

LABELS = {
    "document": "Form",
    "key": "Key",
    "signature": "Signature",
    "head": "Log’s head",
    "inclusion": "In the log",
    "consistency": "Not rewritten",
}
VERDICTS = {"": "This receipt holds", "consistency": "The log was rewritten"}


@pytest.fixture(scope="module")
def every() -> dict[str, Case]:
    return cases()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture(scope="module")
def opened(chromium: Browser, site: RunningSite) -> Iterator[Page]:
    """The page, loaded once: as if one person checked one receipt after the other."""
    with chromium.new_context(viewport={"width": 1280, "height": 900}) as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.goto(f"{site.url}/verify")
        page.get_by_text("Compare with an older head").click()
        yield page


def serve(page: Page, case: Case, proof: dict[str, Any] | None = None) -> list[str]:
    """The site's keys, head and proof are the case's; what the page sends is written down."""
    sent: list[str] = []
    published = {"format": "modelmyimage-log/1", "keys": case.keys["keys"], "head": case.document["log"]["head"]}

    def answer(document: Any) -> Callable[[Route], None]:
        return lambda route: route.fulfill(
            status=200 if document else 404, content_type="application/json", body=json.dumps(document or {})
        )

    page.unroute_all()
    page.route("**/.well-known/modelmyimage-log.json", answer(published))
    page.route("**/log/consistency*", answer(case.proof))
    page.route("**/log/proof*", answer(proof))
    page.on("request", lambda request: sent.append(f"{request.method} {request.url}"))
    return sent


def submit(page: Page, site: RunningSite, document: str, older: Any = None) -> None:
    page.goto(f"{site.url}/verify")
    if older is not None:
        page.get_by_text("Compare with an older head").click()
        page.get_by_label("A head that you kept").fill(json.dumps(older))
    check(page, document)


def check(page: Page, document: str) -> None:
    """Check it on the page that is there, and wait for the word on this one."""
    page.evaluate("document.querySelector('#verdict .help')?.remove()")
    page.get_by_label("Paste a receipt").fill(document)
    page.get_by_role("button", name="Check it").click()
    expect(page.locator("#verdict .help")).to_have_text("Checked in this browser.")


@pytest.mark.parametrize("name", NAMES)
def test_forgeries(opened: Page, every: dict[str, Case], name: str) -> None:
    page, case = opened, every[name]
    sent = serve(page, case)
    page.get_by_label("A head that you kept").fill("" if case.other is None else json.dumps(case.other))
    check(page, json.dumps(case.document, ensure_ascii=False))
    verdict = VERDICTS.get(case.fails, "This receipt does not hold")
    if name == "a consistency proof for other sizes":
        verdict = "The log gave no proof"
    if name == "another log's head":  # nothing to compare, and nothing that the receipt could do about it
        expect(page.locator("h1")).to_have_text("This receipt holds")
        expect(page.locator(".checks .open")).to_contain_text("different names")
        return
    expect(page.locator("h1")).to_have_text(verdict)
    # What fails in one place may fail in the next as well: a changed receipt is not in the log either.
    failed = page.locator(".checks .failed b").all_inner_texts()
    assert failed[:1] == ([LABELS[case.fails]] if case.fails else [])
    if not case.fails:
        named = set(page.locator(".checks b").all_inner_texts())
        assert named == set(LABELS.values())
    assert [line for line in sent if line.startswith("POST")] == []
    expect(page.locator(".stamp")).to_have_count(1)
    expect(page.locator(".slip.void")).to_have_count(1 if verdict == "This receipt does not hold" else 0)


def test_any_changed_byte(opened: Page, every: dict[str, Case]) -> None:
    case = every["all holds"]
    serve(opened, case)
    check(opened, json.dumps(case.document))
    expect(opened.locator("h1")).to_have_text("This receipt holds")
    for broken in flipped(case.document)[::11]:
        check(opened, broken.decode(errors="replace"))
        expect(opened.locator("h1")).to_have_text("This receipt does not hold")


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "null", "{}", '{"receipt":{},"receipt":{}}', "[" * 50_000, '{"receipt":{"format":[]},"signature":{}}',
     '{"receipt":1.5,"signature":{}}', '{"__proto__":{},"receipt":{},"signature":{}}', "<script>alert(1)</script>"],
)  # fmt: skip
def test_anything_else_is_refused(opened: Page, every: dict[str, Case], text: str) -> None:
    page, complaints = opened, []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    serve(page, every["all holds"])
    check(page, text)
    expect(page.locator("h1")).to_have_text("This receipt does not hold")
    assert page.locator(".checks .failed b").all_inner_texts() == ["Form"]
    assert complaints == []


def test_a_receipt_that_waits_for_its_head(page: Page, site: RunningSite) -> None:
    """The file has only its salt: the browser asks the log by the leaf, and checks the answer."""
    log = Log()
    log.add(5)
    case = Case("", log.file(2), log.keys())
    waiting = {**log.files[2], "log": {"format": "modelmyimage-log-proof/1", "salt": log.salts[2]}}
    found = {"format": "modelmyimage-log-inclusion/1", "index": 2, "size": 5, "path": log.path(2, 5)}
    serve(page, case, found)
    submit(page, site, json.dumps(waiting))
    expect(page.locator(".checks")).to_contain_text("entry 3 of 5")
    serve(page, case, {**found, "path": log.path(3, 5)})
    submit(page, site, json.dumps(waiting))
    expect(page.locator("h1")).to_have_text("This receipt does not hold")
    serve(page, case)
    submit(page, site, json.dumps(waiting))
    expect(page.locator("h1")).to_have_text("This receipt holds")
    expect(page.locator(".checks .open")).to_contain_text("Not in a signed head yet")
    submit(page, site, json.dumps(log.files[2]))
    expect(page.locator(".checks .open")).to_contain_text("does not say where in the log it is")


def test_a_head_is_kept_and_a_rewritten_log_is_seen(page: Page, site: RunningSite) -> None:
    log = Log()
    log.add(6)
    serve(page, Case("", log.file(1), log.keys()))
    page.goto(f"{site.url}/verify")
    page.get_by_text("Compare with an older head").click()
    expect(page.locator("#remembered")).to_have_text("Nothing is kept in this browser.")
    page.get_by_role("button", name="Keep today’s head").click()
    expect(page.locator("#remembered")).to_contain_text("at entry 6")

    log.add(3)
    serve(page, Case("", log.file(1), log.keys(), proof=log.consistency(6, 9)))
    submit(page, site, json.dumps(log.file(1)))
    expect(page.locator("h1")).to_have_text("This receipt holds")
    expect(page.locator(".checks")).to_contain_text("The log up to entry 9 begins with the log up to entry 6")

    fork = Log()
    fork.key = log.key
    fork.leaves, fork.salts, fork.files = log.leaves[:4], log.salts[:4], log.files[:4]
    fork.add(6)
    serve(page, Case("", fork.file(1), fork.keys(), proof=fork.consistency(6, 10)))
    submit(page, site, json.dumps(fork.file(1)))
    expect(page.locator("h1")).to_have_text("The log was rewritten")
    page.get_by_text("Compare with an older head").click()
    page.get_by_role("button", name="Forget it").click()
    submit(page, site, json.dumps(fork.file(1)))
    expect(page.locator("h1")).to_have_text("This receipt holds")


def test_a_site_that_shows_no_head_is_not_accused(opened: Page, every: dict[str, Case]) -> None:
    """Nothing is proven then, not even that the log was rewritten."""
    case = every["all holds"]
    serve(opened, case)
    nothing = {"format": "modelmyimage-log/1", "keys": case.keys["keys"], "head": None}
    opened.route("**/.well-known/modelmyimage-log.json", lambda route: route.fulfill(json=nothing))
    check(opened, json.dumps(case.document))
    expect(opened.locator("h1")).to_have_text("The log gave no proof")


def test_a_browser_without_such_signatures_asks_the_server(page: Page, site: RunningSite) -> None:
    page.add_init_script("crypto.subtle.generateKey = () => Promise.reject(new Error('not here'))")
    page.goto(f"{site.url}/verify")
    expect(page.locator("#where")).to_contain_text("checked on our server")
    page.get_by_label("Paste a receipt").fill("{}")
    page.get_by_role("button", name="Check it").click()
    expect(page.locator("#verdict .help")).to_have_text("Checked on our server.")
    expect(page.locator("h1")).to_have_text("This receipt does not hold")


def test_without_keys_nothing_is_claimed(page: Page, site: RunningSite, every: dict[str, Case]) -> None:
    page.route("**/.well-known/modelmyimage-log.json", lambda route: route.abort())
    page.goto(f"{site.url}/verify")
    page.get_by_label("Paste a receipt").fill(json.dumps(every["all holds"].document))
    page.get_by_role("button", name="Check it").click()
    expect(page.locator("#where")).to_contain_text("Nothing was checked")
    expect(page.locator("h1")).to_have_text("Check a receipt")


def test_its_looks(page: Page, site: RunningSite, every: dict[str, Case]) -> None:
    """axe, and our own rules, on each verdict."""
    looks = Looks(page)
    for name in ("all holds", "an older head", "a leaf moved", "a head forked"):
        case = every[name]
        serve(page, case)
        submit(page, site, json.dumps(case.document), case.other)
        assert looks() == [], name
