"""Whether rows, keys and objects agree, asked from both sides; and whether anything is kept longer than allowed.

What may not be older than a period of ``privacy/retention.py`` is asked of every app's ``subject_data.OLDER``.

Objects and keys are listed before the rows, and every suspicion is looked at once more, so that blobs coming and going
meanwhile are no differences.
"""

from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from privacy import datamap, keystore
from privacy.errors import Unavailable
from privacy.models import Blob
from privacy.retention import KEY_MARGIN, LONGEST_WRITE, PERIODS, SWEEP_GRACE, longest
from privacy.stores import store

NAMED = 100
"""So many rows that are too old are named of each period; the others are counted."""


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it should be.

    ``kind``: ``overdue`` (past its retention), ``interrupted`` (a write that nobody ended), ``object_missing`` and
    ``key_missing`` (a sealed row without them), ``object_orphaned`` and ``key_orphaned`` (no open row has them),
    ``key_outlives`` (it would not die by itself in time), ``too_old`` (past a period), ``unreachable`` (could not be
    asked). ``subject`` is a blob's id, an object's name, or a period with a table and a row's key.
    """

    kind: str
    subject: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.subject}"


def audit() -> list[Difference]:
    """All differences; empty when what is stored is what the rows say."""
    names, keys, found = _listed()
    now = timezone.now()
    rows = list(Blob.objects.open())
    for blob in rows:
        if blob.expires_at < now - SWEEP_GRACE:
            found.append(Difference("overdue", str(blob.pk)))
        elif blob.state == Blob.State.WRITING and blob.created_at < now - LONGEST_WRITE - SWEEP_GRACE:
            found.append(Difference("interrupted", str(blob.pk)))
        if blob.state == Blob.State.SEALED:
            if names is not None and blob.object_name not in names and _object_missing(blob.pk):
                found.append(Difference("object_missing", str(blob.pk)))
            if keys is not None and blob.pk not in keys and _key_missing(blob.pk):
                found.append(Difference("key_missing", str(blob.pk)))
    found += _outliving(rows, keys or set())
    for name in sorted((names or set()) - {blob.object_name for blob in rows}):
        if not Blob.objects.open().filter(object_name=name).exists() and store().exists(name):
            found.append(Difference("object_orphaned", name))
    for key in sorted((keys or set()) - {blob.pk for blob in rows}):
        if not Blob.objects.open().filter(pk=key).exists() and keystore.exists(key):
            found.append(Difference("key_orphaned", str(key)))
    return found


def too_old() -> list[Difference]:
    """Everything that is older than its period allows, of each period that something enforces."""
    now = timezone.now()
    found = []
    for name, older in datamap.older().items():
        period = PERIODS[name]
        rows = older(now - longest(name) - period.grace)
        label = rows.model._meta.label
        for key in rows.order_by("pk").values_list("pk", flat=True)[:NAMED]:
            found.append(Difference("too_old", f"{name}: {label} {_named(label, key)}"))
        more = rows.count() - NAMED
        if more > 0:
            found.append(Difference("too_old", f"{name}: {label}, {more} more"))
    return found


def _named(label: str, key: object) -> str:
    """A row's key, unless it is a secret: a session's lets in whoever has it."""
    holding = next(holding for holding in datamap.held() if holding.model == label)
    return str(key) if holding.table._meta.pk.name in holding.exported() else "(its key is a secret)"


def _outliving(rows: list[Blob], keys: set[UUID]) -> list[Difference]:
    """Keys that would still be there when their blob's time, and their own after it, are over."""
    kept = [blob for blob in rows if blob.pk in keys and blob.expires_at >= timezone.now() - SWEEP_GRACE]
    ends = {blob.pk: blob.expires_at + KEY_MARGIN + SWEEP_GRACE for blob in kept}
    try:
        lives = list(keystore.lives(ends))
    except Unavailable:
        return [Difference("unreachable", "key store")]
    now = timezone.now()
    return [Difference("key_outlives", str(one)) for one, left in lives if left is None or now + left > ends[one]]


def _listed() -> tuple[set[str] | None, set[UUID] | None, list[Difference]]:
    names: set[str] | None = None
    keys: set[UUID] | None = None
    found = []
    try:
        names = set(store().names())
    except Unavailable:
        found.append(Difference("unreachable", "store"))
    try:
        keys = set(keystore.ids())
    except Unavailable:
        found.append(Difference("unreachable", "key store"))
    return names, keys, found


def _object_missing(blob_id: UUID) -> bool:
    """Whether the blob is still sealed by now and its object still missing; it may have been born after the listing."""
    blob = Blob.objects.filter(pk=blob_id, state=Blob.State.SEALED).first()
    return blob is not None and not store().exists(blob.object_name)


def _key_missing(blob_id: UUID) -> bool:
    sealed = Blob.objects.filter(pk=blob_id, state=Blob.State.SEALED)
    return not keystore.exists(blob_id) and sealed.exists()
