"""What an inference provider is: a card that says what it does and keeps, and four methods.

``submit`` starts a call and returns what is needed to find it again, or, where the service answers at once, the
mesh itself. ``poll``, ``fetch`` and ``erase`` take only that. Nothing here or in ``generation/providers`` knows
Django: a provider is handed bytes and an HTTP client that reaches the hosts on its card and no others.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol

import httpx

from generation.options import JobOptions

QUALITIES = ("draft", "standard", "high")


@dataclass(frozen=True, kw_only=True)
class Card:
    """A provider's public data sheet; pages, prices and the receipt are rendered from it."""

    name: str
    label: str
    place: str
    """Where the photo goes, as people say it: "this server", "Frankfurt, Germany"."""
    hosts: frozenset[str] = frozenset()
    """The only hosts its HTTP client may reach; empty for none."""
    self_hosted: bool = False
    """Runs on the operator's own machines, so private addresses are allowed."""
    queue: str = "default"
    """The Celery queue its calls run on; CPU work has one of its own."""
    credits: Mapping[str, int]
    """Price by quality."""
    typical_seconds: Mapping[str, float]
    formats: frozenset[str] = frozenset({"glb"})
    options: frozenset[str] = frozenset()
    """The names of ``JobOptions`` that it honours; a job that wishes for another is not sent to it."""
    keeps: timedelta | None = timedelta(0)
    """How long the provider keeps what it got; ``None`` when it does not say."""
    trains_on_input: bool = False
    can_erase: bool = True
    resubmit_safe: bool = False
    """Sending the same call again costs nothing more: own computing, or an honoured idempotency key."""
    evidence: str = ""
    """Where the statements above come from."""


@dataclass(frozen=True)
class Remote:
    """A call at a provider: its id there and whatever else ``poll``, ``fetch`` and ``erase`` need, as JSON."""

    id: str
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Delivered:
    """``submit`` answered with the mesh itself; nothing is left to poll."""

    chunks: Iterator[bytes]


@dataclass(frozen=True)
class Pending:
    """Not ready; ``percent`` 0 to 100, ``wait`` seconds before asking again."""

    percent: int = 0
    wait: float = 2.0


@dataclass(frozen=True)
class Finished:
    """Ready to ``fetch``."""


@dataclass(frozen=True)
class Failed:
    """The provider gave up on the call; ``code`` is one of ours, never the provider's text."""

    code: str = "provider_failed"


class Erased(enum.StrEnum):
    """What became of the provider's copies."""

    ERASED = "erased"
    EXPIRES = "expires"
    NOTHING_KEPT = "nothing_kept"
    UNSUPPORTED = "unsupported"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Erasure:
    """The outcome of ``erase``; ``at`` says until when a copy may exist where it expires by itself."""

    result: Erased
    at: datetime | None = None


class ProviderError(Exception):
    """Base of what a provider may raise. Carries no text: a provider's words may echo the photo."""


class Unavailable(ProviderError):
    """Not now: no connection, a time-out, 429 or 5xx. ``wait`` seconds before trying again."""

    def __init__(self, wait: float = 5.0) -> None:
        super().__init__()
        self.wait = wait


class Declined(ProviderError):
    """Not this photo, or not these options; asking the same again is useless. ``code`` is one of ours."""

    def __init__(self, code: str = "provider_declined") -> None:
        super().__init__()
        self.code = code


Progress = Callable[[int], None]


class Provider(Protocol):
    """One inference service."""

    card: ClassVar[Card]

    def __init__(self, http: httpx.Client) -> None: ...

    def submit(
        self, images: list[bytes], *, options: JobOptions, quality: str, key: str, progress: Progress
    ) -> Remote | Delivered:
        """Start a call on the cut-out photos (PNG). ``key`` is the same each time one job asks this provider.

        ``options`` asks for nothing that the card does not name, but for the cut-out's, which was made already.

        Raises ``Unavailable`` or ``Declined``; both mean that no call exists at the provider, or, where the card is
        ``resubmit_safe``, that asking again costs nothing. Any other error means that nobody knows.
        """
        ...

    def poll(self, remote: Remote) -> Pending | Finished | Failed:
        """How the call is doing. Raises ``Unavailable``."""
        ...

    def fetch(self, remote: Remote) -> Iterator[bytes]:
        """The GLB of a finished call, in chunks. Raises ``Unavailable``."""
        ...

    def erase(self, remote: Remote) -> Erasure:
        """Remove every copy; repeatable, and cancels a running call. Raises ``Unavailable``."""
        ...
