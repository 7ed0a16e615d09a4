"""What every answer tells the browser that gets it, whoever made it: Django, a wrapper before it, or WhiteNoise.

What an answer says itself stays. The policy of contents (CSP) is each page's own, and here there is one for what has
none: refusals and whatever is no page; files of the site only say that nobody may frame them. Pages and their workers
are isolated: no other site's window, frame or script shares a process or a reference with them.
"""

from __future__ import annotations

from typing import Final

from modelmyimage.asgi_types import App, Message, Receive, Scope, Send

POLICY: Final = "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'"
FILES: Final = {
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
SCRIPTS: Final = FILES | {"Cross-Origin-Embedder-Policy": "require-corp"}
"""A worker's script says it, too, or its page may not start it."""
ELSE: Final = FILES | {"Content-Security-Policy": POLICY}
PAGES: Final = (
    SCRIPTS
    | ELSE
    | {
        "Cross-Origin-Opener-Policy": "same-origin",
        # Photos come from a file or the system's own camera, which a page does not see; money moves at Stripe's.
        "Permissions-Policy": "camera=(),display-capture=(),geolocation=(),microphone=(),payment=(),usb=()",
        "Referrer-Policy": "same-origin",
        "X-Frame-Options": "DENY",
    }
)
"""Each where it means something and no further: a page has a dozen files, and each of them has headers of its own."""


def _sent(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


_BY_KIND: Final = {
    b"text/html": _sent(PAGES),
    b"text/javascript": _sent(SCRIPTS),
    **dict.fromkeys(
        (b"text/css", b"font/woff2", b"image/avif", b"image/jpeg", b"image/png", b"image/webp"), _sent(FILES)
    ),
}
_ELSE: Final = _sent(ELSE)


class Everywhere:
    """ASGI wrapper that adds the headers an answer lacks."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))
                there = {name.lower(): value for name, value in headers}
                lacking = _BY_KIND.get(there.get(b"content-type", b"").partition(b";")[0], _ELSE)
                message = {**message, "headers": headers + [pair for pair in lacking if pair[0] not in there]}
            await send(message)

        await self.app(scope, receive, sent)
