"""When a blob counts as destroyed: its key is dropped, its object is deleted, and both were asked for again in vain."""

from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from observe import meters
from privacy import keystore, returning
from privacy.errors import Gone, Unavailable, VersionsKept
from privacy.models import Blob
from privacy.retention import KEY_MARGIN
from privacy.stores import store

Known = UUID | Blob
"""A blob by its id, or by its row as it was read, which spares reading it."""


def destroy(of: Known, *, adopted_by: UUID | None = None) -> Blob:
    """Drop the key, delete the object, ask again whether both are gone, and record what was observed.

    Repeatable. The row is closed only when absence is confirmed; while a store is down the blob is unreadable, its row
    stays open (state ``destroying``), and the sweep comes back. ``adopted_by``: a sealed blob becomes that group's.
    Raises ``Gone`` for an id that never was, and for one that cannot be adopted any more.
    """
    # From here on nobody reads it, and a writer that is still at work cannot finish it.
    blob = _begun(of, adopted_by) or next(iter(Blob.objects.filter(pk=_id(of))), None)
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


def _begun(of: Known, adopted_by: UUID | None) -> Blob | None:
    """The blob, of which its row says from now on that it is being destroyed; ``None``: it said so before, or is gone.

    Raises ``Gone``.
    """
    changes: dict[str, Any] = {"state": Blob.State.DESTROYING}
    states = [Blob.State.SEALED]
    if adopted_by is None:
        states.append(Blob.State.WRITING)
    else:
        changes["group"] = adopted_by
    mine = Blob.objects.filter(pk=_id(of), state__in=states)
    blob = None
    if isinstance(of, Blob) and of.state == Blob.State.SEALED:
        if mine.update(**changes):
            blob = of  # what was sealed changes no more but by being destroyed
            blob.state, blob.group = Blob.State.DESTROYING, adopted_by or blob.group
    else:
        blob = next(iter(returning.updated(mine, **changes)), None)
    if blob is None and adopted_by is not None:
        raise Gone("The blob is not there any more.")
    return blob


def _id(of: Known) -> UUID:
    return of.pk if isinstance(of, Blob) else of


def _drop_key(blob_id: UUID) -> str:
    try:
        return "present" if keystore.drop(blob_id) else "absent"
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


def discard(of: Known) -> None:
    """Destroy a blob that nobody will account for, and delete its row; if a store is down, the sweep closes the row."""
    with suppress(Gone):
        if destroy(of).state == Blob.State.DESTROYED:
            Blob.objects.filter(pk=_id(of)).delete()
