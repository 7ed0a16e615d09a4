"""Which hosts an HTTP client may reach: those it was given, and nothing behind their names that is not public.

A provider gets its client from here and has no other. Each connection is made to an address that was looked up
once and checked; the name stays in the TLS handshake and the Host header, so a name that answers differently the
second time gains nothing. Redirects pass through the same gate. A response is bounded in bytes as it streams, and
a request in time from its first byte to its last. Proxies from the environment are not used.

Where the machine itself cannot get out (docs/deploy.md), requests go through the operator's filtering proxy. Which host
may be asked is still decided here, before anything is sent; the proxy looks the name up and refuses private addresses.

Errors:
    EgressError
        EgressRefused       this host, scheme, port or address is not allowed, here or by the proxy; nothing was sent
        ResponseTooLarge    more bytes than agreed
        ResponseEncoded     compressed although we asked for plain bytes, whose number we could not bound
    httpx.HTTPError         all that can go wrong with an allowed host, its time-outs included
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

import httpcore
import httpx

from generation.addresses import reachable

Resolver = Callable[[str, int], list[str]]

MAX_REDIRECTS: Final = 5


class EgressError(Exception):
    """A request was stopped by our own rules."""


class EgressRefused(EgressError):
    """This host, scheme, port or address is not allowed."""


class ResponseTooLarge(EgressError):
    """The response has more bytes than the caller agreed to take."""


class ResponseEncoded(EgressError):
    """The response is compressed although it was asked not to be."""


def client(
    hosts: frozenset[str],
    *,
    private: frozenset[str] = frozenset(),
    max_bytes: int,
    timeout: float,
    proxy: str = "",
    resolver: Resolver | None = None,
    tls: ssl.SSLContext | None = None,
) -> httpx.Client:
    """An HTTP client bound to ``hosts``.

    An entry is a host (``api.example.com``), a host and port (``example.com:8443``), or all names below one
    (``*.example.com``). Without a port, 443 is meant. ``private`` names the operator's own machines in the same way:
    those may be asked by plain http, on any port if none is named, and lie at private addresses. ``max_bytes`` bounds
    each response's body, ``timeout`` (seconds) each request from look-up to last byte, redirects separately;
    ``timeout=`` of a single call means the same. ``proxy`` is the ``http://host:port`` of the filtering proxy that all
    goes through, empty for none. ``resolver`` and ``tls`` replace the system's look-up and trust store.
    """
    transport = _Gate(
        hosts,
        private=private,
        max_bytes=max_bytes,
        resolver=resolver or resolve,
        tls=tls or _trust_store(),
        proxy=httpx.URL(proxy) if proxy else None,
    )
    return httpx.Client(
        transport=transport,
        trust_env=False,
        timeout=timeout,
        follow_redirects=True,
        max_redirects=MAX_REDIRECTS,
        headers={"Accept-Encoding": "identity"},
    )


@lru_cache(maxsize=1)
def _trust_store() -> ssl.SSLContext:
    """Whom the system trusts; reading it takes 15 ms, so it is read once."""
    return httpx.create_ssl_context()


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, as the system finds them. Raises ``OSError``."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _Gate(httpx.BaseTransport):
    """httpx's seam: one connection per request, made by ``_Doorman``, with the response counted as it comes."""

    def __init__(
        self,
        hosts: frozenset[str],
        *,
        private: frozenset[str],
        max_bytes: int,
        resolver: Resolver,
        tls: ssl.SSLContext,
        proxy: httpx.URL | None,
    ) -> None:
        self.hosts = frozenset(host.lower() for host in hosts)
        self.private = frozenset(host.lower() for host in private)
        self.max_bytes = max_bytes
        self.resolver = resolver
        self.tls = tls
        self.proxy = proxy

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._check(request.url)
        # httpx has four time-outs, each for one operation, and no end. We take the one for reading as the end.
        seconds = request.extensions["timeout"]["read"]
        if seconds is None:
            raise EgressRefused("a request without an end")
        pool = self._pool(time.monotonic() + seconds)
        assert isinstance(request.stream, httpx.SyncByteStream)
        outgoing = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions={"timeout": {"pool": seconds}},
        )
        with contextlib.ExitStack() as undo:
            undo.callback(pool.close)
            with _httpx_errors(request):
                answer = pool.handle_request(outgoing)
            undo.callback(answer.close)
            response = httpx.Response(
                answer.status,
                headers=answer.headers,
                stream=_Counted(answer, pool, request, self.max_bytes),
                extensions=answer.extensions,
            )
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise ResponseEncoded
            declared = response.headers.get("Content-Length", "0")
            if request.method != "HEAD" and declared.isdecimal() and int(declared) > self.max_bytes:
                raise ResponseTooLarge
            undo.pop_all()
        return response

    def _pool(self, deadline: float) -> httpcore.ConnectionPool:
        """A pool for one request: a connection that outlives its request would outlive its deadline."""
        if self.proxy is None:
            doorman = _Doorman(self.resolver, self.private, deadline)
            return httpcore.ConnectionPool(
                ssl_context=self.tls, max_connections=1, max_keepalive_connections=0, network_backend=doorman
            )
        # The proxy is a machine of the operator's, and the only one that is connected to.
        doorman = _Doorman(self.resolver, frozenset({self.proxy.host}), deadline)
        return httpcore.HTTPProxy(
            str(self.proxy),
            ssl_context=self.tls,
            max_connections=1,
            max_keepalive_connections=0,
            network_backend=doorman,
        )

    def _check(self, url: httpx.URL) -> None:
        """Raises ``EgressRefused`` unless this URL's scheme, host and port are allowed."""
        host, port = url.raw_host.decode("ascii").lower(), url.port or {"https": 443, "http": 80}.get(url.scheme)
        if port is not None and _named(host, port, self.private):
            return
        if port is None or url.scheme != "https":
            raise EgressRefused("a scheme that is not allowed")
        if port != 443 and f"{host}:{port}" not in self.hosts:
            raise EgressRefused("a port that is not allowed")
        if not _named(host, port, self.hosts):
            raise EgressRefused("a host that is not on the list")


