"""Receipts and heads that must not hold, each with the check that must refuse it; for every verifier that there is."""

from __future__ import annotations

import base64
import copy
import json
import os
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privacy import merkle, receipts, signing
from privacy.heads import CONTEXT

CHECKS = ("document", "key", "signature", "head", "inclusion", "consistency")


class Log:
    """A whole log in memory, by the recursive definition, with a key of its own."""

    def __init__(self, origin: str = "models.example", key_id: str = "k1") -> None:
        self.key, self.key_id, self.origin = Ed25519PrivateKey.generate(), key_id, origin
        self.leaves: list[bytes] = []
        self.files: list[dict[str, Any]] = []
        self.salts: list[str] = []

    def keys(self) -> dict[str, Any]:
        """What the site publishes as its keys."""
        public = base64.b64encode(self.key.public_key().public_bytes_raw()).decode()
        active = {"algorithm": "Ed25519", "public_key": public, "status": "active"}
        return {"format": "modelmyimage-keys/1", "keys": {self.key_id: active}}

    def signed(self, message: bytes) -> dict[str, str]:
        """A signature by its key."""
        value = base64.b64encode(self.key.sign(message)).decode()
        return {"algorithm": "Ed25519", "key_id": self.key_id, "value": value}

    def add(self, count: int) -> None:
        """Issue and append receipts."""
        for _ in range(count):
            number = f"{len(self.files):04}-{os.urandom(4).hex()}"
            body = {
                "format": receipts.FORMAT, "id": number, "job": number, "issued_at": "2026-11-25T10:00:00+00:00",
                "outcome": "done", "destroyed": [], "elsewhere": [{"provider": "Ünlü \n\u2028 \"x\""}],
                "does_not_prove": receipts.DOES_NOT_PROVE,
            }  # fmt: skip
            document = {"receipt": body, "signature": self.signed(signing.canonical(body))}
            salt = os.urandom(32).hex()
            data = signing.canonical({"receipt": receipts.digest(document), "salt": salt})
            self.leaves.append(merkle.leaf_hash(data))
            self.salts.append(salt)
            self.files.append(document)

    def _nodes(self, size: int) -> dict[int, bytes]:
        return dict(merkle.grow(0, {}, self.leaves[:size]))

    def head(self, size: int | None = None, time: str = "2026-11-25T11:00:00+00:00", **changes: Any) -> dict[str, Any]:
        """A signed head."""
        size = len(self.leaves) if size is None else size
        root = merkle.hash_of((0, size), self._nodes(size)).hex()
        body = {
            "format": "modelmyimage-log-head/1", "origin": self.origin, "size": size, "root": root, "time": time,
            "key_id": self.key_id, **changes,
        }  # fmt: skip
        return {"head": body, "signature": self.signed(CONTEXT + signing.canonical(body))}

    def path(self, index: int, size: int) -> list[str]:
        """An inclusion proof."""
        nodes = self._nodes(size)
        return [merkle.hash_of(each, nodes).hex() for each in merkle.inclusion_ranges(index, size)]

    def file(self, index: int, size: int | None = None) -> dict[str, Any]:
        """The receipt's file, as its owner has it."""
        size = len(self.leaves) if size is None else size
        entry = {
            "format": "modelmyimage-log-proof/1", "salt": self.salts[index], "index": index, "size": size,
            "path": self.path(index, size), "head": self.head(size),
        }  # fmt: skip
        return {**self.files[index], "log": entry}

    def consistency(self, first: int, second: int) -> dict[str, Any]:
        """What the site answers."""
        nodes = self._nodes(second)
        path = [merkle.hash_of(each, nodes).hex() for each in merkle.consistency_ranges(first, second)]
        return {"format": "modelmyimage-log-consistency/1", "first": first, "second": second, "path": path}


@dataclass
class Case:
    """What a verifier is given; ``fails`` is the check that must refuse it, empty if all holds."""

    fails: str
    document: dict[str, Any]
    keys: dict[str, Any]
    other: dict[str, Any] | None = None
    proof: dict[str, Any] | None = None
    words: tuple[str, ...] = field(default=())


