"""Which text of a document a reader is shown: a translation only where it says what the English text says.

A version is shown in another language when two things hold: its English text, to the letter, is what the code would
publish at this moment, and the translation was made from the very file of which that is made. So the values in it are
those of the version, too. Anything else is shown in English.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.template import Template
from django.utils import timezone, translation

from trust import facts, markdown, publishing, texts, translations
from trust.markdown import Page
from trust.models import Version


@dataclass(frozen=True)
class Reading:
    """A text as a page shows it; ``code`` is its language, and ``translated`` says whether there is a translation."""

    page: Page
    code: str
    translated: bool

    @property
    def is_foreign(self) -> bool:
        """Whether English is not the language that is read now."""
        return translations.language() != translations.ENGLISH

    @property
    def is_english(self) -> bool:
        """Whether it is shown in English."""
        return self.code == settings.LANGUAGE_CODE


def of_version(version: Version, *, english: bool = False) -> Reading:
    """A version in the language that is read now; ``english``: the reader asks for the text that binds."""
    template = _translation(version.document)
    now = timezone.now()
    if template is not None:
        with translation.override(settings.LANGUAGE_CODE):
            if publishing.rendered(version.document, now)[0] != version.text:
                template = None
    if template is None or english:
        return Reading(markdown.page(version.text), settings.LANGUAGE_CODE, template is not None)
    text = texts.render(template, publishing.values(version.document, now))
    return Reading(markdown.page(text, markdown.names(version.text)), translations.language(), True)


def of_short(name: str, *, english: bool = False) -> Reading:
    """A text that has no versions, in the language that is read now."""
    template = _translation(name)
    today = timezone.now().date()
    with translation.override(settings.LANGUAGE_CODE):
        binding = texts.render(texts.source(name).template, facts.values(today=today))
    if template is None or english:
        return Reading(markdown.page(binding), settings.LANGUAGE_CODE, template is not None)
    text = texts.render(template, facts.values(today=today))
    return Reading(markdown.page(text, markdown.names(binding)), translations.language(), True)


def _translation(name: str) -> Template | None:
    reads = translations.language()
    return None if reads == translations.ENGLISH else texts.translated(name, reads)
