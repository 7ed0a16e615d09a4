"""However a stream is cut, the same events come out."""

from __future__ import annotations

import random

from modelmyimage.events import Event, EventReader

STREAM = (
    ": hello\n\nretry: 2500\nevent: state\ndata: {\r\ndata:  1}\r\nid: 7\r\n\r\ndata\n\ndata:x\rid: bad\0id\r\r"
    "event: nothing\n\ndata: é\n\ndata: cut off"
).encode()
EVENTS = [Event("state", "{\n 1}"), Event("message", ""), Event("message", "x"), Event("message", "é")]


def test_events() -> None:
    for seed in range(60):
        chance = random.Random(seed)  # noqa: S311 - no secret
        reader, found, at = EventReader(), [], 0
        while at < len(STREAM):
            size = chance.randint(1, 1 + seed)
            found += list(reader.feed(STREAM[at : at + size]))
            at += size
        assert found == EVENTS
        assert (reader.last_id, reader.retry) == ("7", 2.5)
