"""What a service's answers mean: one HTTP exchange with a provider, its status codes turned into our errors.

A call that may cost money (``create``) is never sent twice from here, and whatever leaves open whether it was taken is
``Unclear``. Everything else may be repeated. Bodies of refusals are not read: they may echo the photo.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import httpx

from generation.egress import EgressError, ResponseTooLarge
from generation.provider import Declined, Misconfigured, ProviderError, Unavailable, Unclear

LONGEST_ANSWER: Final = 4_000_000
"""Bytes of JSON that an answer may have."""
LONGEST_WAIT: Final = 120.0
"""Seconds that a ``Retry-After`` may ask for."""
CHUNK: Final = 1 << 16


class NotThere(ProviderError):
    """404 or 410: the service does not know the call, or no longer."""


class Refused(ProviderError):
    """A repeatable request was refused in a way that repeating does not mend; ``status`` is its code, if it has one."""

    def __init__(self, status: int = 0) -> None:
        super().__init__()
        self.status = status


class TooMuch(ProviderError):
    """The answer is longer than it may be."""


class Exchange:
    """Requests to one service. ``headers`` (the key, as a rule) go to the service's own address and nowhere else.

    ``declines``: status codes by which this service refuses a photo, whatever they mean elsewhere.
    """

    def __init__(
        self,
        http: httpx.Client,
        base: str,
        headers: Mapping[str, str] | None = None,
        *,
        declines: frozenset[int] = frozenset(),
    ) -> None:
        self.http = http
        self.base = base.rstrip("/") + "/"
        self.headers = dict(headers or {})
        self.declines = declines

    def create(self, path: str, *, timeout: float = 60.0, **body: Any) -> dict[str, Any]:
        """POST what may start a call that costs money; the answer's JSON object.

        ``body`` is what httpx takes: ``json=``, ``files=``, ``data=``, ``headers=``. Raises ``Unavailable``,
        ``Declined``, ``Misconfigured`` when the service has not taken it, ``Unclear`` when nobody knows.
        """
        with self.opened("POST", path, creates=True, timeout=timeout, **body) as answer:
            try:
                return _object(answer)
            except (ProviderError, httpx.HTTPError, EgressError):
                raise Unclear from None

    def ask(self, method: str, path: str, *, timeout: float = 30.0, **body: Any) -> dict[str, Any]:
        """A request that may be repeated; the answer's JSON object, empty where it has no body.

        Raises ``Unavailable``, ``NotThere``, ``Refused``, ``Misconfigured``, ``TooMuch``.
        """
        try:
            with self.opened(method, path, timeout=timeout, **body) as answer:
                return _object(answer)
        except ResponseTooLarge:
            raise TooMuch from None
        except (httpx.HTTPError, EgressError):
            raise Unavailable from None

    def opened(self, method: str, path: str, *, creates: bool = False, timeout: float = 30.0, **body: Any) -> _Opened:
        """A successful answer whose body is not read yet, as a context manager; errors as ``create`` and ``ask``."""
        url = urljoin(self.base, path.lstrip("/")) if "://" not in path else path
        if _origin(url) == _origin(self.base):
            body["headers"] = self.headers | dict(body.get("headers") or {})
        return _Opened(self.http, method, url, creates, self.declines, timeout, body)

    def download(self, url: str, *, timeout: float = 300.0) -> Iterator[bytes]:
        """A file in chunks; an address on the service's own host is asked with its headers, others without.

        Raises ``Unavailable`` (also for no link, or one that has expired: look for a fresh one), ``TooMuch``,
        ``Refused`` (an address that is not on the card).
        """
        if not url:
            raise Unavailable
        try:
            with self.opened("GET", url, timeout=timeout) as answer:
                yield from answer.iter_bytes(CHUNK)
        except (NotThere, Misconfigured):
            raise Unavailable from None
        except ResponseTooLarge:
            raise TooMuch from None
        except httpx.HTTPError:
            raise Unavailable from None
        except EgressError:
            raise Refused from None


class _Opened:
    """One request: entered, it is sent and its status judged; left, its connection is closed."""

    def __init__(
        self,
        http: httpx.Client,
        method: str,
        url: str,
        creates: bool,
        declines: frozenset[int],
        timeout: float,
        body: dict[str, Any],
    ) -> None:
        self.creates = creates
        self.declines = declines
        self.sent = http.stream(method, url, timeout=timeout, **body)

    def __enter__(self) -> httpx.Response:
        try:
            answer = self.sent.__enter__()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL):
            raise Unavailable from None  # nothing was sent
        except EgressError as stopped:
            if isinstance(stopped, ResponseTooLarge) and not self.creates:
                raise
            raise (Unclear if self.creates else Refused) from None
        except httpx.HTTPError:
            raise (Unclear if self.creates else Unavailable) from None
        try:
            if self.creates and answer.status_code in self.declines:
                raise Declined
            _judge(answer, creates=self.creates)
        except BaseException:
            self.sent.__exit__(None, None, None)
            raise
        return answer

    def __exit__(self, *error: Any) -> None:
        self.sent.__exit__(*error)


def _judge(answer: httpx.Response, *, creates: bool) -> None:
    """Raise what a status code means; 2xx means nothing."""
    status = answer.status_code
    if status < 300:
        return
    if status in (401, 402, 403):
        raise Misconfigured
    if status in (408, 425, 429, 503) or (status >= 500 and not creates):
        raise Unavailable(_retry_after(answer), throttled=status == 429)
    if status >= 500 or status < 400:
        raise Unclear if creates else Refused
    if creates:
        raise Declined
    raise NotThere if status in (404, 410) else Refused(status)


def _retry_after(answer: httpx.Response) -> float:
    """Seconds that ``Retry-After`` asks for, within reason; dates and nonsense count as not said."""
    said = answer.headers.get("Retry-After", "")
    return min(LONGEST_WAIT, max(1.0, float(said))) if said.isdecimal() and len(said) < 9 else 5.0


def _object(answer: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer; empty for no body. Raises ``Unavailable`` for anything else, ``TooMuch``."""
    data = bytearray()
    for chunk in answer.iter_bytes(CHUNK):
        data += chunk
        if len(data) > LONGEST_ANSWER:
            raise TooMuch
    try:
        found = json.loads(bytes(data)) if data.strip() else {}
    except (ValueError, RecursionError):
        raise Unavailable from None
    if not isinstance(found, dict):
        raise Unavailable
    return found


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def text(found: Mapping[str, Any], *path: str) -> str:
    """The text at a path of keys in a service's JSON; empty when there is none. Never raises."""
    at: Any = found
    for name in path:
        at = at.get(name) if isinstance(at, Mapping) else None
    return at if isinstance(at, str) else ""


