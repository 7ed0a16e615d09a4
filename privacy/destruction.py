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


def destroy(of: UUID | Blob, *, adopted_by: UUID | None = None) -> Blob:
    """Drop the key, delete the object, ask again whether both are gone, and record what was observed.

    Repeatable. The row is closed only when absence is confirmed; while a store is down the blob is unreadable, its row
    stays open (state ``destroying``), and the sweep comes back. A blob may be named by its id, or by its row as it was
    read, which spares reading it. ``adopted_by``: a sealed blob becomes that group's as it goes.
    Raises ``Gone`` for an id that never was, and for one that cannot be adopted any more.
    """
    blob_id = of.pk if isinstance(of, Blob) else of
    # From here on nobody reads it, and a writer that is still at work cannot finish it.
    begun = _begin(blob_id, adopted_by)
    if begun and isinstance(of, Blob) and of.state == Blob.State.SEALED:
        blob: Blob | None = of  # what was sealed changes no more but by being destroyed
        of.state = Blob.State.DESTROYING
    else:
        blob = next(iter(Blob.objects.filter(pk=blob_id)), None)
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


def _begin(blob_id: UUID, adopted_by: UUID | None) -> bool:
    """Say that it is being destroyed; whether that was news. Raises ``Gone``."""
    if adopted_by is None:
        mine = Blob.objects.filter(pk=blob_id, state__in=[Blob.State.WRITING, Blob.State.SEALED])
        return bool(mine.update(state=Blob.State.DESTROYING))
    mine = Blob.objects.filter(pk=blob_id, state=Blob.State.SEALED)
    if not mine.update(state=Blob.State.DESTROYING, group=adopted_by):
        raise Gone("The blob is not there any more.")
    return True


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
