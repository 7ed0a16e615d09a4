"""Where a filtering proxy is the only way out, all that leaves takes it, and it is told the cards' hosts."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.core.management import CommandError, call_command

from billing import stripe_client
from generation import egress, egress_list, registry
from generation.notifications import targets
from modelmyimage.mail_gate import EmailBackend
from modelmyimage.secret_files import SecretFiles
from tests.deploy.proxy import Proxy
from tests.generation.test_egress import NAME, Server, tls

__all__ = ["tls"]  # a fixture
Start = Callable[..., Proxy]


@pytest.fixture
def start_proxy() -> Iterator[Start]:
    started: list[Proxy] = []

    def start(**options: Any) -> Proxy:
        started.append(Proxy(options.pop("routes", {}), **options))
        return started[-1]

    yield start
    for proxy in started:
        proxy.close()


def unknown(host: str, port: int) -> list[str]:
    """A machine that can look up nothing but its proxy, as in an internal network."""
    if host == "127.0.0.1":
        return [host]
    raise OSError


def through(proxy: Proxy, *hosts: str, trust: ssl.SSLContext | None = None, **options: Any) -> httpx.Client:
    return egress.client(
        frozenset(hosts), max_bytes=10_000, timeout=5, proxy=proxy.address, resolver=unknown, tls=trust, **options
    )


def test_a_host_on_the_card_is_reached_by_a_tunnel(tls: tuple[Server, ssl.SSLContext], start_proxy: Start) -> None:
    server, trust = tls
    proxy = start_proxy(routes={f"{NAME}:{server.port}": ("127.0.0.1", server.port)})
    with through(proxy, f"{NAME}:{server.port}", trust=trust) as http:
        assert http.get(f"https://{NAME}:{server.port}/").status_code == 200
        assert server.names == [NAME]  # TLS is with the provider, not with the proxy
        with pytest.raises(egress.EgressRefused):
            http.get("https://elsewhere.example/")
        with pytest.raises(egress.ResponseTooLarge):
            http.get(f"https://{NAME}:{server.port}/bytes/20000")
    assert set(proxy.asked) == {f"CONNECT {NAME}:{server.port}"}


def test_what_the_proxy_refuses_is_told_from_what_it_cannot_reach(start_proxy: Start) -> None:
    with through(start_proxy(), NAME) as http, pytest.raises(egress.EgressRefused):
        http.get(f"https://{NAME}/")
    with through(start_proxy(status="503 Service Unavailable"), NAME) as http, pytest.raises(httpx.ConnectError):
        http.get(f"https://{NAME}/")


def test_providers_webhooks_and_stripe_take_it(start_proxy: Start, settings: Any) -> None:
    proxy = start_proxy()
    settings.EGRESS_PROXY = proxy.address
    settings.PROVIDER_ENVIRONMENT = {"MESHY_API_KEY": "k"}
    provider: Any = registry.get("meshy")
    with pytest.raises(egress.EgressRefused):
        provider.api.http.get("https://api.meshy.ai/")
    with targets.client("https://shop.example/hook") as http, pytest.raises(egress.EgressRefused):
        http.post("https://shop.example/hook")
    client = stripe_client._client("sk_test_x", "", proxy.address)
    with pytest.raises(stripe.APIConnectionError):
        client.v1.balance.retrieve()
    assert set(proxy.asked) == {"CONNECT api.meshy.ai:443", "CONNECT shop.example:443", "CONNECT api.stripe.com:443"}


class Mailbox:
    """A mail server that takes one letter."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listening.getsockname()[1]
        self.letter = b""
        self.taken = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self.listening.accept()
        with connection, connection.makefile("rwb", buffering=0) as lines:
            lines.write(b"220 here\r\n")
            for line in iter(lines.readline, b""):
                if line.upper().startswith(b"DATA"):
                    lines.write(b"354 go on\r\n")
                    self.letter = b"".join(iter(lines.readline, b".\r\n"))
                    self.taken.set()
                lines.write(b"250 yes\r\n")
                if line.upper().startswith(b"QUIT"):
                    return


def test_mail_goes_through_it_though_the_server_speaks_first(start_proxy: Start, settings: Any) -> None:
    mailbox = Mailbox()
    proxy = start_proxy(routes={"mail.example:587": ("127.0.0.1", mailbox.port)})
    settings.EGRESS_PROXY = proxy.address
    backend = EmailBackend(host="mail.example", port=587, username="", password="", use_tls=False, use_ssl=False)
    assert backend.send_messages([EmailMessage("Hello", "text", "a@site.example", ["b@example.com"])]) == 1
    assert mailbox.taken.wait(5)
    assert b"Subject: Hello" in mailbox.letter
    with pytest.raises(OSError, match="403"):
        EmailBackend(host="other.example", port=25, username="", password="").open()
    assert proxy.asked == ["CONNECT mail.example:587", "CONNECT other.example:25"]


def test_the_list_has_the_enabled_cards_hosts_and_no_others(settings: Any, tmp_path: Path) -> None:
    settings.LOCAL, settings.BILLING = False, True
    settings.EMAIL_HOST, settings.EMAIL_PORT = "mail.example", 465
    settings.PROVIDER_ENVIRONMENT = {"FAL_KEY": "k", "COG_URL": "http://10.1.2.3:5000"}
    public, own = egress_list.allowed()
    assert own == ["10.1.2.3:5000", "mail.example:465"]
    hosts = {host for name in ("fal-trellis", "cog") for host in registry.card(name).hosts if ":" not in host}
    assert set(public) == {f"{host}:443" for host in hosts | {"api.stripe.com"}}
    call_command("egress_list", out=tmp_path / "allowed.conf")
    lines = (tmp_path / "allowed.conf").read_text().splitlines()
    # Names below fal.media, neither itself nor fal.media.example; looked up only once they are known to be listed.
    assert r"acl card0_host dstdom_regex -n -i ^.+\.fal\.media$" in lines
    assert "http_access allow card0_host card0_port CONNECT !private" in lines
    assert "http_access allow own0_host own0_port !never" in lines
    assert not any("meshy" in line for line in lines)
    assert lines[-1] == "http_access deny all"


@pytest.mark.parametrize("host", ["a.example\nhttp_access allow all", "a.example b.example", "/etc/passwd", "", "*"])
def test_a_host_that_the_proxy_would_read_otherwise_is_refused(
    host: str, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    card = replace(registry.card("embedded"), hosts=frozenset({host}))
    monkeypatch.setattr(registry, "cards", lambda: [card])
    with pytest.raises(CommandError, match="is no host"):
        call_command("egress_list", out=tmp_path / "allowed.conf")
    assert list(tmp_path.iterdir()) == []


def test_a_variable_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from the file \n\n")
    found = SecretFiles(
        {"KEY": "plain", "KEY_FILE": str(tmp_path / "key"), "OTHER": "x", "GONE_FILE": "/nowhere/at/all"}
    )
    assert (found["KEY"], found["OTHER"], found.get("THIRD")) == ("from the file ", "x", None)
    with pytest.raises(ImproperlyConfigured, match=r"GONE_FILE names a file that cannot be read \(FileNotFoundError\)"):
        found["GONE"]
