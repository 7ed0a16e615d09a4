"""Spans: which request, task, stage and provider's call took how long, and which began which.

Nothing is traced, and no library loaded, until a process is told to (``switch_on``). A span has a name from our code
and facts (``observe/facts.py``); it has no address, no statement, no payload, and of an exception nothing but its type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from observe import facts

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer, TracerProvider

Kind = Literal["internal", "server", "client", "consumer"]

_tracers: list[Tracer] = []


class Span:
    """What is being traced; while nothing is, an empty one."""

    def __init__(self, real: Any = None) -> None:
        self._real = real

    def say(self, **known: object) -> None:
        """Add facts; what is none is left out."""
        if self._real is None:
            return
        for name, value in known.items():
            said = facts.fact(value)
            if said is not None and said != facts.HIDDEN:
                self._real.set_attribute(f"modelmyimage.{name}", said)

    def name(self, name: str) -> None:
        """Call it something else, now that more is known."""
        if self._real is not None:
            self._real.update_name(name)

    def failed(self, kind: str) -> None:
        """It went wrong; ``kind`` is the name of an exception's type."""
        if self._real is not None:
            from opentelemetry.trace import StatusCode

            self._real.set_attribute("error.type", facts.code_name(kind))
            self._real.set_status(StatusCode.ERROR)


NOTHING = Span()


def switch_on(provider: TracerProvider) -> None:
    """From here on this process traces."""
    _tracers[:] = [provider.get_tracer("modelmyimage")]


def switch_off() -> None:
    """From here on it does not."""
    _tracers.clear()


@contextmanager
def span(
    name: str, *, kind: Kind = "internal", sender: Mapping[str, str] | None = None, **known: object
) -> Iterator[Span]:
    """A span for as long as the block runs, below the present one or, where a message brought one, ``sender``."""
    if not _tracers:
        yield NOTHING
        return
    from opentelemetry.trace import SpanKind

    made = _tracers[0].start_as_current_span(
        name,
        context=_context(sender) if sender is not None else None,
        kind=SpanKind[kind.upper()],
        # Both would write down what an exception says.
        record_exception=False,
        set_status_on_exception=False,
    )
    with made as real:
        found = Span(real)
        found.say(**facts.about())
        found.say(**known)
        try:
            yield found
        except Exception as error:
            found.failed(type(error).__qualname__)
            raise


def carried() -> dict[str, str]:
    """What a message has to carry so that its receiver's spans go on from the present one; empty while nothing is."""
    if not _tracers:
        return {}
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    found: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(found)
    return found


def _context(sender: Mapping[str, str]) -> Any:
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract(dict(sender), Context())
