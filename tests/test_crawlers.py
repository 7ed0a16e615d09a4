"""What programs that read the web are told, and what they find by it."""

from __future__ import annotations

import re
from urllib.robotparser import RobotFileParser

import pytest
from django.conf import settings
from django.test import Client

pytestmark = pytest.mark.django_db


def told() -> RobotFileParser:
    """Python's own reader of the file."""
    reader = RobotFileParser()
    reader.parse(Client().get("/robots.txt").content.decode().splitlines())
    return reader


def test_each_page_in_the_sitemap_is_there_for_everybody_and_may_be_read() -> None:
    listed = re.findall(r"<loc>https?://[^/<]+(/[^<]*)</loc>", Client().get("/sitemap.xml").content.decode())
    assert {"/", "/pricing", "/trust", "/terms", "/guides/start", "/verify"} <= set(listed)
    assert len(listed) == len(set(listed))
    reader = told()
    for path in listed:
        assert Client().get(path).status_code == 200, path
        assert reader.can_fetch("anybody", path), path


@pytest.mark.parametrize(
    "path", ["/create", "/history", "/jobs/1/asset", "/account/login/", "/api/v1/jobs", "/billing", "/operators/"]
)
def test_what_is_a_persons_own_is_not_to_be_read(path: str) -> None:
    assert not told().can_fetch("anybody", path)


def test_the_page_about_the_api_is_for_everybody() -> None:
    assert told().can_fetch("anybody", "/api")


def test_the_sitemap_is_named_with_the_sites_own_address() -> None:
    assert told().site_maps() == [f"{settings.SITE_URL.rstrip('/')}/sitemap.xml"]


def test_a_browser_that_looks_for_an_icon_finds_one() -> None:
    answer = Client().get("/favicon.ico")
    assert (answer.status_code, answer["Location"]) == (302, "/static/app/app-192.png")
