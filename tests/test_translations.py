"""Guides and documents in other languages: each says what the English text says now, or readers get the English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone, translation

from guides import letters, search
from guides.text import Guide, Passage, guides
from scripts import structure, translations
from scripts.messages import LANGUAGES, ROOT
from trust import facts, markdown, texts
from trust.models import Version
from trust.translations import changed, current, digests, sections, stamped

REQUIRED_LANGUAGES: tuple[str, ...] = ("de", "es", "fr", "ja")
"""Languages in which no text may be missing; in the others, what is there has to be current."""

PAIRS = list(translations.pairs())
DOCUMENTS = [pair for pair in PAIRS if pair.path.is_relative_to(texts.FOLDER) and pair.path.is_file()]
GERMAN = {"accept-language": "de"}
ENGLISH = "# Rules\n\nKept {{ period.upload }}.\n\n## First\n\n[Look](/trust).\n\n## Second\n\nWords.\n"
TRANSLATED = "# Regeln\n\nBehalten: {{ period.upload }}.\n\n## Erstens\n\n[Sehen](/trust).\n\n## Zweitens\n\nWorte.\n"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_is_current_and_built_as_the_english_text(language: str) -> None:
    found = [(pair, problem) for pair in PAIRS if pair.language == language for problem in pair.problems()]
    wrong = [(pair.name, said) for pair, said in found if said != "missing" or language in REQUIRED_LANGUAGES]
    assert wrong == []
    known = {pair.path for pair in PAIRS}
    for folder in (ROOT / "docs" / language, texts.FOLDER / language):
        assert set(folder.glob("*")) <= known, "only what the site shows in other languages"


@pytest.mark.parametrize("rich", [False, True], ids=["bare", "with everything"])
@pytest.mark.parametrize("pair", DOCUMENTS, ids=lambda pair: pair.name)
def test_a_document_is_filled_as_the_english_one(pair: translations.Pair, rich: bool, settings) -> None:
    if rich:
        settings.PROVIDER_ENVIRONMENT = {"MESHY_API_KEY": "x", "STABILITY_API_KEY": "x"}
        settings.PROVIDERS, settings.PROVIDERS_COMING = ["embedded", "meshy", "stability-sf3d"], ["tripo"]
        settings.OPERATOR_NAME, settings.OPERATOR_REGION, settings.CONTACT_EMAIL = "Example", "DE", "a@b.example"
        settings.HOSTING, settings.BILLING = ["Host|Germany|runs our machines"], True
        settings.CERTIFICATIONS = ["A|https://proof.example"]
    template = texts.translated(pair.path.stem, pair.language)
    assert template is not None
    english = texts.render(texts.source(pair.path.stem).template, facts.values(today=date(2026, 11, 26)))
    with translation.override(pair.language):
        said = texts.render(template, facts.values(today=date(2026, 11, 26)))
    assert [rank(token) for token in markdown.tokens(said)] == [rank(token) for token in markdown.tokens(english)]
    # Not a French one: it has a space before its colon.
    assert not re.search(r"^> \* (Exceptions?:|How:|Tested by )", said, re.MULTILINE)


def rank(token: object) -> str:
    """A token by what it begins or ends."""
    return f"{getattr(token, 'type', '')} {getattr(token, 'tag', '')}"


def test_a_change_of_the_english_text_is_named_by_its_section() -> None:
    written = stamped(TRANSLATED, ENGLISH)
    assert [heading for heading, _ in sections(ENGLISH)] == ["Rules", "First", "Second"]
    assert changed(written, ENGLISH) == []
    assert changed(written, ENGLISH.replace("Words.", "Other\nwords.")) == ["Second"]
    assert changed(written, ENGLISH.replace("Kept {{", "Kept\n{{")) == []
    assert changed(written, ENGLISH + "\n## Third\n\nMore.\n") == ["Third"]
    assert changed(written, ENGLISH.partition("## Second")[0]) == ["(a section that is no longer there)"]
    assert stamped(written, ENGLISH) == written
    assert digests("# One\n\n## Two\n") != digests("# One\n\n## Three\n")


@pytest.mark.parametrize(
    ("there", "here", "named"),
    [
        ("## Zweitens\n", "", "headings"),
        ("## Zweitens", "### Zweitens", "headings"),
        ("{{ period.upload }}", "10 Minuten", "Rules: lacks `{{ period.upload }}`"),
        ("/trust", "/verify", "First: lacks link /trust"),
        ("Worte.", "Worte.\n\nUnd mehr.", "Second: has paragraph"),
        ("Worte.", "`worte`", "Second: has code worte"),
    ],
)
def test_what_is_built_otherwise_is_found(there: str, here: str, named: str) -> None:
    assert structure.differences(ENGLISH, TRANSLATED, language="de", folder="docs") == []
    found = structure.differences(ENGLISH, TRANSLATED.replace(there, here), language="de", folder="docs")
    assert any(one.startswith(named) for one in found), found


def test_links_and_pictures_of_a_translation_are_seen_from_its_folder() -> None:
    english = "# A\n\n![a](images/a.webp) [b](start.md#x) [c](../client/README.md)\n"
    german = "# A\n\n![a](../images/a.webp) [b](start.md#x) [c](../../client/README.md)\n"
    assert structure.differences(english, german, language="de", folder="docs") == []
    assert len(structure.differences(english, english, language="de", folder="docs")) == 4


@pytest.fixture
def terms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, db: None) -> Iterator[Path]:
    """The folder of documents, where the terms are a short text with a German translation."""
    (tmp_path / "de").mkdir()
    (tmp_path / "terms.md").write_text(f"---\nsubstance: 1\nsummary: First.\n---\n{ENGLISH}")
    (tmp_path / "de" / "terms.md").write_text(stamped(TRANSLATED, ENGLISH))
    monkeypatch.setattr(texts, "FOLDER", tmp_path)
    forget()
    yield tmp_path
    forget()


def forget() -> None:
    """As after a restart."""
    texts.source.cache_clear()
    texts.translated.cache_clear()
    cache.clear()


def test_a_version_is_read_in_translation_while_it_says_the_same(terms: Path, client: Client) -> None:
    page = client.get("/terms", headers=GERMAN).content.decode()
    assert '<div class="prose" lang="de"><h1 id="rules">Regeln</h1>' in page
    assert '<h2 id="second">Zweitens</h2>' in page
    assert "10 Minuten" in page
    assert "Verbindlich ist der englische Text." in page
    assert "<span>Die erste Version.</span>" in page
    english = client.get("/terms?lang=en", headers=GERMAN).content.decode()
    assert '<div class="prose" lang="en-gb"><h1 id="rules">Rules</h1>' in english
    assert "Dieser Text ist auf Englisch." in english
    assert "Die Übersetzung lesen" in english
    assert "English" not in client.get("/terms").content.decode().partition("<article")[2].partition("</article")[0]

    # The code would publish another text than the one that holds.
    Version.objects.create(
        document="terms", number=2, text="# Rules\n\nOther.\n", mark={"substance": 1}, substance=False, summary="s",
        published_at=timezone.now(), effective_at=timezone.now(),
    )  # fmt: skip
    page = client.get("/terms", headers=GERMAN).content.decode()
    assert "Other." in page
    assert "Regeln" not in page
    assert "Dieser Text ist auf Englisch." in page
    assert "Die Übersetzung lesen" not in page
    assert "Regeln" in client.get("/terms/versions/1", headers=GERMAN).content.decode()


def test_a_stale_translation_is_not_shown(terms: Path, client: Client) -> None:
    (terms / "terms.md").write_text(f"---\nsubstance: 1\nsummary: First.\n---\n{ENGLISH.replace('Words', 'News')}")
    forget()
    page = client.get("/terms", headers=GERMAN).content.decode()
    assert "News." in page
    assert "Regeln" not in page
    assert current(terms / "fr" / "terms.md", ENGLISH) is None


@pytest.mark.django_db
def test_guides_and_short_documents_in_the_readers_language(client: Client) -> None:
    page = client.get("/guides/photos", headers=GERMAN).content.decode()
    assert '<div class="prose" lang="de"><h1 id="tips-for-good-photos">' in page
    assert 'id="too-dark">Zu dunkel</h2>' in page
    assert 'href="/guides/printing"' in page
    assert (
        'lang="en"><h1 id="tips-for-good-photos">'
        in client.get("/guides/photos?lang=en", headers=GERMAN).content.decode()
    )
    api = client.get("/guides/api", headers=GERMAN).content.decode()
    assert "Dieser Text ist auf Englisch." in api
    assert '<div class="prose" lang="en"><h1' in api
    assert "Dieser Text" not in client.get("/guides/api", headers={"accept-language": "en"}).content.decode()
    contents = client.get("/guides", headers=GERMAN).content.decode()
    assert 'href="/guides/photos" lang="de">Tipps für gute Fotos</a>' in contents
    assert 'href="/guides/api" lang="en">' in contents
    faq = client.get("/faq", headers=GERMAN).content.decode()
    assert '<h2 id="can-i-get-my-photo-back">Kann ich mein Foto zurückbekommen?</h2>' in faq
    assert "24 Stunden" in faq
    assert 'id="can-i-get-my-photo-back">Can I get' in client.get("/faq?lang=en", headers=GERMAN).content.decode()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translated_guide_keeps_its_anchors_and_its_links_lead_somewhere(language: str) -> None:
    for name, guide in guides(language).items():
        english = guides()[name]
        assert [one.anchor for one in guide.passages] == [one.anchor for one in english.passages], name
        assert [anchor for anchor, _title in guide.chapters] == [anchor for anchor, _title in english.chapters], name
        assert re.findall(r'(?:href|src)="([^"]*)"', guide.html) == re.findall(r'(?:href|src)="([^"]*)"', english.html)
        assert guide.broken == ()


def test_a_search_reads_the_language_that_is_read() -> None:
    hits = search.search("Lücken in den Henkeln", "de")
    assert (hits[0].guide.name, hits[0].guide.language) == ("photos", "de")
    assert search.search("Henkeln") == []
    assert search.search("webhook-sig", "de")[0].guide.name == "webhooks"
    assert search.search("Wie groß ist der Gegenstand im Bild?", "de")[0].guide.name == "photos"


def test_a_search_finds_japanese_words(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "穴のない面を水密と言います。水密性の高いモデルはスライサーで開けます。可能性もあります。"
    title = Passage("printing", "モデルを印刷する", "モデルを印刷する")
    passages = [title, Passage("printing", title.heading, said)]
    guide = Guide("printing", "ja", None, title.words, said, markdown.rendered([]), [], passages)
    monkeypatch.setattr(search, "guides", lambda language: {"printing": guide})
    search.index.cache_clear()
    try:
        for question in ("水密性", "スライサー", "穴", "印刷", "水密 モデル"):
            assert [hit.guide.name for hit in search.search(question, "ja")], question
        (hit,) = [one for one in search.search("水密性", "ja") if one.passage.words == said]
        assert [piece for piece, marked in hit.excerpt if marked] == ["水密", "水密性"]
        assert search.search("透明", "ja") == []
    finally:
        search.index.cache_clear()
    assert letters.words("ＧＬＢを保存") == ["glb", "を保", "保存", "存"]
    assert letters.plain("ガ") == "ガ" != letters.plain("カ")
