"""The bound HTTP client against real servers on this machine, and a look-up that lies."""

from __future__ import annotations

import datetime
import gzip
import hashlib
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from generation import egress
from generation.addresses import reachable

NAME = "api.example.com"


class Handler(BaseHTTPRequestHandler):
    """Answers by path, and remembers who was asked for what."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        self.server.seen.append((self.headers["Host"], self.path))  # type: ignore[attr-defined] # see Server
        kind, _, rest = self.path.lstrip("/").partition("/")
        getattr(self, f"_answer_{kind or 'plain'}")(rest)

    do_POST = do_GET

    def _send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _answer_plain(self, _: str) -> None:
        self._send(f"{self.headers.get('Accept-Encoding')} {self.headers.get('Authorization')}".encode())

    def _answer_digest(self, _: str) -> None:
        self._send(hashlib.sha256(self.rfile.read(int(self.headers["Content-Length"]))).hexdigest().encode())

    def _answer_bytes(self, number: str) -> None:
        self._send(bytes(int(number)))

    def _answer_chunks(self, number: str) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for _ in range(int(number)):
            self.wfile.write(b"3e8\r\n" + bytes(1000) + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def _answer_to(self, target: str) -> None:
        self._send(b"", 302, Location=target)

    def _answer_gzip(self, _: str) -> None:
        self._send(gzip.compress(bytes(100)), Content_Encoding="gzip")

    def _answer_headers(self, _: str) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        self._drip(b"X-Slow: " + b"x" * 200)

    def _answer_body(self, _: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "200")
        self.end_headers()
        self._drip(bytes(200))

    def _drip(self, data: bytes) -> None:
        self.close_connection = True
        try:
            for at in range(len(data)):
                self.wfile.write(data[at : at + 1])
                self.wfile.flush()
                time.sleep(0.05)
        except OSError:
            pass

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """A server on loopback with a memory."""

    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[tuple[str, str]] = []
        self.names: list[str | None] = []
        if tls is not None:
            tls.sni_callback = lambda _socket, name, _context: self.names.append(name)
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def handle_error(self, *_: Any) -> None:
        """Say nothing: clients that break off are what the tests are about."""

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running
        running.shutdown()


@pytest.fixture
def other() -> Iterator[Server]:
    with Server() as running:
        yield running
        running.shutdown()


def bound(*hosts: str, private: bool = True, size: int = 10_000, seconds: float = 5, **more: Any) -> httpx.Client:
    more.setdefault("resolver", lambda host, port: ["127.0.0.1"])
    own = frozenset(hosts) if private else frozenset()
    return egress.client(frozenset(hosts), private=own, max_bytes=size, timeout=seconds, **more)


# --- where to --------------------------------------------------------------------------------------------------


def test_reaches_a_host_on_the_list_under_its_name(server: Server) -> None:
    with bound(NAME) as http:
        assert http.get(f"http://{NAME}:{server.port}/").status_code == 200
    assert server.seen == [(f"{NAME}:{server.port}", "/")]


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example.com:{port}/",
        "http://api.example.com.evil.net:{port}/",
        "http://xapi.example.com:{port}/",
        "http://api.example.com.:{port}/",
        "http://api.example.com@evil.net:{port}/",
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://[::1]:{port}/",
        "http://2130706433:{port}/",
    ],
)
def test_refuses_every_other_host_before_it_looks_it_up(server: Server, url: str) -> None:
    looked_up: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    with bound(NAME, resolver=resolver) as http, pytest.raises(egress.EgressRefused):
        http.get(url.format(port=server.port))
    assert looked_up == []
    assert server.seen == []


def test_star_means_every_name_below_and_not_the_name_itself(server: Server) -> None:
    with bound("*.media.example.com") as http:
        for name in ("v3.media.example.com", "a.b.media.example.com", "V3.Media.Example.COM"):
            assert http.get(f"http://{name}:{server.port}/").status_code == 200
        for name in ("media.example.com", "xmedia.example.com", "media.example.com.evil.net"):
            with pytest.raises(egress.EgressRefused):
                http.get(f"http://{name}:{server.port}/")


def test_port_of_an_entry_binds(server: Server, other: Server) -> None:
    with bound(f"{NAME}:{server.port}") as http:
        assert http.get(f"http://{NAME}:{server.port}/").status_code == 200
        with pytest.raises(egress.EgressRefused):
            http.get(f"http://{NAME}:{other.port}/")
    with bound(NAME, private=False) as http, pytest.raises(egress.EgressRefused, match="port"):
        http.get(f"https://{NAME}:{server.port}/")


@pytest.mark.parametrize("url", [f"http://{NAME}/", f"ftp://{NAME}/", f"ws://{NAME}/", "file:///etc/passwd"])
def test_only_https_unless_the_operator_says_so(url: str) -> None:
    with bound(NAME, private=False) as http, pytest.raises(egress.EgressRefused, match="scheme"):
        http.get(url)


def test_redirects_pass_through_the_same_gate(server: Server, other: Server) -> None:
    start = f"http://{NAME}:{server.port}/to/"
    with bound(NAME, "cdn.example.com") as http:
        assert http.get(start + f"http://cdn.example.com:{other.port}/").status_code == 200
        assert other.seen == [(f"cdn.example.com:{other.port}", "/")]
        with pytest.raises(egress.EgressRefused):
            http.get(start + f"http://evil.example.com:{other.port}/")
        with pytest.raises(httpx.TooManyRedirects):
            http.get(start + "/to/" * 20)
    assert len(other.seen) == 1


def test_redirect_to_another_host_leaves_the_authorisation_behind(server: Server, other: Server) -> None:
    with bound(NAME, "cdn.example.com") as http:
        answer = http.get(
            f"http://{NAME}:{server.port}/to/http://cdn.example.com:{other.port}/", headers={"Authorization": "secret"}
        )
    assert answer.text == "identity None"


# --- behind the name -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "public", "private"),
    [
        ("93.184.215.14", True, True),
        ("2606:4700::6810:84e5", True, True),
        ("::ffff:93.184.215.14", True, True),
        ("64:ff9b::5db8:d70e", True, True),
        ("127.0.0.1", False, True),
        ("127.8.8.8", False, True),
        ("::1", False, True),
        ("10.0.0.1", False, True),
        ("172.16.0.1", False, True),
        ("192.168.1.1", False, True),
        ("100.64.0.1", False, True),
        ("fd12::1", False, True),
        ("::ffff:127.0.0.1", False, True),
        ("::ffff:10.0.0.1", False, True),
        ("64:ff9b::7f00:1", False, True),
        ("0.0.0.0", False, False),  # noqa: S104 - an address to refuse, not to bind
        ("::", False, False),
        ("169.254.169.254", False, False),
        ("::ffff:169.254.169.254", False, False),
        ("64:ff9b::a9fe:a9fe", False, False),
        ("fe80::1", False, False),
        ("fe80::1%eth0", False, False),
        ("fd00:ec2::254", False, False),
        ("100.100.100.200", False, False),
        ("168.63.129.16", False, False),
        ("2002:7f00:1::", False, False),
        ("2001:0:7f00:1::", False, False),
        ("::127.0.0.1", False, False),
        ("224.0.0.1", False, False),
        ("ff02::1", False, False),
        ("255.255.255.255", False, False),
        ("localhost", False, False),
        ("", False, False),
    ],
)
def test_which_addresses_may_be_called(address: str, public: bool, private: bool) -> None:
    assert reachable(address, allow_private=False) == public
    assert reachable(address, allow_private=True) == private


def test_name_with_one_private_address_is_refused_whole(tls: tuple[Server, ssl.SSLContext]) -> None:
    server, trust = tls
    entry = f"{NAME}:{server.port}"
    for answers in (["127.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["127.0.0.1", "93.184.215.14"]):
        client = bound(entry, private=False, tls=trust, resolver=lambda host, port, found=answers: found)
        with client as http, pytest.raises(egress.EgressRefused, match="address"):
            http.get(f"https://{entry}/")
    assert server.seen == []


def test_name_is_looked_up_once_and_that_address_is_used(server: Server) -> None:
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    asked = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return answers[len(asked) - 1]

    with bound(NAME, resolver=resolver) as http:
        assert http.get(f"http://{NAME}:{server.port}/").status_code == 200
        assert asked == [(NAME, server.port)]
        with pytest.raises(egress.EgressRefused):
            http.get(f"http://{NAME}:{server.port}/")
    assert len(server.seen) == 1


def test_second_address_is_tried_when_the_first_is_silent(server: Server) -> None:
    with bound(NAME, resolver=lambda host, port: ["127.0.0.99", "127.0.0.1"]) as http:
        assert http.get(f"http://{NAME}:{server.port}/").status_code == 200


def test_unknown_name_is_a_connection_error() -> None:
    def resolver(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    lookups: list[egress.Resolver] = [resolver, lambda host, port: []]
    for lookup in lookups:
        with bound(NAME, resolver=lookup) as http, pytest.raises(httpx.ConnectError):
            http.get(f"http://{NAME}/")


def test_system_finds_this_machine() -> None:
    assert "127.0.0.1" in egress.resolve("localhost", 80) + egress.resolve("127.0.0.1", 80)


def test_proxies_of_the_environment_are_not_used(
    server: Server, other: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{other.port}")
    with bound(NAME) as http:
        assert http.get(f"http://{NAME}:{server.port}/").status_code == 200
    assert (len(server.seen), len(other.seen)) == (1, 0)


# --- TLS -------------------------------------------------------------------------------------------------------


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[Server, ssl.SSLContext]]:
    """A server whose certificate names ``NAME`` only, and a client's trust in it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "server.pem").write_bytes(pem + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    with Server(context) as running:
        yield running, ssl.create_default_context(cadata=pem.decode())
        running.shutdown()


