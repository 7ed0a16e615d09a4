"""Which page is where, and who may press its buttons: only a page of ours, in a browser on this machine."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from sandbox.stripe import checkout_pages, control_page, invoice_pages, portal_pages
from sandbox.stripe.html import STYLE, sorry
from sandbox.stripe.refusal import Refusal
from sandbox.stripe.server import Answer, Request

if TYPE_CHECKING:
    from sandbox.stripe.running import Sandbox

HERE = {"127.0.0.1", "localhost", "::1"}

PAGES: list[tuple[str, Callable[..., Answer], Callable[..., Answer] | None]] = [
    ("/", lambda stripe: control_page.show(stripe), None),
    (r"/do/(\w+)", lambda stripe, name: sorry("Nothing here", "This address is for buttons.", 405), control_page.act),
    (r"/pay/(\w+)", checkout_pages.show, checkout_pages.act),
    (r"/authenticate/(\w+)", checkout_pages.ask, checkout_pages.answer),
    (r"/invoices/(\w+)(?:/pdf)?", invoice_pages.show, invoice_pages.pay),
    (r"/receipts/(\w+)", invoice_pages.receipt, None),
    (r"/portal/(\w+)", portal_pages.show, portal_pages.act),
]
"""Address, page, and what its buttons do. All hold the lock."""


def answer(stripe: Sandbox, request: Request) -> Answer:
    """The answer to a browser."""
    host = urlsplit(f"//{request.headers.get('host', '')}")
    if host.hostname not in HERE:
        return sorry("Not here", "This server answers its own machine only.", 421)
    if request.path == "/style.css":
        return Answer(200, STYLE, {"Content-Type": "text/css; charset=utf-8", "Cache-Control": "max-age=300"})
    for pattern, show, act in PAGES:
        found = re.fullmatch(pattern, request.path)
        if found:
            return _answer(stripe, request, show, act, found.groups())
    return sorry("Nothing here", "There is no such page.", 404)


def _answer(
    stripe: Sandbox,
    request: Request,
    show: Callable[..., Answer],
    act: Callable[..., Answer] | None,
    ids: tuple[Any, ...],
) -> Answer:
    try:
        if request.method != "POST":
            return show(stripe, *ids)
        if act is None:
            return sorry("Nothing here", "This page has no buttons.", 405)
        if not _ours(request):
            return sorry("Not from here", "Another page pressed this button, so nothing was done.", 403)
        form = dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
        return act(stripe, *ids, form)
    except Refusal as refusal:
        if request.path.startswith("/do/"):
            return control_page.show(stripe, sentence=refusal.message)
        return sorry("That did not work", refusal.message, refusal.status)


def _ours(request: Request) -> bool:
    """Whether a page of this very server sent the form: browsers say so, and other pages cannot make them lie."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("origin") == f"http://{request.headers.get('host', '')}"
