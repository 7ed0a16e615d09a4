"""Errors go to Sentry, or what speaks its protocol, where ``SENTRY_DSN`` says; without it nothing is loaded.

An event is made here, from what our log would say: the type of an exception, the places in the code, and identifiers.
The library is never given an exception, a request or a frame, so it has nothing to collect from them: no message, no
variable, no body, no header, no address. Of what it adds itself, only what is named in ``PASSES`` is sent.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from modelmyimage import logs
from observe import facts

PASSES: Final = ("event_id", "timestamp", "level", "logger", "platform", "logentry", "exception", "tags", "release")
OWN: Final = "sentry"
"""Where the library's own loggers begin; what goes wrong there is not sent there."""


class Reports(logging.Handler):
    """Sends what is logged as an error. Made by the log's own configuration (``logs.py``), where a DSN is set."""

    def __init__(self, dsn: str) -> None:
        super().__init__(logging.ERROR)
        import sentry_sdk
        from sentry_sdk.integrations.atexit import AtexitIntegration

        sentry_sdk.init(
            dsn=dsn,
            default_integrations=False,
            auto_enabling_integrations=False,
            integrations=[AtexitIntegration(callback=lambda pending, timeout: None)],
            include_local_variables=False,
            include_source_context=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            auto_session_tracking=False,
            send_client_reports=False,
            server_name="",
            before_send=reduced,
        )
        # It puts its own logger at debug, and that would tell our log what it handles.
        logging.getLogger("sentry_sdk.errors").setLevel(logging.WARNING)
        self.client = sentry_sdk.get_client()

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record. Never fails."""
        if record.name.startswith(OWN):
            return
        try:
            self.client.capture_event(event(record))
        except Exception:  # an error that cannot be reported is in the log
            return


def event(record: logging.LogRecord) -> Any:
    """What is sent of a record."""
    tags = dict(facts.about())
    tags |= {name: str(facts.fact(getattr(record, name))) for name in facts.NAMES if hasattr(record, name)}
    match = getattr(getattr(record, "request", None), "resolver_match", None)
    if match is not None:
        tags["route"] = facts.code_name(match.view_name or "")
    found: dict[str, Any] = {
        "level": "fatal" if record.levelno >= logging.CRITICAL else "error",
        "logger": record.name,
        "platform": "python",
        # A library may have put anything into its message; ours are constants.
        "logentry": {"message": logs.event(record) if record.name.partition(".")[0] in logs.OURS else record.name},
        "tags": tags,
    }
    if record.exc_info and record.exc_info[1] is not None:
        # Sentry wants the cause first.
        errors = reversed(logs.chain(record.exc_info[1]))
        found["exception"] = {"values": [_told(error) for error in errors]}
    return found


def _told(error: dict[str, Any]) -> dict[str, Any]:
    frames = []
    for place in error["at"]:
        where, _, function = place.rpartition(" ")
        filename, _, line = where.rpartition(":")
        frames.append({"filename": filename, "lineno": int(line), "function": function})
    return {"type": error["type"], "value": "", "stacktrace": {"frames": frames}}


def reduced(event: Any, hint: Any) -> Any:
    """The event with nothing but what ``PASSES`` names."""
    return {name: value for name, value in event.items() if name in PASSES}