def test_tls_proves_the_name_and_not_the_address(tls: tuple[Server, ssl.SSLContext]) -> None:
    server, trust = tls
    with bound(NAME, "other.example.com", tls=trust) as http:
        assert http.get(f"https://{NAME}:{server.port}/").status_code == 200
        assert server.names == [NAME]
        assert server.seen == [(f"{NAME}:{server.port}", "/")]
        with pytest.raises(httpx.ConnectError):
            http.get(f"https://other.example.com:{server.port}/")
    with bound(NAME) as http, pytest.raises(httpx.ConnectError):
        http.get(f"https://{NAME}:{server.port}/")
    assert len(server.seen) == 1


# --- how much, how long ----------------------------------------------------------------------------------------


def test_takes_as_many_bytes_as_agreed_and_not_one_more(server: Server) -> None:
    with bound(NAME, size=5000) as http:
        at = f"http://{NAME}:{server.port}"
        assert len(http.get(f"{at}/bytes/5000").content) == 5000
        assert len(http.get(f"{at}/chunks/5").content) == 5000
        for path in ("/bytes/5001", "/chunks/6", "/chunks/100000"):
            with pytest.raises(egress.ResponseTooLarge):
                http.get(at + path)


def test_declared_length_is_refused_before_the_body_is_read(server: Server) -> None:
    with bound(NAME, size=10) as http, pytest.raises(egress.ResponseTooLarge):  # noqa: SIM117 - the body is not the error
        with http.stream("GET", f"http://{NAME}:{server.port}/bytes/11"):
            pytest.fail("the response was handed over")


