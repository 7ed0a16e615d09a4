#!/usr/bin/env python3
"""Check a receipt of ModelMyImage, and its transparency log, without trusting the site: offline, one file.

    python verify.py RECEIPT --keys KEYS
    python verify.py RECEIPT --keys KEYS --other HEAD --consistency PROOF
    python verify.py HEAD    --keys KEYS --other HEAD --consistency PROOF

RECEIPT      a receipt as it was downloaded, or the certificate of an erasure.
HEAD         a signed head of the log: /.well-known/modelmyimage-log.json or /log/head, now or as you kept it once.
KEYS         the site's public keys: /verify/keys.json or /.well-known/modelmyimage-log.json. Keep a copy of your own.
PROOF        /log/consistency?first=M&second=N, M and N being the sizes of the two heads, the smaller one first.

Needs Python 3.9 and the package `cryptography`. Says what it looked at and ends with 0 if all of it holds, else with 1.

What is signed: of a receipt, the canonical JSON of its member "receipt" (keys sorted, no white space, UTF-8); of a
head, the line "modelmyimage-log-head/1" followed by the canonical JSON of its member "head". Signatures are Ed25519.
The log is a Merkle tree as RFC 9162 defines it, with SHA-256; a receipt's leaf is the canonical JSON of {"receipt":
SHA-256 of the canonical JSON of receipt and signature, in hex, "salt": the salt in hex}.

What none of this proves: that no copy exists anywhere, and that what a third party said of its copies is true.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import re
import sys
from datetime import datetime
from typing import Any, Dict, NoReturn, Optional, Tuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

HEX = re.compile(r"[0-9a-f]{64}")
LARGEST = 4_000_000
RECEIPT_PARTS = {"format", "id", "job", "issued_at", "outcome", "destroyed", "elsewhere"}
RECEIPT_FORMS = {
    "modelmyimage-receipt/1": RECEIPT_PARTS,
    "modelmyimage-receipt/2": RECEIPT_PARTS | {"does_not_prove"},
    "modelmyimage-erasure/1": RECEIPT_PARTS | {"does_not_prove", "kept", "ends_by_itself"},
}
HEAD_PARTS = {"format": str, "origin": str, "size": int, "root": str, "time": str, "key_id": str}
HEAD_FORMAT = "modelmyimage-log-head/1"
LOG_PARTS = {"format", "salt", "index", "size", "path", "head"}

Keys = Dict[str, Tuple[Ed25519PublicKey, Optional[datetime]]]


class Refused(Exception):
    """Something does not hold; the message says what."""


def say(what: str, sentence: str) -> None:
    """One thing that holds."""
    print(f"holds  {what}: {sentence}")


# Reading


def read(path: str) -> Any:
    """What a JSON file says; nothing in it may be said twice, and there are no fractions."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise Refused(f"file: {path} says something twice.")
        return dict(pairs)

    def fraction(text: str) -> NoReturn:
        raise Refused(f"file: {path} holds a number that has no one spelling, {text[:20]}.")

    try:
        with open(path, "rb") as stream:
            data = stream.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise Refused(f"file: {path} is too large.")
        return json.loads(data.decode(), object_pairs_hook=once, parse_float=fraction, parse_constant=fraction)
    except OSError as error:
        raise Refused(f"file: {path} cannot be read ({error.strerror}).") from None
    except (ValueError, RecursionError):
        raise Refused(f"file: {path} is not JSON.") from None


