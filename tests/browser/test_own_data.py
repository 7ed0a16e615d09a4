"""One's own copy, saved from the page by a button, with scripts and without."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import PATIENCE_MS
from tests.stack import RunningSite

pytestmark = [pytest.mark.browser, pytest.mark.stack]


def test_a_person_saves_a_copy(chromium: Browser, site: RunningSite, tmp_path: Path) -> None:
    with chromium.new_context() as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.goto(site.link)
        page.locator("main button").click()
        page.wait_for_url(f"{site.url}/create")
        state = context.storage_state()
    for scripts in (True, False):
        with chromium.new_context(storage_state=state, java_script_enabled=scripts) as context:
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
