"""The core without input and output: a plan is a generator that says what to do next and is told what came of it.

``sync.py`` and ``aio.py`` carry plans out, each in its way; everything that is worth getting right (what is sent, what
is tried again and when, what an answer means) is in plans, and so is written and tested once.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """A file of a form."""

    field: str
    data: bytes
    media_type: str


@dataclass(frozen=True)
class Request:
    """What is asked of the site. Each may be sent twice: it only reads, is harmless to repeat, or names itself."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What came back; header names in lower case. ``body`` is empty while it is being read in pieces."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Send:
    """Send a request; the plan is told the ``Answer``."""

    request: Request


@dataclass(frozen=True)
class Open:
    """Send a request and leave a good answer's body to be ``Read``; of any other, the body is in the ``Answer``."""

    request: Request


@dataclass(frozen=True)
class Read:
    """Read some of the open body; the plan is told bytes, none at the end."""


@dataclass(frozen=True)
class Close:
    """Close the open body."""


@dataclass(frozen=True)
class Sleep:
    """Let the seconds pass."""

    seconds: float


@dataclass(frozen=True)
class Emit:
    """Give this to whoever iterates over the plan."""

    value: Any


Step = Send | Open | Read | Close | Sleep | Emit
Plan = Generator[Step, Any, T]


class Course(Generic[T]):
    """A plan under way: ``step`` is what to do now, None once it is over; then ``value`` is what it returned."""

    def __init__(self, plan: Plan[T]) -> None:
        self._plan = plan
        self.step: Step | None = None
        self._value: list[T] = []
        self.done(None)

    @property
    def value(self) -> T:
        """What the plan returned."""
        return self._value[0]

    def done(self, result: Any) -> None:
        """The step went well."""
        try:
            self.step = self._plan.send(result)
        except StopIteration as end:
            self._over(end.value)

    def failed(self, error: Exception) -> None:
        """The step failed; the plan may know what to do."""
        try:
            self.step = self._plan.throw(error)
        except StopIteration as end:
            self._over(end.value)

    def close(self) -> None:
        """End the plan where it is."""
        self._plan.close()

    def _over(self, value: T) -> None:
        self.step = None
        self._value = [value]