def cases() -> dict[str, Case]:
    """All of them, by name. Every log is new each time."""
    log = Log()
    log.add(13)
    keys, good = log.keys(), log.file(5)
    found = {"all holds": Case("", good, keys)}
    for size in (1, 2, 8, 13):
        found[f"holds, {size} entries"] = Case("", log.file(0, size), keys)
        found[f"holds, last of {size}"] = Case("", log.file(size - 1, size), keys)

    def changed(name: str, fails: str, *place: str, value: Any) -> None:
        document = copy.deepcopy(good)
        member = document
        for step in place[:-1]:
            member = member[step]
        member[place[-1]] = value
        found[name] = Case(fails, document, keys)

    changed("a changed word", "signature", "receipt", "outcome", value="failed")
    changed("a leaf moved", "inclusion", "log", "index", value=4)
    changed("a leaf outside", "inclusion", "log", "index", value=13)
    changed("another salt", "inclusion", "log", "salt", value=log.salts[4])
    changed("a wrong size", "inclusion", "log", "size", value=12)
    changed("a truncated proof", "inclusion", "log", "path", value=good["log"]["path"][:-1])
    changed("an empty proof", "inclusion", "log", "path", value=[])
    changed("a longer proof", "inclusion", "log", "path", value=[*good["log"]["path"], "0" * 64])
    changed("a proof for another receipt", "inclusion", "log", value=log.file(4)["log"])
    changed("an older head with this proof", "inclusion", "log", "head", value=log.head(12))
    changed("a head for another size", "head", "log", "head", "head", "size", value=12)
    changed("another root", "head", "log", "head", "head", "root", value="0" * 64)
    changed("a word beside what is signed", "document", "note", value="all is well")

    stranger = Log(key_id="k2")
    stranger.add(13)
    by_stranger = copy.deepcopy(good)
    stranger.leaves, stranger.salts = log.leaves, log.salts
    by_stranger["log"]["head"] = stranger.head()
    found["a head by an unknown key"] = Case("head", by_stranger, keys)
    stranger.key_id = "k1"
    by_impostor = copy.deepcopy(good)
    by_impostor["log"]["head"] = stranger.head()
    found["a head by a key that only has the name"] = Case("head", by_impostor, keys)
    found["an unknown key"] = Case("key", good, {"format": "modelmyimage-keys/1", "keys": {}})
    not_context = copy.deepcopy(good)
    not_context["log"]["head"]["signature"] = log.signed(signing.canonical(good["log"]["head"]["head"]))
    found["a head signed as if it were a receipt"] = Case("head", not_context, keys)

    def retired(until: str) -> dict[str, Any]:
        old = copy.deepcopy(keys)
        old["keys"]["k1"] |= {"status": "retired", "until": until}
        return old

    found["a retired key, in its time"] = Case("", good, retired("2026-11-25T12:00:00+00:00"))
    found["a receipt after its key was retired"] = Case("key", good, retired("2026-11-25T09:00:00+00:00"))
    found["a head after its key was retired"] = Case("head", good, retired("2026-11-25T10:30:00+00:00"))

    older, today = log.head(6, time="2026-11-24T00:00:00+00:00"), log.consistency(6, 13)
    found["an older head"] = Case("", good, keys, older, today)
    found["an older head of a power of two"] = Case("", good, keys, log.head(8), log.consistency(8, 13))
    found["an older head of nothing"] = Case("", good, keys, log.head(0), log.consistency(0, 13))
    found["the same head"] = Case("", good, keys, good["log"]["head"], log.consistency(13, 13))
    log.add(9)
    found["a later head"] = Case("", good, keys, log.head(22), log.consistency(13, 22))
    found["a consistency proof for other sizes"] = Case("consistency", good, keys, older, log.consistency(5, 13))
    short = {**today, "path": today["path"][:-1]}
    found["a truncated consistency proof"] = Case("consistency", good, keys, older, short)
    fork = Log()
    fork.key = log.key
    fork.leaves, fork.salts, fork.files = log.leaves[:4], log.salts[:4], log.files[:4]
    fork.add(9)
    found["a head forked"] = Case("consistency", good, keys, fork.head(6), today)
    found["a head forked, of the same size"] = Case("consistency", good, keys, fork.head(13), log.consistency(13, 13))
    shorter = fork.head(9, time="2026-11-26T00:00:00+00:00")
    found["a log that became shorter"] = Case("consistency", good, keys, shorter, log.consistency(9, 13))
    found["another log's head"] = Case("consistency", good, keys, log.head(6, origin="other.example"), today)
    return found


NAMES = list(cases())


def flipped(document: dict[str, Any]) -> list[bytes]:
    """The file with one byte changed, at every seventh place and in the log's part at each third."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    found = []
    for place in [*range(0, len(text), 7), *range(text.index(b'"log"'), text.index(b'"receipt"'), 3)]:
        broken = bytearray(text)
        broken[place] ^= (1, 2, 16, 32)[place % 4]
        found.append(bytes(broken))
    return found
