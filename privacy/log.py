"""The transparency log: every receipt once, in the order in which they came, and none taken out again.

An entry is a salted leaf (``leaf``): whoever has the receipt and its salt can find it, and nobody else learns
anything from it. The log cannot be erased, so it holds nothing that would ever have to be. The rows of complete
subtrees are stored (``merkle``) and never change, so that appending, a root and a proof each read as many rows as the
tree is high.

Receipts without a place in the log are the list of what is still to be appended: ``append_waiting`` takes them in one
transaction, which either happened or did not, and is serialised by ``lock``.
"""

import secrets
from collections.abc import Iterable, Sequence

from django.db import connection, transaction

from privacy import merkle, signing
from privacy.models import LogNode, Receipt

LOCK = 0x6D6D696C6F67
"""Names the log among Postgres's advisory locks: "mmilog"."""
BATCH = 500


class NotThere(Exception):
    """The log has no such leaf, or no tree of that size yet."""


def leaf(*, digest: str, salt: bytes) -> bytes:
    """The hash of an entry: a receipt by its digest, under the salt that is given to its holder alone."""
    return merkle.leaf_hash(signing.canonical({"receipt": digest, "salt": salt.hex()}))


def lock() -> None:
    """Until the transaction ends, nobody else appends or signs. SQLite's writers wait for one another anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def size() -> int:
    """How many leaves there are."""
    last = LogNode.objects.order_by("-pk").values_list("pk", flat=True).first()
    return 0 if last is None else last // 2 + 1


def root(leaves: int) -> bytes:
    """The root of the tree of that many leaves. Raises ``NotThere``."""
    return _hashes([(0, leaves)])[0]


def append(leaves: Sequence[bytes]) -> int:
    """Append leaf hashes; the index of the first. For use in a transaction, after ``lock``."""
    start = size()
    new = merkle.grow(start, _stored(merkle.cover((0, start))), leaves)
    LogNode.objects.bulk_create((LogNode(pk=number, hash=found) for number, found in new), batch_size=400)
    return start


def append_waiting(*, most: int = BATCH) -> int:
    """Append receipts that are not in the log yet, oldest first; how many."""
    if not Receipt.objects.unlogged().exists():
        return 0
    with transaction.atomic():
        lock()
        return _append_waiting(most)


def _append_waiting(most: int) -> int:
    waiting = list(Receipt.objects.unlogged().order_by("issued_at", "pk")[:most])
    for receipt in waiting:
        receipt.log_salt = secrets.token_bytes(32)
    start = append([leaf(digest=signing.digest(each.document), salt=bytes(each.log_salt or b"")) for each in waiting])
    for index, receipt in enumerate(waiting, start=start):
        receipt.log_index = index
    Receipt.objects.bulk_update(waiting, ["log_salt", "log_index"], batch_size=100)
    return len(waiting)


def index_of(leaf_hash: bytes) -> int:
    """Where a leaf is. Raises ``NotThere``."""
    for number in LogNode.objects.filter(hash=leaf_hash).values_list("pk", flat=True)[:2]:
        if number % 2 == 0:
            return number // 2
    raise NotThere("The log has no such leaf.")


def inclusion(index: int, leaves: int) -> list[bytes]:
    """The path from a leaf to the root of the tree of that many leaves. Raises ``NotThere``."""
    if not 0 <= index < leaves:
        raise NotThere("The leaf is not in a tree of that size.")
    return _hashes(merkle.inclusion_ranges(index, leaves))


def consistency(first: int, second: int) -> list[bytes]:
    """The path that shows that the first tree is the beginning of the second. Raises ``NotThere``."""
    if second > size():
        raise NotThere("The log is not that long yet.")
    return _hashes(merkle.consistency_ranges(first, second))


def _hashes(ranges: Sequence[merkle.Range]) -> list[bytes]:
    """The hash of each range, in one query."""
    stored = _stored([number for each in ranges for number in merkle.cover(each)])
    return [merkle.hash_of(each, stored) for each in ranges]


def _stored(numbers: Iterable[int]) -> dict[int, bytes]:
    wanted = set(numbers)
    found = {number: bytes(value) for number, value in LogNode.objects.filter(pk__in=wanted).values_list("pk", "hash")}
    if len(found) < len(wanted):
        raise NotThere("The log is not that long yet.")
    return found
