"""Which addresses can be a webhook, by their look alone."""

from __future__ import annotations

from typing import Any

import pytest

from generation.notifications import targets


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", targets.UNREADABLE),
        ("shop.example/hook", targets.UNREADABLE),
        ("ftp://shop.example/", targets.UNREADABLE),
        ("https://", targets.UNREADABLE),
        ("https://shop.example:99999/", targets.UNREADABLE),
        ("https://shop.example/\x00", targets.UNREADABLE),
        ("http://shop.example/", targets.NOT_HTTPS),
        ("https://me:secret@shop.example/", targets.CREDENTIALS),
        ("https://shop.example/#part", targets.FRAGMENT),
        ("https://shop.example:25/", targets.PORT),
        ("https://localhost/", targets.PRIVATE),
        ("https://intranet/", targets.PRIVATE),
        ("https://xn--a/", targets.PRIVATE),  # no name in any alphabet
        ("https://[::1%25eth0]/", targets.UNREADABLE),
        ("https://a b.example/", targets.UNREADABLE),
        ("https://%00.example/", targets.UNREADABLE),
        ("https://shop.example:0/", targets.PORT),
        ("https://2130706433/", targets.PRIVATE),
        ("https://0x7f000001/", targets.PRIVATE),
        ("https://127.0.0.1/", targets.PRIVATE),
        ("https://10.1.2.3/", targets.PRIVATE),
        ("https://169.254.169.254/latest/meta-data/", targets.PRIVATE),
        ("https://[::1]/", targets.PRIVATE),
        ("https://[::ffff:127.0.0.1]/", targets.PRIVATE),
        ("https://[fd00:ec2::254]/", targets.PRIVATE),
        ("https://[fe80::1]/", targets.PRIVATE),
        ("https://shop.example/" + "x" * 500, targets.LONG),
    ],
)
def test_addresses_that_cannot_be_one(url: str, said: Any) -> None:
    with pytest.raises(targets.BadAddress) as refused:
        targets.checked(url)
    assert refused.value.message == said


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        (" https://Shop.example/hooks?shop=7 ", "https://shop.example/hooks?shop=7"),
        ("https://shop.example:8443/", "https://shop.example:8443/"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://203.0.114.9/", "https://203.0.114.9/"),
    ],
)
def test_addresses_that_can(url: str, kept: str) -> None:
    assert targets.checked(url) == kept


def test_this_machine_is_called_in_development_alone(settings: Any) -> None:
    for url in ("http://localhost:8080/hook", "http://127.0.0.1/", "https://[::1]:9/"):
        with pytest.raises(targets.BadAddress):
            targets.checked(url)
        settings.WEBHOOKS_TO_LOOPBACK = True
        assert targets.checked(url) == url
        with pytest.raises(targets.BadAddress):
            targets.checked("http://10.0.0.1/")
        settings.WEBHOOKS_TO_LOOPBACK = False
