"""What the site's answers look like here: dataclasses. Members that this version does not know are left out."""

from __future__ import annotations

import json
import types
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypedDict, TypeVar, Union, get_args, get_origin, get_type_hints

from modelmyimage.errors import Unreadable
from modelmyimage.files import replacing

T = TypeVar("T")


class Wishes(TypedDict, total=False):
    """What you may wish for; the site's page ``/api`` says more of each. What is left out is as usual there."""

    quality: Literal["draft", "standard", "high"]
    keep_minutes: Literal[10, 60, 1440]
    provider: str
    max_credits: int
    keep_all: bool
    back: Literal["invented", "mirrored"]
    flatten_light: bool
    normal_map: bool
    print_size_mm: int
    texture: bool
    target_triangles: int
    self_hosted: bool
    no_retention: bool
    no_training: bool


@dataclass(frozen=True)
class Said:
    """A code for programs and a sentence for people."""

    code: str
    message: str


@dataclass(frozen=True)
class Credits:
    """What a job reserved and what it cost."""

    held: int
    charged: int


@dataclass(frozen=True)
class Asset:
    """The model that waits to be fetched; its size in metres."""

    url: str
    format: str
    bytes: int
    triangles: int | None = None
    size: list[float | None] = field(default_factory=list)
    watertight: bool | None = None


@dataclass(frozen=True)
class Job:
    """A job, as the site saw it when it answered."""

    id: str
    state: str
    """``running``; ``ready``: the model waits; and how it ended: ``done``, ``failed``, ``cancelled``, ``expired``."""
    over: bool
    """Everything is destroyed, and the receipt is there."""
    created_at: datetime
    stage: str = ""
    percent: int = 0
    direct: bool = False
    quality: str = ""
    provider: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    waiting: Said | None = None
    queue_position: int | None = None
    failure: Said | None = None
    warnings: list[Said] = field(default_factory=list)
    credits: Credits = field(default_factory=lambda: Credits(0, 0))
    asset: Asset | None = None
    ready_at: datetime | None = None
    expires_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True)
class JobPage:
    """Some jobs, newest first, and where the next ones are."""

    jobs: list[Job]
    next: str | None = None


@dataclass(frozen=True)
class Provider:
    """Who could receive a photo of yours now, and on what terms."""

    name: str
    label: str
    place: str = ""
    region: str = ""
    self_hosted: bool = False
    keeps_seconds: float | None = None
    trains_on_input: bool | None = None
    credits: dict[str, int] = field(default_factory=dict)
    typical_seconds: dict[str, float] = field(default_factory=dict)
    options: list[str] = field(default_factory=list)
    views: list[str] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    state: str = ""
    excluded: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ProviderPage:
    """All providers, the best first."""

    providers: list[Provider]


@dataclass(frozen=True)
class Balance:
    """The account's credits."""

    available: int
    held: int
    owed: int = 0
    spent_this_month: int = 0
    monthly_limit: int | None = None


@dataclass(frozen=True)
class Line:
    """A line of the ledger."""

    id: int
    at: datetime
    what: str
    credits: int
    moved: int
    balance: int
    job: str | None = None
    ended_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True)
class LinePage:
    """Some lines, newest first, and where the next ones are."""

    lines: list[Line]
    next: str | None = None


@dataclass(frozen=True)
class AccessKey:
    """A key of the account, without its secret; ``current`` is the one that asks."""

    id: str
    name: str
    ends_with: str
    created_at: datetime
    scopes: list[str] = field(default_factory=list)
    state: str = ""
    """``on``, ``off`` or ``expired``."""
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    calls: int = 0
    current: bool = False


@dataclass(frozen=True)
class KeyPage:
    """All keys, newest first."""

    keys: list[AccessKey]


@dataclass(frozen=True)
class CallsUsed:
    """Requests by working keys; times are upper bounds, in milliseconds."""

    calls: int
    client_errors: int = 0
    server_errors: int = 0
    error_rate: float | None = None
    bytes_in: int = 0
    bytes_out: int = 0
    median_ms: int | None = None
    p95_ms: int | None = None


@dataclass(frozen=True)
class JobsUsed:
    """Jobs that were sent, by a program or on the pages, and what they cost."""

    jobs: int
    done: int = 0
    failed: int = 0
    credits: int = 0
    model_bytes: int = 0


@dataclass(frozen=True)
class UsageRow:
    """A day, key, endpoint or provider; ``name`` for programs, ``label`` for people."""

    name: str
    label: str
    calls: CallsUsed | None = None
    jobs: JobsUsed | None = None


@dataclass(frozen=True)
class UsageTotal:
    """Everything in that time."""

    calls: CallsUsed
    jobs: JobsUsed


@dataclass(frozen=True)
class Usage:
    """How much was used from a moment to another."""

    begin: datetime = field(metadata={"name": "from"})
    until: datetime
    by: str
    total: UsageTotal
    rows: list[UsageRow]


@dataclass(frozen=True)
class Receipt:
    """A signed receipt: what was destroyed, as the site observed it. ``document`` is all of it."""

    document: dict[str, Any]

    @property
    def in_log(self) -> bool:
        """Whether it holds the proof that the public log has it; that comes some minutes after the job's end."""
        return "head" in self.document.get("log", {})

    def save(self, to: str | Path) -> Path:
        """Write it into a file that ``mmi verify`` checks."""
        with replacing(Path(to)) as file:
            file.write(json.dumps(self.document, ensure_ascii=False, indent=2).encode() + b"\n")
        return Path(to)


def parse(kind: type[T], body: bytes | str) -> T:
    """The JSON of an answer as one of the above. Raises ``Unreadable``."""
    try:
        found: T = _made(kind, json.loads(body))
    except (ValueError, TypeError, KeyError) as error:
        raise Unreadable(f"The site’s answer is not what this version knows ({type(error).__name__}).") from None
    return found


def _made(kind: Any, value: Any) -> Any:
    if kind is Any:
        return value
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return None if value is None else _made(next(each for each in inner if each is not type(None)), value)
    if origin is list:
        return [_made(inner[0], each) for each in _is(list, value)]
    if origin is dict:
        return {str(name): _made(inner[1], each) for name, each in _is(dict, value).items()}
    if is_dataclass(kind):
        return _record(kind, _is(dict, value))
    if kind is datetime:
        return datetime.fromisoformat(_is(str, value).replace("Z", "+00:00"))
    if kind is float:
        return float(_is((int, float), value))
    return _is(kind, value)


def _record(kind: Any, value: dict[str, Any]) -> Any:
    known = {}
    for each in fields(kind):
        name = each.metadata.get("name", each.name)
        if name in value:
            known[each.name] = _made(_hints(kind)[each.name], value[name])
        elif each.default is MISSING and each.default_factory is MISSING:
            raise KeyError(each.name)
    return kind(**known)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _is(kind: Any, value: Any) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError
    return value
