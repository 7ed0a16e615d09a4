"""Words of the API's schema as HTML: what stands in backticks is code."""

from __future__ import annotations

import re

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def ticked(text: str) -> SafeString:
    """The text, escaped, with `code` set as code."""
    return mark_safe(re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text)))  # noqa: S308  # escaped just now
