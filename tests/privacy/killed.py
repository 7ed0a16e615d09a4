"""A process that is killed while it seals a blob; and one that comes after it and tells what it finds.

``python -m tests.privacy.killed PLACE`` seals 12 MB and stops for ever at PLACE after printing the blob's id; the test
kills it there. ``python -m tests.privacy.killed after ID`` prints as JSON what is left before and after the sweep.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

MEGABYTE = 1_000_000


def stop_here(writer: Any) -> None:
    """Say which blob it is, and wait to be killed."""
    print(writer.blob.id, flush=True)
    time.sleep(600)


def seal(place: str) -> None:
    """Seal a blob, stopping at ``begun``, ``middle``, ``uncommitted`` or ``unrecorded``."""
    from privacy import vault

    writer = vault.write(kind="source", group=uuid4(), limit=12 * MEGABYTE)
    if place == "begun":
        stop_here(writer)
    for _ in range(6):
        writer.write(os.urandom(MEGABYTE))
    if place == "middle":
        stop_here(writer)
    for _ in range(6):
        writer.write(os.urandom(MEGABYTE))
    commit: Callable[[], None] = writer._target.commit

    def last_step() -> None:
        if place == "unrecorded":
            commit()
        stop_here(writer)

    writer._target.commit = last_step  # type: ignore[method-assign]  # the two places between store and row
    writer.commit()


def after(blob_id: UUID) -> dict[str, Any]:
    """What is left of the blob, then ten minutes later, when the sweep has come by."""
    from django.utils import timezone

    from privacy import keystore, vault
    from privacy.audit import audit
    from privacy.models import Blob
    from privacy.stores import store
    from privacy.tasks import sweep

    found: dict[str, Any] = {"state": Blob.objects.get().state, "readable": vault.readable(blob_id)}
    try:
        vault.read(blob_id)
        found["read"] = "plaintext"
    except vault.VaultError as error:
        found["read"] = type(error).__name__
    found["early"] = sweep()
    Blob.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    found["swept"] = sweep()
    found["after"] = Blob.objects.get().state
    found["left"] = [*store().names(), *map(str, keystore.ids()), *map(str, audit())]
    return found


if __name__ == "__main__":
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", "privacy", verbosity=0)
    if sys.argv[1] == "after":
        print(json.dumps(after(UUID(sys.argv[2]))))
    else:
        seal(sys.argv[1])
