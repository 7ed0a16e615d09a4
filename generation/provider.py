"""What an inference provider is: a card that says what it does and keeps, and four methods.

``submit`` starts a call and returns what is needed to find it again, or, where the service answers at once, the
mesh itself. ``poll``, ``fetch`` and ``erase`` take only that. Nothing here or in ``generation/providers`` knows
Django: a provider is handed bytes, the operator's settings for it, and an HTTP client that reaches the hosts on its
card and no others.

Errors::

    ProviderError
    ├── Unavailable     not now; no call exists
    ├── Declined        not this photo or these options; no call exists
    ├── Misconfigured   the operator's key or account does not do; no call exists
    └── Unclear         nobody knows whether a call exists
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol, runtime_checkable

import httpx

from generation.options import JobOptions

QUALITIES = ("draft", "standard", "high")
TRIANGLES_BY_QUALITY = {"draft": 10_000, "standard": 40_000, "high": 120_000}
"""How many triangles a service is asked for that wants a number."""
VIEWS = ("front", "left", "back", "right")
"""From where a photo shows the object, in the order in which services want them; the front is always there."""


@dataclass(frozen=True)
class Variable:
    """An environment variable by which an operator sets a provider up; documented in docs/configuration.md."""

    name: str
    required: bool = True
    address: bool = False
    """Its value is the service's base URL, whose host joins the card's."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Card:
    """A provider's public data sheet; pages, prices and the receipt are rendered from it. Equal only to itself."""

    name: str
    label: str
    place: str
    """Where the photo goes, as people say it: "this server", "United States"."""
    region: str = ""
    """The same for programs: a country's ISO 3166 code, "self" on the operator's machines, empty when nobody says."""
    operator: str = ""
    """The company that runs the service; empty for the operator of this site."""
    hosts: frozenset[str] = frozenset()
    """The only hosts its HTTP client may reach; empty for none."""
    variables: tuple[Variable, ...] = ()
    """What an operator has to set, and may set, in the environment."""
    listed_only: bool = False
    """Setting its variables is not enough: the operator has to name it in PROVIDERS, having read why."""
    self_hosted: bool = False
    """Runs on the operator's own machines, so private addresses are allowed."""
    queue: str = "default"
    """The Celery queue its submits run on: "engine" for CPU work, "calls" for a call that holds its worker."""
    slots: int | None = None
    """How many calls the service takes at a time; ``None`` when that need not concern us."""
    credits: Mapping[str, int]
    """Price by quality."""
    typical_seconds: Mapping[str, float]
    formats: frozenset[str] = frozenset({"glb"})
    options: frozenset[str] = frozenset()
    """The names of ``JobOptions`` that it honours; a job that wishes for another is not sent to it."""
    views: frozenset[str] = frozenset({"front"})
    """The photos it takes of one object; a job that has others is not sent to it."""
    keeps: timedelta | None = timedelta(0)
    """How long the provider keeps what it got; ``None`` when it does not say."""
    trains_on_input: bool | None = False
    """Whether it learns from photos; ``None`` when it does not say."""
    can_erase: bool = True
    resubmit_safe: bool = False
    """Sending the same call again costs nothing more: own computing, or an honoured idempotency key."""
    licence: str = ""
    """The model's or service's terms that limit who may use it, in a sentence; empty for none."""
    barred: frozenset[str] = frozenset()
    """Regions (ISO 3166 codes, or "EU") whose operators those terms exclude."""
    evidence: str = ""
    """Where the statements above come from, and as of when."""


