"""When a request is sent again: after what the site asks for, or, where nothing is known, a little longer each time.

429 and 503 are obeyed for as long as ``patience`` seconds in all; broken connections and the site's own faults are
tried ``tries`` times. Nothing else is repeated: another try would have the same answer.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import count

from modelmyimage.errors import NotConnected, of_answer
from modelmyimage.steps import Answer, Open, Plan, Request, Send, Sleep

WAITING = frozenset({429, 503})
FAULTS = frozenset({500, 502, 504})


@dataclass(frozen=True)
class Patience:
    """How long to obey, and how often to try."""

    seconds: float = 300.0
    tries: int = 4


def pause(turn: int) -> float:
    """Seconds before the try after ``turn``; spread, so that many clients do not come back at once."""
    return float(min(10.0, 0.5 * 2**turn) * random.uniform(0.5, 1.0))  # noqa: S311 - nothing secret


def attempt(request: Request, patience: Patience, *, opened: bool = False) -> Plan[Answer]:
    """The good answer to a request. Raises ``ApiError`` or ``NotConnected``."""
    waited = 0.0
    for turn in count(1):
        try:
            answer: Answer = yield Open(request) if opened else Send(request)
        except NotConnected:
            if turn >= patience.tries:
                raise
            wait = pause(turn)
        else:
            if 200 <= answer.status < 300:
                return answer
            error = of_answer(answer)
            if answer.status in WAITING:
                wait = pause(turn) if error.retry_after is None else error.retry_after
                if waited + wait > patience.seconds:
                    raise error
                waited += max(wait, 0.1)  # somebody who asks for no wait for ever is not obeyed for ever
            elif answer.status in FAULTS and turn < patience.tries:
                wait = pause(turn)
            else:
                raise error
        yield Sleep(wait)
    raise AssertionError("count() does not end")
