"""Whatever answers, at whatever address: the browser is told what it may do with it."""

from __future__ import annotations

import pytest

from modelmyimage.everywhere import ELSE, PAGES
from tests.api.asgi import Call
from tests.environment import ROOT

pytestmark = pytest.mark.django_db(transaction=True)

TOO_MUCH = {"Content-Length": "99999999"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 200), ("GET", "/create", {}, 302), ("GET", "/nowhere", {}, 404), ("TRACE", "/", {}, 405),
        ("GET", "/static/favicon.svg", {}, 200), ("GET", "/static/nothing.js", {}, 404),
        ("GET", "/verify/keys.json", {}, 200), ("GET", "/api/v1/jobs", {}, 401), ("POST", "/create", TOO_MUCH, 413),
        ("POST", "/api/v1/jobs", TOO_MUCH, 413), ("POST", "/billing/webhook", TOO_MUCH, 400),
        ("POST", "/account/login/", {}, 403),
    ],
)  # fmt: skip
def test_every_answer_has_them(method: str, path: str, headers: dict[str, str], status: int) -> None:
    answer = Call(path, b"", headers, method=method).make()
    assert answer.status == status
    own = answer.answered.pop("content-security-policy").replace("; ", ";").split(";")
    assert {"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} <= set(own)
    page = answer.answered.get("content-type", "").startswith("text/html")
    expected = {name.lower(): value for name, value in (PAGES if page else ELSE).items()}
    del expected["content-security-policy"]
    assert expected.items() <= answer.answered.items()
    assert "server" not in answer.answered


@pytest.mark.parametrize(
    "path", ["/static/dist/site.css", "/static/dist/site.js", "/static/dist/device.js", "/static/app/touch.png",
             "/static/dist/fonts/schibsted-grotesk-latin.woff2", "/api/v1/openapi.json", "/manifest.webmanifest"]
)  # fmt: skip
def test_nothing_can_be_framed(path: str) -> None:
    answer = Call(path, b"", {}, method="GET").make()
    assert answer.status == 200
    assert "frame-ancestors 'none'" in answer.answered["content-security-policy"]
    assert "strict-transport-security" not in answer.answered  # without TLS; test_settings looks at the other


def test_pages_are_isolated_and_have_no_camera() -> None:
    answered = Call("/", b"", {}, method="GET").make().answered
    assert answered["cross-origin-embedder-policy"] == "require-corp"
    assert answered["cross-origin-opener-policy"] == "same-origin"
    asked = dict(each.split("=") for each in answered["permissions-policy"].split(","))
    assert asked["camera"] == asked["microphone"] == asked["geolocation"] == "()"


def test_a_worker_has_the_policy_of_its_own_file_and_is_isolated_as_its_page() -> None:
    answer = Call("/static/dist/device.js", b"", {}, method="GET").make()
    assert "wasm-unsafe-eval" in answer.answered["content-security-policy"]
    assert answer.answered["cross-origin-embedder-policy"] == "require-corp"


@pytest.mark.filterwarnings("error")
def test_files_are_read_as_an_asynchronous_server_has_to() -> None:
    for path in ("static/dist/job.js", "verifier/verify.py"):
        whole = (ROOT / path).read_bytes()
        address = "/" + path.replace("verifier", "verify")
        answer = Call(address, b"", {}, method="GET").make()
        assert (answer.status, answer.received, answer.ended) == (200, whole, True)
    assert Call("/static/dist/job.js", b"", {}, method="HEAD").make().received == b""
    part = Call("/static/dist/job.js", b"", {"Range": "bytes=5-9"}, method="GET").make()
    assert (part.status, part.received) == (206, (ROOT / "static/dist/job.js").read_bytes()[5:10])
