"""The ledger page by page: what each night looked at, digested and signed, so that no later night looks at it again.

A page is ``{"page": {format, after, upto, transactions, credits, since, digest, before, time, key_id}, "signature":
{…}}``. It is of the transactions with numbers above ``after`` up to ``upto`` and of their entries: how many, of how
many credits, the oldest of when, and the SHA-256 of them all. ``before`` is the digest of the page before, so that none
can be taken out. Signed is ``CONTEXT`` followed by the canonical JSON of ``page``.

Only what is sound gets a page (``billing/books.py``). ``broken`` reads everything again: rows that were changed by hand
after their night are then not what was signed, even where they add up.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db.models import Max
from django.utils import timezone

from billing.models import Entry, JournalPage, Transaction
from privacy import signing
from privacy.retention import longest

FORMAT: Final = "modelmyimage-journal/1"
CONTEXT: Final = b"modelmyimage-journal/1\n"
SETTLED: Final = timedelta(hours=1)
"""Transactions are numbered before they are committed: of what is older than this, none is under way any more."""
MOST: Final = 100_000
"""Transactions on a page; more of them are more pages."""
AT_ONCE: Final = 2000

FIELDS: Final = ("id", "key", "kind", "user", "credits", "job", "reason", "settles", "reverses", "created_at")


def upto() -> int:
    """The last transaction that is on a page; 0 before the first."""
    last = JournalPage.objects.order_by("-upto").first()
    return last.upto if last else 0


def unsigned() -> Iterator[str]:
    """What is wrong with the last page itself, one line each."""
    last = JournalPage.objects.order_by("-upto").first()
    if last and not ours(last):
        yield f"page {last.pk} of the journal: it is not as we signed it"


def close(now: datetime) -> int:
    """Put what is settled and on no page on pages; how many."""
    # There are few younger ones to go past.
    settled = Transaction.objects.filter(created_at__lt=now - SETTLED).order_by("-pk").values_list("pk", flat=True)
    end, pages, after = settled.first() or 0, 0, upto()
    while after < end:
        some = Transaction.objects.filter(pk__gt=after, pk__lte=end).order_by("pk").values("pk")[:MOST]
        last = some.aggregate(last=Max("pk"))["last"]
        _sign(after, last, now)
        after, pages = max(last, upto()), pages + 1
    return pages


def broken() -> Iterator[str]:
    """Every page that is not as we signed it, does not follow on the one before, or whose rows were changed since."""
    before, after, kept = "", 0, timezone.now() - longest("books")
    for page in JournalPage.objects.order_by("upto").iterator():
        if not ours(page):
            yield f"page {page.pk} of the journal: it is not as we signed it"
        elif (page.document["page"]["before"], page.after) != (before, after):
            yield f"page {page.pk} of the journal: it does not follow on the page before it"
        # Books of erased accounts end after their period, so that older rows need not be there any more.
        elif datetime.fromisoformat(page.document["page"]["since"]) > kept:
            found = _read(page.after, page.upto)
            if page.document["page"] | found != page.document["page"]:
                yield f"page {page.pk} of the journal: transactions {after + 1} to {page.upto} are not what was signed"
        before, after = signing.digest(page.document), page.upto


def ours(page: JournalPage) -> bool:
    """Whether the page is as we signed it."""
    try:
        body, signature = page.document["page"], signing.signature_of(page.document["signature"])
        key = signing.verifying_keys().get(signature["key_id"])
        message = CONTEXT + signing.canonical(body)
        # By the signature first: what nobody signed may have any form.
        if key is None or not signing.holds(key, signature["value"], message):
            return False
        return key.signed_at(body["time"]) and (page.after, page.upto) == (body["after"], body["upto"])
    except (KeyError, TypeError, signing.Malformed):
        return False


def _sign(after: int, last: int, now: datetime) -> None:
    before = JournalPage.objects.filter(upto=after).first()
    body = {
        "format": FORMAT,
        "after": after,
        "upto": last,
        **_read(after, last),
        "before": signing.digest(before.document) if before else "",
        "time": now.isoformat(timespec="seconds"),
        "key_id": signing.active_key(),
    }
    document = {"page": body, "signature": signing.sign(CONTEXT + signing.canonical(body))}
    # Two rounds at once go on from the same page: the first one's counts.
    JournalPage.objects.bulk_create([JournalPage(after=after, upto=last, document=document)], ignore_conflicts=True)


def _read(after: int, last: int) -> dict[str, Any]:
    """What a page says of its rows."""
    told = Transaction.objects.filter(pk__gt=after, pk__lte=last).order_by("pk")
    lines = Entry.objects.filter(transaction__gt=after, transaction__lte=last).order_by("transaction", "account")
    digest, count, moved, since = hashlib.sha256(), 0, 0, ""
    for row in told.values_list(*FIELDS).iterator(AT_ONCE):
        *rest, at = row
        at = at.astimezone(UTC).isoformat(timespec="microseconds")
        digest.update(json.dumps([*rest, at], default=str).encode())
        count, moved, since = count + 1, moved + row[4], min(since or at, at)
    for line in lines.values_list("transaction", "account", "amount").iterator(AT_ONCE):
        digest.update(json.dumps(line).encode())
    return {"transactions": count, "credits": moved, "since": since, "digest": digest.hexdigest()}
