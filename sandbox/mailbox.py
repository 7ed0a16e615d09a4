"""The development mailbox: what the site mailed, on a page, for whoever sits at this machine.

It reads the files that Django's file backend writes (settings.EMAIL_FILE_PATH), and answers loopback clients only:
whoever reads this mail can sign in as anybody.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import wraps
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

# The file backend puts this line after each message.
SEPARATOR = re.compile(rb"^-{79}\n", re.MULTILINE)
LINK = re.compile(r"https?://[^\s<>\"']+")

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Mail:
    """One message as the page shows it."""

    id: str
    subject: str
    to: str
    at: datetime | None
    text: str
    links: list[str]


def mails() -> list[Mail]:
    """Everything in the mailbox, newest first."""
    folder = Path(settings.EMAIL_FILE_PATH)
    found = []
    for path in sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime_ns, reverse=True):
        parts = [part for part in SEPARATOR.split(path.read_bytes()) if part.strip()]
        found += [_mail(f"{path.name}:{place}", part) for place, part in reversed(list(enumerate(parts)))]
    return found


def _mail(place: str, data: bytes) -> Mail:
    """Parse one message found at ``place``."""
    parsed = message_from_bytes(data, _class=EmailMessage, policy=policy.default)
    body = parsed.get_body(preferencelist=("plain",))
    text = body.get_content() if body is not None else ""
    date = parsed["date"]
    return Mail(
        id=hashlib.sha256(place.encode()).hexdigest()[:16],
        subject=str(parsed["subject"] or ""),
        to=str(parsed["to"] or ""),
        at=date.datetime if date else None,
        text=text.strip(),
        links=list(dict.fromkeys(LINK.findall(text))),
    )


def loopback_only(view: View) -> View:
    """404 for anybody who is not on this machine."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        try:
            here = ipaddress.ip_address(request.META.get("REMOTE_ADDR") or "").is_loopback
        except ValueError:
            here = False
        if not here:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@require_safe
@never_cache
@loopback_only
def index(request: HttpRequest) -> HttpResponse:
    """The list of messages."""
    return render(request, "sandbox/mailbox.html", {"messages": mails()})


@require_safe
@never_cache
@loopback_only
def message(request: HttpRequest, message_id: str) -> HttpResponse:
    """One message. Raises ``Http404`` when it is not in the mailbox."""
    for mail in mails():
        if mail.id == message_id:
            return render(request, "sandbox/mailbox_message.html", {"message": mail})
    raise Http404


@require_POST
@loopback_only
def empty(request: HttpRequest) -> HttpResponse:
    """Throw everything away."""
    for path in Path(settings.EMAIL_FILE_PATH).glob("*.log"):
        path.unlink(missing_ok=True)
    return redirect("sandbox:mailbox")
