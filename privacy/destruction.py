"""When a blob counts as destroyed: its key is dropped, its object is deleted, and both were asked for again in vain."""

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from observe import meters
from privacy import keystore
from privacy.errors import Gone, Unavailable, VersionsKept
from privacy.models import Blob
from privacy.retention import KEY_MARGIN
from privacy.stores import store


def destroy(blob_id: UUID) -> Blob:
    """Drop the key, delete the object, ask again whether both are gone, and record what was observed.

    Repeatable. The row is closed only when absence is confirmed; while a store is down the blob is unreadable, its row
    stays open (state ``destroying``), and the sweep comes back. Raises ``Gone`` for an id that never was.
    """
    # From here on nobody reads it, and a writer that is still at work cannot finish it.
    Blob.objects.filter(pk=blob_id, state__in=[Blob.State.WRITING, Blob.State.SEALED]).update(
        state=Blob.State.DESTROYING
    )
    blob = Blob.objects.filter(pk=blob_id).first()
    if blob is None:
        raise Gone("No such blob.")
    if blob.state == Blob.State.DESTROYED:
        return blob
    key, gone = _drop_key(blob.id), _delete_object(blob)
    now = timezone.now()
    blob.observation = {"key": key, "object": gone, "at": now.isoformat(timespec="seconds")}
    # A key store that is lost for good must not keep the row open for ever: the key has timed out by then.
    if gone == "absent" and (key == "absent" or _timed_out(blob, now)):
        blob.state, blob.destroyed_at = Blob.State.DESTROYED, now
    # Conditional: of two at once, the first observation stands.
    closed = Blob.objects.filter(pk=blob.pk, state=Blob.State.DESTROYING).update(
        state=blob.state, destroyed_at=blob.destroyed_at, observation=blob.observation
    )
    if closed and blob.state == Blob.State.DESTROYED:
        meters.DESTROYED.count(kind=blob.kind)
    if not closed:
        blob.refresh_from_db()
    return blob


def _drop_key(blob_id: UUID) -> str:
    try:
        keystore.drop(blob_id)
        return "present" if keystore.exists(blob_id) else "absent"
    except Unavailable:
        return "unknown"


def _delete_object(blob: Blob) -> str:
    # Only a committed write has a size; what it was written as, or in, is gone with its end.
    committed = blob.sealed_size > 0
    try:
        store().delete(blob.object_name, committed=committed)
        return "present" if store().exists(blob.object_name, committed=committed) else "absent"
    except VersionsKept:
        return "versions kept"
    except Unavailable:
        return "unknown"


def _timed_out(blob: Blob, now: datetime) -> bool:
    return now > blob.expires_at + KEY_MARGIN


def discard(blob_id: UUID) -> None:
    """Destroy a blob that nobody will account for, and delete its row; if a store is down, the sweep closes the row."""
    with suppress(Gone):
        if destroy(blob_id).state == Blob.State.DESTROYED:
            Blob.objects.filter(pk=blob_id).delete()
