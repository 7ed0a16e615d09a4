"""What is reported of an error says what and where, and cannot hold what the error was about."""

from __future__ import annotations

import gzip
import json
import logging
import logging.config
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import sentry_sdk
from django.http import HttpRequest, HttpResponse
from django.urls import path

from modelmyimage import error_tracking, logs
from tests.observe.conftest import ask

# The import alone puts that logger at debug, for all tests of this process; the site's own hook sets it back.
logging.getLogger("sentry_sdk.errors").setLevel(logging.NOTSET)

CANARY = "Kanarie7"
LINK = f"https://models.example/in/{CANARY}-link"
PHOTO = b"\xff\xd8" + CANARY.encode() * 50


class Receiver(BaseHTTPRequestHandler):
    """Keeps what it is sent."""

    bodies: list[bytes] = []

    def do_POST(self) -> None:
        """Keep the body, as it was before it was compressed."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.bodies.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def reports() -> Iterator[list[bytes]]:
    """Error tracking is on, as the settings turn it on, and leads here."""
    import modelmyimage.asgi  # noqa: F401  # sets up Django, and with it the log

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    Receiver.bodies = []
    logging.config.dictConfig(logs.config(dsn=f"http://key@127.0.0.1:{server.server_port}/1"))
    yield Receiver.bodies
    logging.config.dictConfig(logs.config())
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)
    server.shutdown()
    server.server_close()


def explode(request: HttpRequest, token: str) -> HttpResponse:
    """Has everything in its hands that must not get out."""
    photo, address, link = PHOTO, f"{CANARY}@example.com", LINK
    sentry_sdk.add_breadcrumb(message=address, data={"link": link})
    sentry_sdk.set_user({"email": address})
    sentry_sdk.set_context("photo", {"bytes": repr(photo)})
    sentry_sdk.set_tag("link", link)
    try:
        raise KeyError(link)
    except KeyError:
        raise ValueError(f"cannot read {photo!r} of {address}, see {link}") from None


urlpatterns = [path(f"{CANARY}/<slug:token>", explode, name="explodes")]


@pytest.mark.django_db(transaction=True)
def test_a_report_says_type_and_places_and_nothing_of_the_request(reports, settings) -> None:
    settings.ROOT_URLCONF = "tests.observe.test_errors"
    answer = ask(f"/{CANARY}/{CANARY}-token", cookie=f"a={CANARY}", user_agent=CANARY, authorization=CANARY)
    assert answer.status == 500
    try:
        raise OSError(CANARY)
    except OSError as error:
        logging.getLogger("some.library").error(f"{CANARY} went wrong", exc_info=error)
        logging.getLogger("generation.pipeline").error("step failed", extra={"stage": "watch"}, exc_info=error)
        logging.getLogger("generation.pipeline").error(error)
    sentry_sdk.flush(10)

    everything = b"\n".join(reports)
    assert CANARY.encode() not in everything
    assert b"example.com" not in everything
    assert b"\xff\xd8" not in everything
    events = [json.loads(body.splitlines()[2]) for body in reports]
    request = next(event for event in events if event["logger"] == "django.request")
    (raised,) = request["exception"]["values"]
    assert raised["type"] == "ValueError"
    frame = raised["stacktrace"]["frames"][-1]
    assert (frame["filename"], frame["function"]) == ("tests/observe/test_errors.py", "explode")
    assert frame["lineno"] == explode.__code__.co_firstlineno + 10
    assert request["tags"]["request"] == answer.headers["request-id"]
    assert request["tags"]["route"] == "explodes"
    step = next(event for event in events if event["logentry"]["message"] == "step failed")
    assert step["tags"]["stage"] == "watch"
    assert {name for event in events for name in event} <= {*error_tracking.PASSES}