def _named(host: str, port: int, entries: frozenset[str]) -> bool:
    """Whether a host is among entries of the forms that ``client`` takes."""
    parents = {"*" + host[at:] for at, letter in enumerate(host) if letter == "." and at}
    return f"{host}:{port}" in entries or host in entries or bool(parents & entries)


class _Doorman(httpcore.NetworkBackend):
    """Looks a name up once, checks every address it has, and connects to one of those."""

    def __init__(self, resolver: Resolver, private: frozenset[str], deadline: float) -> None:
        self.resolver = resolver
        self.private = private
        self.deadline = deadline
        self.sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """As ``httpcore.NetworkBackend.connect_tcp``. Raises ``EgressRefused`` too."""
        try:
            addresses = self.resolver(host, port)
        except OSError:
            raise httpcore.ConnectError("the name was not found") from None
        if not addresses:
            raise httpcore.ConnectError("the name has no address")
        for address in addresses:
            if not reachable(address, allow_private=_named(host.lower(), port, self.private)):
                raise EgressRefused("an address that is not allowed")
        for position, address in enumerate(addresses):
            try:
                stream = self.sockets.connect_tcp(
                    address, port, _left(self.deadline, httpcore.ConnectTimeout), None, socket_options
                )
                return _Punctual(stream, self.deadline)
            except httpcore.ConnectError:
                if position == len(addresses) - 1:
                    raise
        raise httpcore.ConnectError("no address answered")

    def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
        """Never: a unix socket is no host."""
        raise EgressRefused("a unix socket")


class _Punctual(httpcore.NetworkStream):
    """A connection on which everything ends at one deadline, however slowly the other side drips."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self.stream = stream
        self.deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """As ``httpcore.NetworkStream.read``."""
        return self.stream.read(max_bytes, _left(self.deadline, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """As ``httpcore.NetworkStream.write``, in parts: a time-out counts for each time the socket takes some."""
        for at in range(0, len(buffer), 1 << 16):
            self.stream.write(buffer[at : at + (1 << 16)], _left(self.deadline, httpcore.WriteTimeout))

    def close(self) -> None:
        """As ``httpcore.NetworkStream.close``."""
        self.stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """As ``httpcore.NetworkStream.start_tls``."""
        left = _left(self.deadline, httpcore.ConnectTimeout)
        return _Punctual(self.stream.start_tls(ssl_context, server_hostname, left), self.deadline)

    def get_extra_info(self, info: str) -> Any:
        """As ``httpcore.NetworkStream.get_extra_info``."""
        return self.stream.get_extra_info(info)


def _left(deadline: float, error: type[httpcore.TimeoutException]) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise error("the request's time is up")
    return left


class _Counted(httpx.SyncByteStream):
    """A response's body, cut off by an error once it has more than ``limit`` bytes."""

    def __init__(
        self, answer: httpcore.Response, pool: httpcore.ConnectionPool, request: httpx.Request, limit: int
    ) -> None:
        self.answer = answer
        self.pool = pool
        self.request = request
        self.limit = limit

    def __iter__(self) -> Iterator[bytes]:
        total = 0
        with _httpx_errors(self.request):
            for chunk in self.answer.iter_stream():
                total += len(chunk)
                if total > self.limit:
                    raise ResponseTooLarge
                yield chunk

    def close(self) -> None:
        """Give the connection up."""
        self.answer.close()
        self.pool.close()


@contextlib.contextmanager
def _httpx_errors(request: httpx.Request) -> Iterator[None]:
    """httpcore's errors under the names by which users of httpx know them."""
    try:
        yield
    except httpcore.ProxyError as error:  # its text is the proxy's status line
        if str(error).startswith("403"):
            raise EgressRefused("the proxy does not allow it") from None
        raise httpx.ConnectError("the proxy could not connect", request=request) from None
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
        known: type[httpx.TransportError] = getattr(httpx, type(error).__name__, httpx.TransportError)
        raise known(str(error), request=request) from None