def canonical(value: Any) -> bytes:
    """The one spelling of a JSON value."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise Refused("file: it holds something that has no one spelling.") from None


def is_hash(value: Any) -> bool:
    """Whether this is a SHA-256 as we write them."""
    return isinstance(value, str) and HEX.fullmatch(value) is not None


def is_count(value: Any) -> bool:
    """Whether this is a whole number of leaves."""
    return type(value) is int and 0 <= value < 2**53


def keys_of(document: Any) -> Keys:
    """Public keys by name, and when each stopped signing."""
    try:
        found = {}
        for name, key in document["keys"].items():
            if key["algorithm"] != "Ed25519":
                continue
            public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key["public_key"], validate=True))
            found[name] = (public, moment(key["until"]) if "until" in key else None)
        return found
    except (KeyError, TypeError, AttributeError, ValueError):
        raise Refused("keys: the file of keys has not the form of one.") from None


def moment(text: str) -> datetime:
    """An ISO 8601 moment with its zone."""
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if found.tzinfo is None:
        raise ValueError("no zone")
    return found


# Signatures


def check_signature(what: str, signature: Any, message: bytes, at: str, keys: Keys) -> None:
    """Refuse what a key of the site did not sign while it signed."""
    if not isinstance(signature, dict) or set(signature) != {"algorithm", "key_id", "value"}:
        raise Refused(f"{what}: there is no signature.")
    if not all(isinstance(part, str) for part in signature.values()) or signature["algorithm"] != "Ed25519":
        raise Refused(f"{what}: the signature is of another kind.")
    if signature["key_id"] not in keys:
        raise Refused(f"{what}: the key {signature['key_id'][:64]!r} is not in the file of keys.")
    public, until = keys[signature["key_id"]]
    try:
        value = base64.b64decode(signature["value"], validate=True)
        if base64.b64encode(value).decode() != signature["value"]:
            raise Refused(f"{what}: the signature is not spelt as the site spells it.")
        public.verify(value, message)
    except (binascii.Error, ValueError, InvalidSignature):
        raise Refused(f"{what}: it has changed since it was signed, or the site did not sign it.") from None
    try:
        late = until is not None and moment(at) > until
    except ValueError:
        raise Refused(f"{what}: it does not say when it was signed.") from None
    if late:
        raise Refused(f"{what}: it says it was signed after its key was retired.")


def check_receipt(document: dict[str, Any], keys: Keys) -> str:
    """Refuse what is no receipt of the site; its digest."""
    body = document["receipt"]
    form = body.get("format") if isinstance(body, dict) else None
    if not isinstance(form, str) or form not in RECEIPT_FORMS or set(body) != RECEIPT_FORMS[form]:
        raise Refused("form: it is not a receipt of a form that is known here.")
    if set(document) - {"log"} != {"receipt", "signature"}:
        raise Refused("form: there is something beside what is signed.")
    if not isinstance(body["issued_at"], str) or not isinstance(body["id"], str):
        raise Refused("form: it is not a receipt.")
    check_signature("signature", document["signature"], canonical(body), body["issued_at"], keys)
    say("signature", f"the site signed receipt {body['id'][:36]} of {body['issued_at'][:25]}, and nothing has changed.")
    return hashlib.sha256(canonical({name: document[name] for name in ("receipt", "signature")})).hexdigest()


def check_head(what: str, document: Any, keys: Keys) -> dict[str, Any]:
    """Refuse what is no signed head; what it says."""
    if not isinstance(document, dict) or set(document) != {"head", "signature"}:
        raise Refused(f"{what}: it is not a signed head.")
    body = document["head"]
    if not isinstance(body, dict) or set(body) != set(HEAD_PARTS) or body["format"] != HEAD_FORMAT:
        raise Refused(f"{what}: it is not a signed head.")
    if any(type(body[name]) is not kind for name, kind in HEAD_PARTS.items()):
        raise Refused(f"{what}: it is not a signed head.")
    if not is_hash(body["root"]) or not is_count(body["size"]):
        raise Refused(f"{what}: it is not a signed head.")
    message = HEAD_FORMAT.encode() + b"\n" + canonical(body)
    check_signature(what, document["signature"], message, body["time"], keys)
    if document["signature"]["key_id"] != body["key_id"]:
        raise Refused(f"{what}: it was signed by another key than it names.")
    say(what, f"the site signed that its log {body['origin'][:80]} had {body['size']} entries at {body['time'][:25]}.")
    return body


# The log


def leaf_hash(data: bytes) -> bytes:
    """RFC 9162, 2.1.1."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 9162, 2.1.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def includes(leaf: bytes, index: int, size: int, path: list[bytes], root: bytes) -> bool:
    """RFC 9162, 2.1.3.2."""
    if index >= size:
        return False
    place, last, found = index, size - 1, leaf
    for other in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(other, found)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, other)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def extends(first: int, second: int, first_root: bytes, second_root: bytes, path: list[bytes]) -> bool:
    """RFC 9162, 2.1.4.2."""
    if first == second:
        return not path and first_root == second_root
    if first == 0:
        return not path and first_root == hashlib.sha256(b"").digest()
    steps = list(path)
    if first & (first - 1) == 0:
        steps.insert(0, first_root)
    if first > second or not steps:
        return False
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    older = newer = steps[0]
    for other in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            older, newer = node_hash(other, older), node_hash(other, newer)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            newer = node_hash(newer, other)
        place, last = place >> 1, last >> 1
    return last == 0 and older == first_root and newer == second_root


def hashes(values: Any) -> list[bytes] | None:
    """A path of hashes."""
    if not isinstance(values, list) or len(values) > 64 or not all(map(is_hash, values)):
        return None
    return [bytes.fromhex(value) for value in values]


