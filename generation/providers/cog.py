"""Cog: whatever model the operator serves with it, on a machine of theirs. One request, and the mesh is in its answer.

Which input takes the photo is the model's affair, so the operator names it (``COG_IMAGE_INPUT``), and may give the
others values (``COG_INPUTS``, a JSON object). The server knows no polling and forgets a call once it has answered it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain
from typing import Any, ClassVar, Final

import httpx

from generation import pictures
from generation.egress import ResponseTooLarge
from generation.exchange import CHUNK, LONGEST_ANSWER, Exchange, NotThere, Refused, TooMuch, base64_field, text
from generation.provider import (
    AnswersAtOnce,
    Brief,
    Card,
    Declined,
    Delivered,
    Erased,
    Erasure,
    Misconfigured,
    Remote,
    Unavailable,
    Variable,
)

SECONDS: Final = 900.0
BUSY_SECONDS: Final = 15.0
"""How long to leave a server alone that is at work on something else."""
HEAD: Final = b";base64,"
GLB: Final = HEAD + b"Z2xURgIAAA"
"""How the data URI of a GLB, version 2, goes on after its media type, which depends on the server's machine."""


class Cog(AnswersAtOnce):
    """A data URI in, a data URI out, alone or somewhere in a list or an object."""

    card: ClassVar[Card] = Card(
        name="cog",
        label="Cog",
        place="a machine of this site’s operator",
        region="self",
        variables=(
            Variable("COG_URL", address=True),
            Variable("COG_IMAGE_INPUT", required=False),
            Variable("COG_INPUTS", required=False),
        ),
        self_hosted=True,
        queue="calls",
        slots=1,
        credits={"standard": 3},
        typical_seconds={"standard": 60},
        keeps=None,
        can_erase=False,
        resubmit_safe=True,
        evidence=(
            "Cog repository: docs/http.md; release 0.23.1 as it ran here: the photo is removed with the answer, the "
            "model stays in the container's temporary folder until its operator empties it. (November 2026)"
        ),
    )

    def __init__(self, http: httpx.Client, setup: Mapping[str, str]) -> None:
        self.api = Exchange(http, setup["COG_URL"])
        self.photo_input = setup.get("COG_IMAGE_INPUT") or "image"
        self.inputs = setup.get("COG_INPUTS") or "{}"

    def submit(self, brief: Brief) -> Delivered:
        """See ``Provider.submit``. With its first bytes the model is made; the rest is read as it is needed."""
        photo = pictures.data_uri(pictures.png(brief.images["front"]))
        try:
            mesh = self._predicted(brief.key, {**json.loads(self.inputs), self.photo_input: photo})
        except (ValueError, TypeError, RecursionError):
            raise Misconfigured from None  # no JSON, or no object
        return Delivered(chain((next(mesh),), mesh))

    def _predicted(self, key: str, inputs: dict[str, Any]) -> Iterator[bytes]:
        """The mesh in the answer. Under one key the model runs once at a time; who gives up on the answer ends it."""
        try:
            with self.api.opened("PUT", f"/predictions/{key}", json={"input": inputs}, timeout=SECONDS) as answer:
                if answer.status_code == httpx.codes.ACCEPTED:  # it runs for an earlier request, whose sender is gone
                    raise Unavailable(BUSY_SECONDS, throttled=True)
                yield from _glb(answer.iter_bytes(CHUNK))
        except NotThere:
            raise Misconfigured from None  # that is no Cog
        except Refused as refused:
            if refused.status == httpx.codes.CONFLICT:  # all its slots are taken
                raise Unavailable(BUSY_SECONDS, throttled=True) from None
            raise (Declined if refused.status else Misconfigured) from None  # no status: it led away from the address
        except ResponseTooLarge:
            raise TooMuch from None
        except httpx.HTTPError:
            raise Unavailable from None

    def erase(self, remote: Remote) -> Erasure:
        """See ``Provider.erase``. The server deletes no models."""
        return Erasure(Erased.SWEPT)


def _glb(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The first GLB in an answer, wherever in its ``output`` it is, decoded as it comes.

    A model that failed is told of with 200, too. Raises ``Declined`` for an answer without a GLB, ``Unavailable`` for
    what is no answer of Cog's.
    """
    read, long = bytearray(), False
    for chunk in chunks:
        read += chunk
        at = read.find(GLB, max(0, len(read) - len(chunk) - len(GLB)))
        if at >= 0:
            yield from base64_field(chain((b'"glb":"' + read[at + len(HEAD) :],), chunks), "glb")
            return
        if len(read) > LONGEST_ANSWER:  # full of something else; only what may be the beginning of a GLB is kept
            del read[: -len(GLB)]
            long = True
    with suppress(ValueError, RecursionError):
        if long or text(json.loads(read), "status"):
            raise Declined("provider_failed")
    raise Unavailable


PROVIDERS = (Cog,)
