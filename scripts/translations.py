"""Translations of guides and documents: which are there, and whether they say what the English text says now.

    python -m scripts.translations             list, by language, what is missing, stale or built otherwise
    python -m scripts.translations de          the same for one language
    python -m scripts.translations stamp FILE  write into the first line that it was made from the English as it is now

Stamp a file when it is finished, and again after each change of the English text that you have followed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scripts import structure
from scripts.messages import LANGUAGES, ROOT


@dataclass(frozen=True)
class Pair:
    """An English text and its translation, which need not exist; ``english`` is the text without a document's head."""

    language: str
    source: Path
    path: Path
    english: str

    @property
    def name(self) -> str:
        """The translation's file, as seen from the project's folder."""
        return self.path.relative_to(ROOT).as_posix()

    def problems(self) -> list[str]:
        """Why readers would not get it, or get less than the English text; nothing where it is as it should be."""
        from trust import translations

        if not self.path.is_file():
            return ["missing"]
        written = self.path.read_text(encoding="utf-8")
        if not translations.made_from(written):
            return ["not stamped: its first line does not say from which English text it was made"]
        found = [f"stale: “{heading}” was changed" for heading in translations.changed(written, self.english)]
        return found or structure.differences(
            self.english,
            translations.body(written),
            language=self.language,
            folder=self.source.parent.relative_to(ROOT).as_posix(),
        )


def pairs() -> Iterator[Pair]:
    """Every text that is to be translated, for each language."""
    from guides import shelf
    from trust import texts

    documents = [(path, texts.source(path.stem).body) for path in sorted(texts.FOLDER.glob("*.md"))]
    for language in LANGUAGES:
        for place in shelf.places():
            if path := place.translation(language):
                yield Pair(language, place.path, path, place.text)
        for source, english in documents:
            yield Pair(language, source, source.parent / language / source.name, english)


def stamp(file: str) -> list[str]:
    """Write a file's first line anew; what is then still wrong with it. Ends the program where it is no translation."""
    from trust import translations

    pair = next((one for one in pairs() if one.path == Path(file).resolve()), None)
    if pair is None or not pair.path.is_file():
        sys.exit(f"{file} is no translation of a guide or document.")
    pair.path.write_text(translations.stamped(pair.path.read_text(encoding="utf-8"), pair.english), encoding="utf-8")
    return [f"{pair.name}: {problem}" for problem in pair.problems()]


def main() -> None:
    """Do what the arguments say."""
    import django
    from django.conf import settings

    settings.configure(BASE_DIR=ROOT, USE_I18N=False)
    django.setup()
    match sys.argv[1:]:
        case ["stamp", *files] if files:
            if problems := [problem for file in files for problem in stamp(file)]:
                sys.exit("\n".join(problems))
        case [] | [_]:
            wanted = sys.argv[1:] or list(LANGUAGES)
            if not set(wanted) <= set(LANGUAGES):
                sys.exit(__doc__)
            for pair in pairs():
                if pair.language in wanted:
                    for problem in pair.problems():
                        print(f"{pair.name}: {problem}")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
