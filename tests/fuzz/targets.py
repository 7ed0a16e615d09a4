"""What is fed with any bytes, and what has to hold whatever they are. A target returns, or something is broken.

``environment`` is set before Django is: the keys that the seeds in ``corpus/`` are signed by are nobody's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

NOW: Final = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
"""When webhooks of the seeds are heard."""
STAMP: Final = str(int(NOW.timestamp()))
SEED: Final = hashlib.sha256(b"a key for receipts that nobody relies on").digest()
STRIPE: Final = "whsec_a_secret_that_nobody_relies_on"
TRIPO: Final = "whsec_another"
REPLICATE: Final = b"a third"
MOST_BYTES: Final = 20_000
"""Of one input."""

environment: Final = {
    "SIGNING_KEYS": f"fuzz:{base64.b64encode(SEED).decode()}",
    "STRIPE_SECRET_KEY": "sk_test_nobody",
    "STRIPE_WEBHOOK_SECRET": STRIPE,
}


class Broken(Exception):
    """Something that has to hold did not."""


def require(holds: bool, what: str) -> None:
    """Raise ``Broken`` unless it holds."""
    if not holds:
        raise Broken(what)


def picture(data: bytes) -> None:
    """Intake: a file is refused with a code, or redrawn as a picture of ours, within bounds and without tags."""
    import io

    from PIL import Image

    from generation import pixels
    from generation.confined import Refusal

    try:
        header, parts = pixels.redraw(data)
    except (Refusal, MemoryError):
        return
    with Image.open(io.BytesIO(b"".join(parts))) as redrawn:
        redrawn.load()
        require(redrawn.format in {"JPEG", "PNG"}, "a picture of another kind")
        require(redrawn.size == (header["width"], header["height"]), "a size that is not so")
        require(max(redrawn.size) <= pixels.MAX_SIDE, "larger than we take")
        require(not redrawn.getexif() and not {"icc_profile", "comment"} & set(redrawn.info), "a tag got through")


def mesh(data: bytes) -> None:
    """Inspection: a file is refused with a code, or remade as one that we would take ourselves, unchanged."""
    from generation import inspection
    from generation.confined import Refusal

    try:
        header, parts = inspection.remake(data)
    except (Refusal, MemoryError):
        return
    remade = b"".join(parts)
    require(header["triangles"] > 0, "a mesh of nothing")
    again_header, again = inspection.remake(remade)
    require(b"".join(again) == remade, "what we made is not what we would make of it")
    require(again_header["triangles"] == header["triangles"], "triangles got lost")


def receipt(data: bytes) -> None:
    """Verification: never an error, and nothing holds but what our key signed."""
    from privacy import receipts, signing

    found = receipts.verify(data)
    if not found.ok:
        return
    document = signing.read(data)
    key = signing.verifying_keys()[document["signature"]["key_id"]]
    # By another way than the one that is tried: the one spelling, signed anew.
    mine = signing.sign(signing.canonical(document["receipt"]))
    require(mine["value"] == document["signature"]["value"], "it holds, and we did not sign it")
    require(key.until is None, "it holds by a key that is retired")


def webhook(data: bytes) -> None:
    """Doors for machines: what is not signed is ``Forged``; what is signed is read or ``Forged``, never an error.

    The first byte says which door, the second whether we sign the body; then come headers, an empty line, the body.
    """
    if len(data) < 2:
        return
    head, _, body = data[2:].partition(b"\n\n")
    lines = (line.partition(":") for line in head.decode("latin-1").splitlines())
    headers = {name.strip().lower(): value.strip() for name, _colon, value in lines}
    DOORS[data[0] % len(DOORS)](headers, body, signed=bool(data[1] & 1))


def _stripe(headers: dict[str, str], body: bytes, *, signed: bool) -> None:
    from billing import webhooks

    header = headers.get("stripe-signature", "")
    if signed:
        mac = hmac.digest(STRIPE.encode(), STAMP.encode() + b"." + body, "sha256").hex()
        header = f"t={STAMP},v1={mac}"
    try:
        event = webhooks.verified(body, header, now=NOW.timestamp())
    except webhooks.Forged:
        return
    require(signed, "Stripe's door took what nobody signed")
    about = webhooks.subject(event)
    require(about is None or 0 < len(about[1]) <= 255, "an id without bounds")


def _tripo(headers: dict[str, str], body: bytes, *, signed: bool) -> None:
    if signed:
        mac = hmac.digest(TRIPO.encode(), STAMP.encode() + b"." + body, "sha256").hex()
        headers = {"tripo-webhook-signature": f"t={STAMP},v1={mac}"}
    _heard("tripo", headers, body, signed=signed)


def _replicate(headers: dict[str, str], body: bytes, *, signed: bool) -> None:
    if signed:
        mac = base64.b64encode(hmac.digest(REPLICATE, f"id.{STAMP}.".encode() + body, "sha256")).decode()
        headers = {"webhook-id": "id", "webhook-timestamp": STAMP, "webhook-signature": f"v1,{mac}"}
    _heard("replicate", headers, body, signed=signed)


def _fal(headers: dict[str, str], body: bytes, *, signed: bool) -> None:
    _heard("fal", headers, body, signed=False)  # its key is one that nobody has


def _heard(name: str, headers: dict[str, str], body: bytes, *, signed: bool) -> None:
    from generation.provider import Forged

    with suppress(Forged):
        found = _provider(name).heard(headers, body, now=NOW)
        require(signed, f"the door of {name} took what nobody signed")
        require(isinstance(found, str) and bool(found), "no call")


_made: dict[str, Any] = {}


def _provider(name: str) -> Any:
    """A provider with secrets of its own, behind which nobody answers."""
    if name not in _made:
        import httpx

        from generation.providers import fal, replicate, tripo

        http = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(404)))
        secret = base64.b64encode(REPLICATE).decode()
        _made.update(
            tripo=tripo.Tripo(http, {"TRIPO_API_KEY": "k", "TRIPO_WEBHOOK_SECRET": TRIPO}),
            replicate=replicate.TripoSR(http, {"REPLICATE_API_KEY": "k", "REPLICATE_WEBHOOK_SECRET": secret}),
            fal=fal.PROVIDERS[0](http, {"FAL_KEY": "k"}),
        )
    return _made[name]


DOORS: Final = (_stripe, _tripo, _replicate, _fal)
TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    "picture": picture,
    "mesh": mesh,
    "receipt": receipt,
    "webhook": webhook,
}