Progress = Callable[[int], None]
"""Hears how far a call is, 0 to 100, and that it goes on."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Brief:
    """What an attempt asks of its provider: nothing that the card does not name. It holds the photo: never printed."""

    images: Mapping[str, bytes]
    """The cut-out photos (PNG with alpha), by view, in the order of ``VIEWS``."""
    quality: str
    options: JobOptions = field(default_factory=JobOptions)
    """The card need not name the cut-out's: they were made already."""
    key: str
    """The same each time one job asks this provider."""
    hook: str = ""
    """An address that the service may call when it is done, or empty."""
    progress: Progress = field(default=lambda percent: None)
    """For a ``submit`` that delivers."""

    @property
    def triangles(self) -> int:
        """How many triangles the model should have: as wished, or else as the quality says."""
        return self.options.target_triangles or TRIANGLES_BY_QUALITY[self.quality]


@dataclass(frozen=True)
class Remote:
    """A call at a provider: its id there and whatever else ``poll``, ``fetch`` and ``erase`` need, as JSON."""

    id: str
    extra: dict[str, Any] = field(default_factory=dict)
    polls: int = 0
    """How often it was asked for already; kept by the pipeline, so that ``poll`` can back off."""


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
    SWEPT = "swept"
    """The service itself removes nothing; its operator's sweeper does, within the time on the card."""
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
    """Not now: no connection, a time-out, 429 or 503. ``wait`` seconds before trying again."""

    def __init__(self, wait: float = 5.0, *, throttled: bool = False) -> None:
        super().__init__()
        self.wait = wait
        self.throttled = throttled
        """The service is well, but has enough from us for now."""


class Declined(ProviderError):
    """Not this photo, or not these options; asking the same again is useless. ``code`` is one of ours."""

    def __init__(self, code: str = "provider_declined") -> None:
        super().__init__()
        self.code = code


class Misconfigured(ProviderError):
    """The key is refused, or the account has no money: for the operator to mend. No job is to blame."""


class Unclear(ProviderError):
    """The answer to a call that may cost money was lost or is nonsense: it may exist, and may be paid for."""


class Provider(Protocol):
    """One inference service. ``setup`` holds the values of the card's variables that are set."""

    card: ClassVar[Card]

    def __init__(self, http: httpx.Client, setup: Mapping[str, str]) -> None: ...

    def submit(self, brief: Brief) -> Remote | Delivered:
        """Start a call.

        Raises ``Unavailable``, ``Declined`` or ``Misconfigured``: no call exists at the provider, or, where the card
        is ``resubmit_safe``, asking again costs nothing. Any other error, ``Unclear`` among them, means that nobody
        knows.
        """
        ...

    def poll(self, remote: Remote) -> Pending | Finished | Failed:
        """How the call is doing. Raises ``Unavailable``, ``Misconfigured``."""
        ...

    def fetch(self, remote: Remote) -> Iterator[bytes]:
        """The GLB of a finished call, in chunks. Raises ``Unavailable``."""
        ...

    def erase(self, remote: Remote) -> Erasure:
        """Remove every copy; repeatable, and cancels a running call. Raises ``Unavailable``."""
        ...


class AnswersAtOnce:
    """What is the same in every provider whose ``submit`` delivers: there is never a call to ask about."""

    def poll(self, remote: Remote) -> Pending | Finished | Failed:
        """Never asked."""
        return Failed("provider_lost")

    def fetch(self, remote: Remote) -> Iterator[bytes]:
        """Never asked."""
        return iter(())


class Forged(Exception):
    """A webhook that did not come from the service, or not now."""


@runtime_checkable
class Hooked(Protocol):
    """A provider whose service can call us when a call is done. That is only ever a reason to poll."""

    def heard(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> str:
        """The id of the call that a verified webhook is about (headers in lower case). Raises ``Forged``."""
        ...


@runtime_checkable
class Fitted(Protocol):
    """A provider of which the operator's own set-up decides what it can do: a workflow with marked inputs, say."""

    def fitted(self, card: Card) -> Card:
        """The card, with what is so here."""
        ...


def backed_off(polls: int, *, first: float, factor: float = 1.5, longest: float) -> float:
    """Seconds to wait after so many polls: ``first``, then ``factor`` times as long each time, ``longest`` at most."""
    return min(longest, first * factor ** min(polls, 64))
