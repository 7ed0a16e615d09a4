"""The catalogues of translated sentences: `make messages` brings them up to date; setting up compiles them.

    python -m scripts.messages update     read every sentence from the sources into locale/*/LC_MESSAGES/django.po
    python -m scripts.messages compile    write the .mo files that Django reads (git ignores them)
    python -m scripts.messages missing    list what has no translation, by language

Needs no gettext programs: Babel reads Python, and Django itself turns templates into Python for it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = {"de": "German", "fr": "French", "es": "Spanish", "ja": "Japanese"}
SOURCES = ("accounts", "billing", "generation", "guides", "modelmyimage", "privacy", "trust", "templates")
KEYWORDS = {
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "_": None,
    "_later": None,
    "later": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
COMMENTS = ("Translators:",)


def catalogue(language: str) -> Path:
    """Where a language's sentences are."""
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    """A language's sentences; none where there is no file yet."""
    path = catalogue(language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


@cache
def sentences() -> Catalog:
    """Every sentence that the sources mark, with the files that it is in; looked for once, which is a second's work."""
    found = Catalog()
    for path in sorted(_files()):
        source = path.read_text()
        if path.suffix != ".py":
            from django.utils.translation.template import templatize

            # What it returns is indented at will, which only counts outside of brackets.
            source = f"({templatize(source, origin=str(path))})"
        name = path.relative_to(ROOT).as_posix()
        for _line, message, comments, context in extract(
            "python", BytesIO(source.encode()), KEYWORDS, COMMENTS, options={"encoding": "utf-8"}
        ):
            # By file alone: a line's number would change with everything above it.
            found.add(message, locations=[(name, 0)], auto_comments=comments, context=context)
    return found


def _files() -> Iterator[Path]:
    for folder in SOURCES:
        for path in (ROOT / folder).rglob("*"):
            if (path.suffix == ".py" and "migrations" not in path.parts) or path.suffix in {".html", ".txt"}:
                yield path


def update() -> None:
    """Bring each catalogue up to date: new sentences are empty, old ones go."""
    now = sentences()
    for language in LANGUAGES:
        known = read(language)
        known.update(now, no_fuzzy_matching=True, update_header_comment=False)
        known.fuzzy = False
        known.header_comment = f"# What the pages and the mail of ModelMyImage say, in {LANGUAGES[language]}."
        path = catalogue(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, known, width=0, sort_output=True, include_lineno=False, ignore_obsolete=True)
        # When and by what it was written would differ at each run, and says nothing.
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if not line.startswith(_UNSTEADY)))


_UNSTEADY = ('"POT-', '"PO-', '"Generated-By', '"Last-Tr', '"Language-Team', '"Report-', '"Project-')


def compiled() -> None:
    """Write the .mo file beside each catalogue."""
    for language in LANGUAGES:
        with catalogue(language).with_suffix(".mo").open("wb") as file:
            write_mo(file, read(language))


def missing(language: str) -> list[Message]:
    """Sentences of the sources that a language does not say."""
    known = read(language)
    return [message for message in sentences() if message.id and not _said(known.get(message.id, message.context))]


def _said(message: Message | None) -> bool:
    if message is None or message.fuzzy:
        return False
    return all(message.string) if isinstance(message.string, tuple | list) else bool(message.string)


def main() -> None:
    """Do what the argument says."""
    import django
    from django.conf import settings

    what = sys.argv[1] if len(sys.argv) > 1 else ""
    if what == "compile":
        compiled()
        return
    settings.configure(USE_I18N=False)
    django.setup()
    if what == "update":
        update()
    elif what == "missing":
        for language in LANGUAGES:
            for message in missing(language):
                print(language, repr(message.id))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