def test_streams(server: Server) -> None:
    with bound(NAME, size=50_000) as http, http.stream("GET", f"http://{NAME}:{server.port}/chunks/50") as answer:
        assert sum(len(chunk) for chunk in answer.iter_bytes()) == 50_000


def test_compressed_answers_are_not_taken(server: Server) -> None:
    with bound(NAME) as http:
        assert http.get(f"http://{NAME}:{server.port}/").text.startswith("identity")
        with pytest.raises(egress.ResponseEncoded):
            http.get(f"http://{NAME}:{server.port}/gzip")


@pytest.mark.parametrize(
    "call",
    [
        lambda http, at: http.get(f"{at}/headers"),
        lambda http, at: http.get(f"{at}/body"),
        lambda http, at: http.get(f"{at}/body", timeout=0.4),
    ],
)
def test_dripping_server_is_left_at_the_deadline(server: Server, call: Callable[[httpx.Client, str], Any]) -> None:
    with bound(NAME, seconds=0.4) as http:
        start = time.monotonic()
        with pytest.raises(httpx.TimeoutException):
            call(http, f"http://{NAME}:{server.port}")
        assert time.monotonic() - start < 1.5  # it would drip for 10 s


def test_one_call_may_take_longer_but_not_for_ever(server: Server) -> None:
    with bound(NAME, seconds=0.001) as http:
        assert http.get(f"http://{NAME}:{server.port}/", timeout=5).status_code == 200
        with pytest.raises(egress.EgressRefused, match="end"):
            http.get(f"http://{NAME}:{server.port}/", timeout=None)


def test_body_arrives_whole(server: Server) -> None:
    data = bytes(range(256)) * 1000
    with bound(NAME) as http:
        for content in (data, (data[at : at + 999] for at in range(0, len(data), 999))):
            answer = http.post(
                f"http://{NAME}:{server.port}/digest", content=content, headers={"Content-Length": str(len(data))}
            )
            assert answer.text == hashlib.sha256(data).hexdigest()
