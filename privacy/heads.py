"""Signed heads of the log: what we say, in public and for ever, that the log was at a moment.

A head is ``{"head": {format, origin, size, root, time, key_id}, "signature": {…}}``. Signed is ``CONTEXT`` followed by
the canonical JSON of ``head``: the same keys sign receipts, and neither signature can be taken for the other. All heads
are kept. A head is signed only if the log goes on from the head before it.
"""

import re
from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from privacy import log, signing
from privacy.models import LogHead
from privacy.signing import Check, Malformed

FORMAT = "modelmyimage-log-head/1"
CONTEXT = b"modelmyimage-log-head/1\n"
AT_LEAST_EACH = timedelta(days=1)
"""A head is signed this often even if nothing was added, so that silence is seen."""
HEX = re.compile(r"[0-9a-f]{64}")

_PARTS = {"format": str, "origin": str, "size": int, "root": str, "time": str, "key_id": str}


class Forked(Exception):
    """The log is not what a head says that it was: rows were lost, or a backup was restored."""


def latest() -> LogHead | None:
    """The last head."""
    return LogHead.objects.order_by("-pk").first()


def covering(index: int) -> LogHead | None:
    """The first head that has the leaf with this index."""
    return LogHead.objects.filter(size__gt=index).order_by("size", "pk").first()


def publish(*, now: datetime | None = None, if_grown: bool = False) -> LogHead | None:
    """Sign a head of the log as it is; the head, or ``None`` where it has not grown and that was the condition.

    Raises ``Forked`` rather than sign what contradicts the head before.
    """
    with transaction.atomic():
        log.lock()
        size, before = log.size(), latest()
        if before is not None:
            if not goes_on(before.document["head"]):
                raise Forked(f"The log is not the one that head {before.pk}, of {before.size} leaves, is of.")
            if if_grown and size == before.size:
                return None
        now = now or timezone.now()
        if before is not None:
            # A clock that was set back must not make it look as if the log had become shorter.
            now = max(now, before.signed_at)
        body = {
            "format": FORMAT,
            "origin": settings.LOG_ORIGIN,
            "size": size,
            "root": log.root(size).hex(),
            "time": now.isoformat(timespec="seconds"),
            "key_id": signing.active_key(),
        }
        document = {"head": body, "signature": signing.sign(CONTEXT + signing.canonical(body))}
        return LogHead.objects.create(size=size, signed_at=now, key_id=body["key_id"], document=document)


def publish_due(now: datetime) -> LogHead | None:
    """Sign a head if it is time: the log grew and the last head is old enough, or that one is a day old."""
    before = latest()
    if before is None:
        return publish(now=now)
    age = now - before.signed_at
    if age >= AT_LEAST_EACH:
        return publish(now=now)
    if age >= timedelta(minutes=settings.LOG_HEAD_MINUTES):
        return publish(now=now, if_grown=True)
    return None


def goes_on(head: dict[str, Any]) -> bool:
    """Whether the log as it is begins with the tree that the head is of."""
    size, root = int(head["size"]), str(head["root"])
    return size <= log.size() and log.root(size).hex() == root


def parse(value: Any) -> dict[str, Any]:
    """The value, if it has the form of a signed head, whoever signed it. Raises ``Malformed``."""
    if not isinstance(value, dict) or set(value) != {"head", "signature"}:
        raise Malformed(_("It is not a signed head of a log."))
    body, signature = value["head"], signing.signature_of(value["signature"])
    if not isinstance(body, dict) or set(body) != set(_PARTS) or body["format"] != FORMAT:
        raise Malformed(_("It is not a signed head of a log."))
    if any(type(body[name]) is not kind for name, kind in _PARTS.items()) or not HEX.fullmatch(body["root"]):
        raise Malformed(_("It is not a signed head of a log."))
    if not 0 <= body["size"] < 2**53 or body["key_id"] != signature["key_id"]:
        raise Malformed(_("It is not a signed head of a log."))
    return cast("dict[str, Any]", value)


def check(document: Any) -> Check:
    """Whether the document is a head that we signed, unchanged; by which name the log went then does not matter."""
    try:
        parsed = parse(document)
        message = CONTEXT + signing.canonical(parsed["head"])
    except Malformed as error:
        return Check("head", False, str(error))
    body, signature = parsed["head"], parsed["signature"]
    key = signing.verifying_keys().get(signature["key_id"])
    if key is None:
        return Check("head", False, _("The log’s head names a key that is not ours."))
    if not signing.holds(key, signature["value"], message):
        return Check("head", False, _("The log’s head has changed since it was signed, or we did not sign it."))
    if not key.signed_at(body["time"]):
        return Check("head", False, _("The log’s head says it was signed after its key was retired."))
    detail = _("We signed the log’s head, at entry %(size)d, and nothing in it has changed.") % {"size": body["size"]}
    return Check("head", True, detail)
