"""A mail's text as HTML: paragraphs; an address that stands alone is a button, a code that does is large."""

from __future__ import annotations

import re

from django import template
from django.utils.html import conditional_escape, format_html, format_html_join, urlize
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

register = template.Library()

_BREAK = re.compile(r"\n\s*\n")
_ADDRESS = re.compile(r"https?://\S+")
_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{3,11}")
_FOOT = "--\n"

_BUTTON = (
    '<p style="margin:20px 0"><a class="button" href="{}" style="display:block;padding:14px 20px;border-radius:10px;'
    'background:#10201a;color:#ffffff;font-weight:600;text-align:center;text-decoration:none">{}</a></p>'
    '<p class="quiet" style="margin:0 0 16px;font-size:13px;line-height:19px;color:#56665e">{}</p>'
)
_FINE = '<p class="quiet" style="margin:28px 0 0;font-size:13px;line-height:19px;color:#56665e">{}</p>'
_LARGE = (
    '<p class="code" style="margin:20px 0;padding:16px;border:1px dashed #75837b;text-align:center;'
    'font:700 28px/34px ui-monospace,Menlo,Consolas,monospace;letter-spacing:.08em">{}</p>'
)


@register.filter
def letter(text: str) -> SafeString:
    """The text as HTML; everything in it is escaped."""
    body, _foot, foot = text.partition(_FOOT)
    parts = [_part(part.strip()) for part in _BREAK.split(body) if part.strip()]
    if foot.strip():
        parts.append(format_html(_FINE, foot.strip()))
    return format_html_join("\n", "{}", ((part,) for part in parts))


def _part(text: str) -> SafeString:
    if _ADDRESS.fullmatch(text):
        return format_html(_BUTTON, text, _("Open this page"), text)
    if _CODE.fullmatch(text):
        return format_html(_LARGE, text)
    lines = urlize(conditional_escape(text)).replace("\n", "<br>")
    return format_html('<p style="margin:0 0 16px">{}</p>', mark_safe(lines))  # noqa: S308 - escaped just above
