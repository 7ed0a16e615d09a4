"""Every guide is a page; its links lead somewhere; a search finds what is in it, whatever is typed."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.staticfiles.finders import find
from django.test import Client

from guides import search, shelf
from guides.text import Broken, _address, guides
from trust import markdown

PICTURE_BYTES = 30_000


class Links(HTMLParser):
    """What a page links to and shows, and the ids in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.leads: list[str] = []
        self.shows: list[dict[str, str | None]] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        found = dict(attrs)
        if tag == "a":
            self.leads.append(found.get("href") or "")
        elif tag == "img":
            self.shows.append(found)
        if found.get("id"):
            self.ids.append(found["id"] or "")


@pytest.fixture(scope="module")
def pages() -> dict[str, Links]:
    """Every guide, as its page's article."""
    return {name: Links(guide.html) for name, guide in guides().items()}


def test_every_file_is_for_somebody_and_every_name_has_its_file() -> None:
    listed = {f"{name}.md" for part in shelf.PARTS for name in part.files} - {f"{name}.md" for name in shelf.ELSEWHERE}
    there = {path.name for path in shelf.DOCS.glob("*.md")}
    assert listed == there
    assert all(path.is_file() for path in shelf.ELSEWHERE.values())
    assert len(guides()) == len(shelf.places()) > 30
    assert {link for guide in guides().values() for link in guide.broken} == set()


@pytest.mark.django_db
def test_each_guide_renders_for_everybody() -> None:
    client = Client()
    contents = client.get("/guides").content.decode()
    for name, guide in guides().items():
        assert guide.html.count("<h1") == 1, name
        assert f'href="/guides/{name}"' in contents, name
        assert guide.passages[0].is_heading, name
        if guide.part or name.startswith("adr/0001"):
            answer = client.get(f"/guides/{name}")
            assert answer.status_code == 200, name
            assert guide.passages[0].words in answer.content.decode(), name
    for wrong in ("nothing", "adr/nothing", "../start", "start.md", "adr", "%00", "a" * 200):
        assert client.get(f"/guides/{wrong}").status_code == 404, wrong


@pytest.mark.django_db
def test_links_lead_somewhere_and_pictures_are_there(pages: dict[str, Links]) -> None:
    client = Client()
    addresses: set[str] = set()
    for name, page in pages.items():
        assert len(page.ids) == len(set(page.ids)), name
        for lead in page.leads:
            parts = urlsplit(lead)
            if parts.scheme or parts.netloc:
                assert parts.scheme in {"http", "https", "mailto"}, (name, lead)
                continue
            if parts.path:
                addresses.add(parts.path)
            target = pages[parts.path.removeprefix("/guides/")] if parts.path.startswith("/guides/") else page
            if parts.fragment:
                assert parts.fragment in target.ids, (name, lead)
        for picture in page.shows:
            source = str(picture["src"]).removeprefix(f"/{settings.STATIC_URL.lstrip('/')}")
            file = find(source)
            assert file, (name, source)
            assert picture["alt"], (name, source)
            assert picture["width"], (name, source)
            assert len(Path(str(file)).read_bytes()) <= PICTURE_BYTES, (name, source)
    assert len(pages["photos"].shows) >= 12
    for address in sorted(addresses):
        assert client.get(address).status_code in {200, 302}, address


def test_a_link_to_no_page_is_a_mistake() -> None:
    names = {"docs/start.md": "start", "docs/adr/0001-a.md": "adr/0001-a"}
    assert _address("start.md#one", "docs", names) == "/guides/start#one"
    assert _address("../start.md", "docs/adr", names) == "/guides/start"
    assert _address("https://example.org/x.md", "docs", names) == "https://example.org/x.md"
    for wrong in ("nowhere.md", "../../../start.md", "adr/start.md"):
        with pytest.raises(Broken):
            _address(wrong, "docs", names)


def test_a_guide_that_is_named_is_linked_and_wide_things_scroll(pages: dict[str, Links]) -> None:
    assert "/guides/webhooks" in pages["api"].leads  # `docs/webhooks.md` in its text
    assert "/guides/client" in pages["api"].leads
    html = guides()["api"].html
    assert "$SITE/" not in re.sub(r"<code>[^<\n]*</code>", "", html)
    assert html.count('<div class="scrolling" tabindex="0"') == html.count("<pre>") + html.count("<table")
    assert "<script" not in markdown.rendered(markdown.parsed("# A\n\n<script>x</script>")[0])


@pytest.mark.parametrize(
    ("question", "best"),
    [
        ("watertight", "printing"),
        ("How do I print it?", "printing"),
        ("photo too dark", "photos"),
        ("webhook-sig", "webhooks"),
        ("STRIPE_SECRET_KEY", "configuration"),
        ("keep a head", "receipts"),
        ("WATERTÍGHT", "printing"),
    ],
)
def test_a_search_finds_the_guide(question: str, best: str) -> None:
    hits = search.search(question)
    assert hits[0].guide.name == best, [(hit.guide.name, hit.passage.words[:40]) for hit in hits]
    assert any(marked for hit in hits for _, marked in hit.excerpt)
    for hit in hits:
        said = "".join(piece for piece, _ in hit.excerpt).strip("… ")
        assert any(said in passage.words for passage in hit.guide.passages)
        assert len(said) <= search.EXCERPT


@pytest.mark.django_db
@pytest.mark.parametrize(
    "question",
    [
        "<script>alert(1)</script>",
        "'\"><img src=x>",
        "a" * 5000,
        "(" * 90,
        "\\",
        "%",
        "\x00",
        "🙂 ﷺ ß İ",
        " . ",
        "--",
        "e " * 40,
    ],
)
def test_whatever_is_typed_is_harmless(question: str) -> None:
    answer = Client().get("/guides/search", {"q": question})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert text.count('<li><a href="/guides/') <= search.MOST_HITS


@pytest.mark.django_db
def test_a_search_without_scripts(caplog: pytest.LogCaptureFixture) -> None:
    text = Client().get("/guides/search", {"q": "watertight zebrafinch"}).content.decode()
    assert "<mark>watertight</mark>" in text
    assert "#what-watertight-means" in text
    text = Client().get("/guides/search", {"q": "zebrafinch"}).content.decode()
    assert "Nothing in the guides has these words." in text
    assert 'value="zebrafinch"' in text
    assert "zebrafinch" not in caplog.text
    assert Client().get("/guides/search").status_code == 200