def taken(answer: Mapping[str, Any], *path: str) -> str:
    """The id of a call, at a path of keys in the answer to ``create``. Raises ``Unclear`` when there is none."""
    id = text(answer, *path)
    if not id:
        raise Unclear
    return id


def number(found: Mapping[str, Any], name: str) -> float:
    """The finite number under a key of a service's JSON; 0 when there is none. Never raises."""
    value = found.get(name)
    usable = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15
    return float(value) if usable and value is not None else 0.0


def base64_field(chunks: Iterable[bytes], name: str, *, prefix: bytes = b"") -> Iterator[bytes]:
    """The decoded bytes of a base64 text in a JSON stream, without holding the whole of it.

    The text is the value of the first key ``name``; ``prefix`` (``data:…;base64,``) is skipped where it is there.
    Raises ``Unavailable`` when the stream ends before the text does, or holds none.
    """
    key = f'"{name}"'.encode()
    before, started, held = b"", False, b""
    for chunk in chunks:
        piece = chunk
        if not started:
            before += chunk
            at = before.find(key)
            if at < 0:
                before = before[1 - len(key) :]  # what went by may be another mesh, and is not kept
                continue
            quote = before.find(b'"', at + len(key))
            if quote < 0 or len(before) < quote + 1 + len(prefix):
                if len(before) > at + LONGEST_ANSWER:
                    raise Unavailable
                continue
            if before[at + len(key) : quote].strip(b": \t\r\n["):
                raise Unavailable  # its value is no text, but null, say
            piece, started = before[quote + 1 :].removeprefix(prefix), True
        end = piece.find(b'"')
        held = (held + (piece if end < 0 else piece[:end])).replace(b"\\/", b"/")
        # A stroke may stand escaped, and its two signs in two chunks.
        whole = len(held) if end >= 0 else len(held.removesuffix(b"\\")) // 4 * 4
        try:
            yield base64.b64decode(held[:whole], validate=True)
        except binascii.Error:
            raise Unavailable from None
        if end >= 0:
            return
        held = held[whole:]
    raise Unavailable
