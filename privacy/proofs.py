"""What a receipt's file says of the log: that the receipt is in it, and how anybody can tell.

The file is the signed document with one more member, ``log``, which is not signed because it proves itself:
``{format, salt, index, size, path, head}``, hashes in hex. Between appending and the next head it is only
``{format, salt}``; the proof can then be had later, from ``/log/proof``, by the leaf that salt and receipt make.
"""

from typing import Any

from django.utils.translation import gettext as _

from privacy import heads, log, merkle, signing
from privacy.models import Receipt
from privacy.signing import Check, Malformed

FORMAT = "modelmyimage-log-proof/1"
LONGEST_PATH = 64


def file_of(receipt: Receipt) -> dict[str, Any]:
    """The receipt as its owner gets it: with the proof, as far as there is one."""
    if receipt.log_index is None or receipt.log_salt is None:
        return dict(receipt.document)
    entry: dict[str, Any] = {"format": FORMAT, "salt": bytes(receipt.log_salt).hex()}
    head = heads.covering(receipt.log_index)
    if head is not None:
        path = log.inclusion(receipt.log_index, head.size)
        entry |= {
            "index": receipt.log_index,
            "size": head.size,
            "path": [step.hex() for step in path],
            "head": head.document,
        }
    return {**receipt.document, "log": entry}


def parse(value: Any) -> dict[str, Any]:
    """The value, if it has the form of the member ``log``. Raises ``Malformed``."""
    wrong = Malformed(_("What it says of the log has not the right form."))
    if not isinstance(value, dict) or value.get("format") != FORMAT or not _is_hash(value.get("salt")):
        raise wrong
    if set(value) == {"format", "salt"}:
        return value
    if set(value) != {"format", "salt", "index", "size", "path", "head"} or not isinstance(value["path"], list):
        raise wrong
    if any(type(value[name]) is not int or not 0 <= value[name] < 2**53 for name in ("index", "size")):
        raise wrong
    if len(value["path"]) > LONGEST_PATH or not all(map(_is_hash, value["path"])):
        raise wrong
    return value


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and heads.HEX.fullmatch(value) is not None


def checks(document: dict[str, Any]) -> list[Check]:
    """Whether the log has the receipt, as far as its file says so; nothing for a file that does not."""
    entry = document.get("log", {})
    if "head" not in entry:
        return []
    found = heads.check(entry["head"])
    if not found.ok:
        return [found]
    head = entry["head"]["head"]
    leaf = log.leaf(digest=signing.digest(document), salt=bytes.fromhex(entry["salt"]))
    holds = entry["size"] == head["size"] and merkle.includes(
        leaf=leaf,
        index=entry["index"],
        size=entry["size"],
        path=[bytes.fromhex(step) for step in entry["path"]],
        root=bytes.fromhex(head["root"]),
    )
    if holds:
        values = {"number": entry["index"] + 1, "size": head["size"]}
        detail = _("It is entry %(number)d of %(size)d in the public log.") % values
    else:
        detail = _("The proof does not lead from this receipt to that head.")
    return [found, Check("inclusion", holds, detail)]
