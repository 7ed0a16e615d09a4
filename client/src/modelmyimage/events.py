"""Server-sent events from bytes, as the HTML standard has them: fields by lines, an event by an empty line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """One event."""

    name: str
    data: str


class EventReader:
    """Takes bytes as they come, however they are cut. ``last_id`` and ``retry`` are what the stream said of itself."""

    def __init__(self, last_id: str = "") -> None:
        self.last_id = last_id
        self.retry: float | None = None
        self._rest = b""
        self._name = ""
        self._data: list[str] = []

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events that are complete with these bytes."""
        whole = self._rest + data
        # A lone CR at the end may be half of a CRLF.
        kept = b"\r" if whole.endswith(b"\r") else b""
        lines = whole[: len(whole) - len(kept)].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = lines.pop() + kept
        for line in lines:
            if not line:
                if self._data:
                    yield Event(self._name or "message", "\n".join(self._data))
                self._name, self._data = "", []
            else:
                self._field(*line.decode(errors="replace").partition(":"))

    def _field(self, name: str, _colon: str, value: str) -> None:
        value = value.removeprefix(" ")
        if name == "event":
            self._name = value
        elif name == "data":
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self.last_id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry = min(60.0, int(value) / 1000)
