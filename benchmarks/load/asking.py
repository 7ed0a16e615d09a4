"""How many requests a job makes to the store, by what they ask.

The S3 server's log tells of most; of listings of unfinished uploads it says nothing, so those are counted at our client
as a blob is sealed and destroyed here, and added for each object that a job had.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from benchmarks.load import course, sites
from benchmarks.load.crowd import Crowd

LOGGED: Final[Mapping[str, str]] = {
    "serve s3: CREATE OBJECT": "PUT",
    "serve s3: GET OBJECT": "GET",
    "serve s3: HEAD OBJECT": "HEAD",
    "serve s3: DELETE": "DELETE",
}


def requests(site: sites.NativeSite, crowd: Crowd, jobs: int = 8) -> dict[str, float]:
    """Requests for a job, by method; listings of uploads are ``LIST``."""
    log = site.tell_of_requests()
    before = len(log.read_bytes())
    sent = crowd.send(1, jobs)
    course.await_end([one.job for one in sent])
    found: Counter[str] = Counter()
    for line in log.read_bytes()[before:].decode(errors="replace").splitlines():
        found.update(name for mark, name in LOGGED.items() if mark in line)
    found["LIST"] = found["PUT"] * _listings()
    return {name: count / jobs for name, count in found.items()}


def _listings() -> int:
    """How often uploads are listed in the life of one blob."""
    from privacy import vault
    from privacy.stores import store
    from privacy.stores.s3 import S3Store

    place, listed = store(), []
    assert isinstance(place, S3Store)

    def heard(**_: Any) -> None:
        listed.append(1)

    place.client.meta.events.register("before-send.s3.ListMultipartUploads", heard)
    blob = vault.seal([bytes(1000)], kind="source", group=uuid4(), keep=timedelta(minutes=1), limit=1000)
    vault.discard(blob.pk)
    place.client.meta.events.unregister("before-send.s3.ListMultipartUploads", heard)
    return len(listed)