def check_inclusion(entry: Any, digest: str, keys: Keys) -> dict[str, Any]:
    """Refuse a receipt that its file does not prove to be in the log; the head that has it."""
    if not isinstance(entry, dict) or entry.get("format") != "modelmyimage-log-proof/1":
        raise Refused("inclusion: the file does not say where in the log the receipt is. Download it again later.")
    if set(entry) == {"format", "salt"}:
        raise Refused("inclusion: the receipt is in no signed head yet. Download it again in some minutes.")
    path = hashes(entry.get("path"))
    if set(entry) != LOG_PARTS or path is None or not is_hash(entry["salt"]):
        raise Refused("inclusion: the proof has not the form of one.")
    if not is_count(entry["index"]) or not is_count(entry["size"]):
        raise Refused("inclusion: the proof has not the form of one.")
    head = check_head("head", entry["head"], keys)
    if entry["size"] != head["size"]:
        raise Refused("inclusion: the proof is for a log of another size than the head's.")
    leaf = leaf_hash(canonical({"receipt": digest, "salt": entry["salt"]}))
    if not includes(leaf, entry["index"], entry["size"], path, bytes.fromhex(head["root"])):
        raise Refused("inclusion: the proof does not lead from this receipt to that head.")
    say("inclusion", f"it is entry {entry['index'] + 1} of the {head['size']} that the head is of.")
    return head


def check_consistency(one: dict[str, Any], other: dict[str, Any], proof: Any) -> None:
    """Refuse two heads of which neither log is the beginning of the other."""
    if one["origin"] != other["origin"]:
        raise Refused("consistency: the two heads are of different logs.")
    older, newer = sorted((one, other), key=lambda head: head["size"])
    if moment(older["time"]) > moment(newer["time"]) and older["size"] < newer["size"]:
        raise Refused(
            f"consistency: FORK. The log had {newer['size']} entries at {newer['time']} and only {older['size']} at"
            f" {older['time']}: entries were taken out, or an older backup was restored."
        )
    first, second = older["size"], newer["size"]
    path: list[bytes] = []
    if 0 < first < second:
        if proof is None:
            raise Refused(
                f"consistency: this needs --consistency, the answer of /log/consistency?first={first}&second={second}"
            )
        if not isinstance(proof, dict) or proof.get("format") != "modelmyimage-log-consistency/1":
            raise Refused("consistency: the proof has not the form of one.")
        if (proof.get("first"), proof.get("second")) != (first, second):
            raise Refused("consistency: the proof is for other sizes than the heads'.")
        given = hashes(proof.get("path"))
        if given is None:
            raise Refused("consistency: the proof has not the form of one.")
        path = given
    if not extends(first, second, bytes.fromhex(older["root"]), bytes.fromhex(newer["root"]), path):
        raise Refused(
            f"consistency: FORK. The log of {second} entries does not begin with the log of {first}: it was rewritten,"
            " went on from an older backup, or this is the wrong proof."
        )
    say("consistency", f"the log of {second} entries begins with the log of {first}, entry for entry.")


def head_in(document: Any) -> Any:
    """The signed head in a file: alone, or as the site publishes it with its keys."""
    if isinstance(document, dict):
        if set(document) == {"head", "signature"}:
            return document
        if document.get("format") == "modelmyimage-log/1":
            return document.get("head")
    raise Refused("file: it holds neither a receipt nor a signed head.")


def check(arguments: argparse.Namespace) -> str:
    """Look at everything that was given; what holds, in a sentence."""
    keys, document = keys_of(read(arguments.keys)), read(arguments.file)
    is_receipt = isinstance(document, dict) and "receipt" in document
    if is_receipt:
        digest = check_receipt(document, keys)
        if arguments.signature_only:
            return "The signature holds. Whether the log has the receipt was not looked at."
        head = check_inclusion(document.get("log"), digest, keys)
    else:
        head = check_head("head", head_in(document), keys)
    if arguments.other:
        other = check_head("other head", head_in(read(arguments.other)), keys)
        proof = read(arguments.consistency) if arguments.consistency else None
        check_consistency(head, other, proof)
    return "The receipt holds." if is_receipt else "The head holds."


def main(words: list[str] | None = None) -> int:
    """Run the checks; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", metavar="RECEIPT|HEAD", help="what is to be checked")
    parser.add_argument("--keys", required=True, metavar="KEYS", help="the site's public keys")
    parser.add_argument("--other", metavar="HEAD", help="another head of the log, such as one that you kept")
    parser.add_argument("--consistency", metavar="PROOF", help="the proof that one head's log begins with the other's")
    parser.add_argument("--signature-only", action="store_true", help="do not ask for the log's proof")
    arguments = parser.parse_args(words)
    try:
        verdict = check(arguments)
    except (Refused, RecursionError, ValueError, TypeError) as refusal:
        print(f"FAILS  {refusal}")
        print("This does not hold. Do not rely on it.")
        return 1
    print(verdict)
    return 0


if __name__ == "__main__":
    sys.exit(main())
