"""What is logged says what happened and where, and quotes nobody's data."""

import json
import logging
import subprocess
import sys
import uuid
from typing import Any

import pytest

from modelmyimage.logs import JsonLines
from tests.environment import ROOT

CANARY = "Kanarie7"


def line(*, extra: dict[str, Any] | None = None, error: BaseException | None = None, **fields: Any) -> dict[str, Any]:
    """What the formatter makes of one record."""
    record = logging.makeLogRecord({"name": "test", "levelno": logging.INFO, "levelname": "INFO", **fields})
    record.__dict__.update(extra or {})
    if error is not None:
        record.exc_info = (type(error), error, error.__traceback__)
    text = JsonLines().format(record)
    assert "\n" not in text
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.mark.parametrize(
    ("message", "arguments", "event"),
    [
        ("%s: %s", ("Not Found", f"/in/{CANARY}"), "…: …"),
        ("took %.1f s, %d bytes", (1.25, 7), "took 1.2 s, 7 bytes"),
        ("%d photos", (CANARY,), "… photos"),
        ("%(name)s raised %(exc)s", ({"name": CANARY, "exc": f"ValueError('{CANARY}')"},), "… raised …"),
        (f"cannot open '/home/me/{CANARY}.jpg'", (), "cannot open …"),
        (f"cannot open /home/me/{CANARY}.jpg", (), "cannot open …"),
        (f"mail to {CANARY}@example.com bounced", (), "mail to … bounced"),
        ("100 % of it", (), "100 % of it"),
    ],
)
def test_arguments_that_may_be_data_are_left_out(message: str, arguments: tuple[Any, ...], event: str) -> None:
    args = arguments[0] if arguments and isinstance(arguments[0], dict) else arguments
    assert line(msg=message, args=args)["event"] == event


def test_identifiers_are_kept() -> None:
    job = uuid.uuid4()
    found = line(msg="job %s moved", args=(job,), extra={"job": job, "stage": "settle", "count": 3})
    assert (found["event"], found["job"], found["stage"], found["count"]) == (f"job {job} moved", str(job), "settle", 3)


def test_facts_must_look_like_ours() -> None:
    assert line(msg="x", extra={"failure": f"Server said: {CANARY}.jpg"})["failure"] == "…"
    assert "whatever" not in line(msg="x", extra={"whatever": CANARY})


def test_a_message_that_is_no_text_is_left_out() -> None:
    assert line(msg=ValueError(CANARY))["event"] == "…"


def test_an_exception_is_a_type_and_places() -> None:
    try:
        try:
            raise ValueError(CANARY)
        except ValueError as inner:
            raise RuntimeError(f"because of {CANARY}") from inner
    except RuntimeError as outer:
        found = line(msg="failed", error=outer)
    assert CANARY not in json.dumps(found)
    assert [part["type"] for part in found["exception"]] == ["RuntimeError", "ValueError"]
    assert found["exception"][0]["at"][0].startswith("tests/test_logs.py:")


PROGRAM = f"""
import logging, logging.config, sys, threading
from modelmyimage import logs
logging.config.dictConfig(logs.config())
logs.hush_crashes()
def fail(): raise ValueError("{CANARY}")
thread = threading.Thread(target=fail)
thread.start(); thread.join()
class Leaver:
    def __del__(self): raise ValueError("{CANARY}")
Leaver()
logging.getLogger("django.request").error("%s: %s", "Not Found", "/{CANARY}")
logging.getLogger("some.library").info("{CANARY}")
fail()
"""


def test_a_server_process_prints_no_exception_text() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert CANARY not in done.stdout + done.stderr
    events = [json.loads(text) for text in done.stderr.splitlines()]
    assert [event["logger"] for event in events] == [
        "modelmyimage.crash",
        "modelmyimage.crash",
        "django.request",
        "modelmyimage.crash",
    ]
    assert events[-1]["exception"][0]["type"] == "ValueError"
