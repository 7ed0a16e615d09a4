"""Whether the log is what it must be: every hash recomputed from the leaves, and every head held against it.

Reads only, in one pass; run it as often as you like. What is found is said in sentences that name rows by number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from privacy import heads, log, merkle, signing
from privacy.models import LogHead, LogNode, Receipt
from privacy.signing import Malformed

TRIGGERS = {"log_node_fixed", "log_node_kept", "log_node_next", "log_head_fixed", "log_head_kept"}


@dataclass(frozen=True)
class Audit:
    """How many leaves and heads there are, and what is wrong with them."""

    size: int
    heads: int
    differences: list[str]


def audit(against: Sequence[Any] = ()) -> Audit:
    """Look at everything; ``against`` are heads from elsewhere, such as mirrored ones, that the log must go on from."""
    found = list(_guards())
    elsewhere = []
    for document in against:
        check = heads.check(document)
        if not check.ok:
            found.append(_("the head from elsewhere cannot be used: %(why)s") % {"why": check.detail})
        elif document["head"]["origin"] != settings.LOG_ORIGIN:
            found.append(
                _("the head from elsewhere is of another log, %(name)s") % {"name": document["head"]["origin"]}
            )
        else:
            elsewhere.append(document["head"])
    own: list[tuple[str, dict[str, Any]]] = []
    for row in LogHead.objects.order_by("pk").iterator():
        check = heads.check(row.document)
        if check.ok:
            own.append((f"head {row.pk}", row.document["head"]))
        else:
            found.append(f"head {row.pk}: {check.detail}")
    size, roots, wrong = _recomputed({head["size"] for head in [*elsewhere, *(head for _name, head in own)]})
    found += wrong
    for name, head in own:
        if roots.get(head["size"]) != head["root"]:
            found.append(_against(name, head, size))
    for head in elsewhere:
        if roots.get(head["size"]) != head["root"]:
            found.append(_against(_("the head from elsewhere"), head, size))
    found += _receipts(size)
    return Audit(size, LogHead.objects.count(), found)


def _against(name: str, head: dict[str, Any], size: int) -> str:
    values = {"name": name, "time": head["time"], "size": head["size"], "now": size}
    if head["size"] > size:
        return (
            _(
                "FORK: %(name)s of %(time)s is of %(size)d entries, and the log has only %(now)d. Entries were lost,"
                " as by a database restored from an older backup."
            )
            % values
        )
    return (
        _(
            "FORK: %(name)s of %(time)s is of other entries than the first %(size)d of the log."
            " It was rewritten, or went on from an older backup."
        )
        % values
    )


def _guards() -> Iterator[str]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
                " WHERE relname LIKE 'privacy_log%%' AND tgenabled <> 'D' AND pg_table_is_visible(pg_class.oid)"
            )
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        present = {name for (name,) in cursor.fetchall()}
    for name in sorted(TRIGGERS - present):
        yield f"the database has lost its trigger {name}"


def _recomputed(sizes: set[int]) -> tuple[int, dict[int, str], list[str]]:
    """How many leaves there are; the roots at these sizes, computed from the leaves alone; nodes that differ from it.

    Nodes come in order of their numbers: a subtree's own row after its left half and before its right one.
    """
    edge: list[bytes] = []
    roots = {0: merkle.EMPTY.hex()}
    waiting: dict[int, bytes] = {}
    wrong = []
    size = 0
    for number, value in LogNode.objects.order_by("pk").values_list("pk", "hash").iterator(chunk_size=5000):
        if number % 2:
            waiting[number] = bytes(value)
            continue
        if number != 2 * size:
            wrong.append(f"leaf {size} is missing")
            break
        found, level = bytes(value), 0
        while (size >> level) & 1:
            found = merkle.node_hash(edge.pop(), found)
            level += 1
            parent = merkle.number(level, size >> level)
            if waiting.pop(parent, None) != found:
                wrong.append(f"node {parent}, of {1 << level} leaves, is not the hash of its halves")
        edge.append(found)
        size += 1
        if size in sizes:
            roots[size] = merkle.fold(edge).hex()
    wrong += [f"node {number} belongs to no complete subtree" for number in waiting]
    return size, roots, wrong


def _receipts(size: int) -> Iterator[str]:
    """Each receipt that has a place in the log is there."""
    placed = Receipt.objects.exclude(log_index=None).order_by("log_index").iterator(chunk_size=500)
    while some := list(islice(placed, 500)):
        stored = LogNode.objects.in_bulk([merkle.number(0, receipt.log_index or 0) for receipt in some])
        for receipt in some:
            index = receipt.log_index or 0
            node = stored.get(merkle.number(0, index))
            expected = log.leaf(digest=signing.digest(receipt.document), salt=bytes(receipt.log_salt or b""))
            if index >= size or node is None or bytes(node.hash) != expected:
                yield f"receipt {receipt.pk} is not what the log has as leaf {index}"


def heads_in(document: Any) -> list[Any]:
    """The heads in a file: a head, a mirrored ``modelmyimage-log.json``, a page of heads, or a receipt with its proof.

    Raises ``Malformed``.
    """
    if isinstance(document, dict):
        if isinstance(document.get("heads"), list):
            return list(document["heads"])
        entry = document.get("log")
        for outer in (document, document.get("head"), entry.get("head") if isinstance(entry, dict) else None):
            if isinstance(outer, dict) and set(outer) >= {"head", "signature"}:
                return [{"head": outer["head"], "signature": outer["signature"]}]
    raise Malformed(_("It holds no signed head of a log."))
