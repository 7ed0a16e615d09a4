"""The live figures of the trust page, for pages of apps below it."""

from __future__ import annotations

from django import template

from trust import figures
from trust.figures import Trust

register = template.Library()


@register.simple_tag
def live_figures() -> Trust:
    """What is counted this minute."""
    return figures.now()
