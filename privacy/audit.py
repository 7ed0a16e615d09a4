"""Whether rows, keys and objects agree, asked from both sides; and whether anything is kept longer than allowed.

Objects and keys are listed before the rows, and every suspicion is looked at once more, so that blobs coming and going
meanwhile are no differences.
"""

from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from privacy import keystore
from privacy.errors import Unavailable
from privacy.models import Blob
from privacy.retention import LONGEST_WRITE, SWEEP_GRACE
from privacy.stores import store


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it should be.

    ``kind``: ``overdue`` (past its retention), ``interrupted`` (a write that nobody ended), ``object_missing`` and
    ``key_missing`` (a sealed row without them), ``object_orphaned`` and ``key_orphaned`` (no open row has them),
    ``unreachable`` (could not be asked). ``subject`` is a blob's id or an object's name.
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
    for name in sorted((names or set()) - {blob.object_name for blob in rows}):
        if not Blob.objects.open().filter(object_name=name).exists() and store().exists(name):
            found.append(Difference("object_orphaned", name))
    for key in sorted((keys or set()) - {blob.pk for blob in rows}):
        if not Blob.objects.open().filter(pk=key).exists() and keystore.exists(key):
            found.append(Difference("key_orphaned", str(key)))
    return found


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
