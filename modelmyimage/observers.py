"""System checks of what the site would tell on its own: error pages with settings, and logs at debug.

At that level libraries write what they handle: SQL with its parameters, requests with their headers, bodies. Our
formatter drops most of it (modelmyimage/logs.py), but it is the second net.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


def talkative() -> list[str]:
    """Loggers whose own level lets debug through, by name."""
    known = {"root": logging.root} | {
        name: logger for name, logger in logging.root.manager.loggerDict.items() if isinstance(logger, logging.Logger)
    }
    return sorted(name for name, logger in known.items() if logging.NOTSET < logger.level <= logging.DEBUG)


@register(Tags.security, deploy=True)
def nothing_is_told(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Neither a page nor a log line shows what was handled."""
    found: list[CheckMessage] = []
    if settings.DEBUG:
        found.append(Error("DEBUG is on: pages of errors show settings and variables.", id="modelmyimage.E010"))
    loud = talkative()
    if loud:
        found.append(
            Error(
                f"These loggers are at debug: {', '.join(loud)}.",
                hint="The level info says what happened without what it happened to.",
                id="modelmyimage.E011",
            )
        )
    return found
