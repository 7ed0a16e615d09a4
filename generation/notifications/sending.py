"""One attempt to tell a webhook: a signed POST, and what became of it. Only an answer of 200 to 299 counts as taken.

Redirects are not followed: whoever could redirect us could lead us. The answer's body is not read for what it says.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import httpx
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.secrets import Unreadable
from generation import egress
from generation.models import Notification, Webhook
from generation.notifications import messages, signing, targets

FAILURES: Final[dict[str, Promise]] = {
    "status": _("Answered, but not with a status of 200 to 299"),
    "redirect": _("Answered with a redirect, which we do not follow. Give the address it leads to"),
    "gone": _("Answered 410: it wants no more"),
    "timeout": _("Did not answer within 15 seconds"),
    "unreachable": _("Could not be reached: no such name, or nothing listens there"),
    "certificate": _("Its certificate does not hold, or TLS failed"),
    "refused": _("Its name leads to a private address, which we do not call"),
    "answer": _("Its answer could not be read: broken off, compressed, or more than 64 kB"),
    "secret": _("Its secret cannot be read here any more. Make a new one"),
}
"""Why an attempt failed, for people."""

AGENT: Final = "ModelMyImage-Webhooks/1"


@dataclass(frozen=True)
class Answer:
    """What became of an attempt; ``failure`` is empty when it was taken, ``status`` ``None`` when nobody answered."""

    status: int | None
    failure: str
    milliseconds: int


def send(webhook: Webhook, notification: Notification) -> Answer:
    """Try once. Never raises for what the other side does."""
    began = time.monotonic()
    status, failure = _send(webhook, notification)
    return Answer(status, failure, round((time.monotonic() - began) * 1000))


def _send(webhook: Webhook, notification: Notification) -> tuple[int | None, str]:
    body = messages.body(notification)
    try:
        headers = signing.headers(webhook, notification, body, now=timezone.now())
    except Unreadable:
        return None, "secret"
    headers |= {"Content-Type": "application/json", "User-Agent": AGENT}
    try:
        with (
            targets.client(webhook.url) as http,
            http.stream("POST", webhook.url, content=body, headers=headers, follow_redirects=False) as response,
        ):
            with suppress(egress.EgressError, httpx.HTTPError):
                response.read()  # so that the other side is not cut off; what it says does not matter
            return response.status_code, _judged(response.status_code)
    except egress.EgressRefused:
        return None, "refused"
    except httpx.TimeoutException:
        return None, "timeout"
    except httpx.ConnectError as error:
        return None, "certificate" if "SSL" in str(error) else "unreachable"
    except (UnicodeError, httpx.InvalidURL):  # a name that no look-up takes: a part of it is empty or too long
        return None, "unreachable"
    except (egress.EgressError, httpx.HTTPError):
        return None, "answer"


def _judged(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if status == HTTPStatus.GONE:
        return "gone"
    return "redirect" if 300 <= status < 400 else "status"
