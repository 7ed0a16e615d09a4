"""One attempt to tell a webhook: a signed POST, and what became of it. Only an answer of 200 to 299 counts as taken.

Redirects are not followed: whoever could redirect us could lead us. The answer's body is not read for what it says. One
of its headers is: ``Retry-After``, by which a receiver that has too much to do says how long it wants to be left alone.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Final

import httpx
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import parse_http_date_safe
from django.utils.translation import gettext_lazy as _

from accounts.secrets import Unreadable
from generation import egress
from generation.models import Notification, Webhook
from generation.notifications import messages, signing, targets
from observe import meters

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

BUSY: Final = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
LONGEST_ASKED: Final = timedelta(days=1)
"""For how long a receiver may want to be left alone; what is more counts as this."""
NOT_ASKED: Final = timedelta(0)

AGENT: Final = "ModelMyImage-Webhooks/1"


@dataclass(frozen=True)
class Answer:
    """What became of an attempt; ``failure`` is empty when it was taken, ``status`` ``None`` when nobody answered.

    ``asked`` is for how long the receiver wants to be left alone.
    """

    status: int | None
    failure: str
    milliseconds: int
    asked: timedelta = NOT_ASKED


def send(webhook: Webhook, notification: Notification) -> Answer:
    """Try once. Never raises for what the other side does."""
    began = time.monotonic()
    found = _send(webhook, notification)
    seconds = time.monotonic() - began
    milliseconds = round(seconds * 1000)
    if isinstance(found, str):
        answer = Answer(None, found, milliseconds)
    else:
        answer = Answer(found.status_code, _judged(found.status_code), milliseconds, _asked(found))
    meters.WEBHOOKS.time(seconds, result=answer.failure or "taken")
    return answer


def _send(webhook: Webhook, notification: Notification) -> httpx.Response | str:
    """The answer, or why there is none."""
    body = messages.body(notification)
    try:
        headers = signing.headers(webhook, notification, body, now=timezone.now())
    except Unreadable:
        return "secret"
    headers |= {"Content-Type": "application/json", "User-Agent": AGENT}
    try:
        with (
            targets.client(webhook.url) as http,
            http.stream("POST", webhook.url, content=body, headers=headers, follow_redirects=False) as response,
        ):
            with suppress(egress.EgressError, httpx.HTTPError):
                response.read()  # so that the other side is not cut off; what it says does not matter
            return response
    except egress.EgressRefused:
        return "refused"
    except httpx.TimeoutException:
        return "timeout"
    except httpx.ConnectError as error:
        return "certificate" if "SSL" in str(error) else "unreachable"
    except (UnicodeError, httpx.InvalidURL):  # a name that no look-up takes: a part of it is empty or too long
        return "unreachable"
    except (egress.EgressError, httpx.HTTPError):
        return "answer"


def _judged(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if status == HTTPStatus.GONE:
        return "gone"
    return "redirect" if 300 <= status < 400 else "status"


def _asked(response: httpx.Response) -> timedelta:
    """What ``Retry-After`` says, in seconds or as a date of HTTP; nothing where it says neither."""
    if response.status_code not in BUSY:
        return NOT_ASKED
    said = response.headers.get("Retry-After", "").strip()
    if re.fullmatch("[0-9]{1,9}", said):
        seconds = float(said)
    else:
        date = parse_http_date_safe(said)
        seconds = 0.0 if date is None else date - timezone.now().timestamp()
    return min(max(NOT_ASKED, timedelta(seconds=seconds)), LONGEST_ASKED)
