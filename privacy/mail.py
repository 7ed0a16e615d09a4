"""Every mail of ours: in the reader's language, as text and the same as HTML. Nothing in it is fetched or followed.

The HTML is made from the text (``modelmyimage/templatetags/letters.py``), so that the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation


def reader_language() -> str:
    """The language of the page that is being made, as the database keeps it; empty for the site's own."""
    code = translation.get_language() or ""
    return code if code in dict(settings.LANGUAGES) and code != settings.LANGUAGE_CODE else ""


def written(
    *,
    to: Sequence[str],
    subject: str,
    text: str,
    about: Mapping[str, Any],
    language: str = "",
    headers: dict[str, str] | None = None,
) -> EmailMultiAlternatives:
    """A mail from two templates, in a language; empty: the site's own."""
    with translation.override(language or settings.LANGUAGE_CODE):
        title = " ".join(render_to_string(subject, dict(about)).split())
        body = render_to_string(text, dict(about)).strip() + "\n"
        page = render_to_string("email.html", {"title": title, "text": body})
    mail = EmailMultiAlternatives(title, body, None, list(to), headers=headers)
    mail.attach_alternative(page, "text/html")
    return mail
