"""fal's queue, one before all its models: how a call is sent, followed, fetched, deleted and heard of.

The models that we use are rows of the table in ``generation/providers/fal.py``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, ClassVar
from urllib.parse import quote

import httpx

from generation import pictures, signatures
from generation.exchange import Exchange, NotThere, Refused, taken, text
from generation.provider import (
    QUALITIES,
    Brief,
    Card,
    Erased,
    Erasure,
    Failed,
    Finished,
    Misconfigured,
    Pending,
    Remote,
    Unavailable,
    backed_off,
)

START_SECONDS, MADE_WITHIN = 600, timedelta(minutes=20)
"""fal gives up a call that has not begun by the first; models run for minutes, so the second sees its file, if ever."""
KEPT = timedelta(hours=1)  # counted from the moment the file is there
CALL = {
    "X-Fal-Store-IO": "0",
    "X-Fal-Object-Lifecycle-Preference": json.dumps({"expiration_duration_seconds": int(KEPT.total_seconds())}),
    "X-Fal-Request-Timeout": str(START_SECONDS),
}


@dataclass(frozen=True, kw_only=True)
class Model:
    """One of fal's models: the path and the field for one photo, and for several, and its parameters."""

    one: tuple[str, str]
    several: tuple[str, str] = ("", "")
    asked: Mapping[str, Any]
    """A tuple is by quality."""
    texture: str = ""
    """Its parameter for whether there are to be colours, where it has one."""
    side: int = 1024
    """Pixels of a photo's longer side, at most: it looks at no more."""
    forwarded: bool = False
    """It is another company's, to whom fal hands the photo: neither says when the copies there go."""


class Fal:
    """Data URIs in, a link to fal's store of files out; webhooks are signed."""

    card: ClassVar[Card]
    model: ClassVar[Model]

    def __init__(self, http: httpx.Client, setup: Mapping[str, str]) -> None:
        admin = setup.get("FAL_ADMIN_KEY")
        platform = setup.get("FAL_API_URL") or "https://api.fal.ai"
        key = {"Authorization": f"Key {setup['FAL_KEY']}"}
        self.api = Exchange(http, setup.get("FAL_URL") or "https://queue.fal.run", key)
        self.rest = Exchange(http, setup.get("FAL_REST_URL") or "https://rest.fal.ai")
        self.platform = Exchange(http, platform, {"Authorization": f"Key {admin}"}) if admin else None
        self.signing_keys = signatures.KeySet(self.rest, ".well-known/jwks.json")

    def submit(self, brief: Brief) -> Remote:
        """See ``Provider.submit``."""
        model, at = self.model, QUALITIES.index(brief.quality)
        images = [pictures.png(image, side=model.side, limit=4_000_000) for image in brief.images.values()]
        photos = [pictures.data_uri(image) for image in images]
        path, name = model.one if len(photos) == 1 else model.several
        answer = self.api.create(
            path,
            timeout=120.0,
            params={"fal_webhook": brief.hook} if brief.hook else None,
            # fal's own second try is not billed, but a forwarded call would begin anew at the other company.
            headers=CALL | ({"x-fal-no-retry": "1"} if model.forwarded else {}),
            json={
                name: photos if name.endswith("_urls") else photos[0],
                **{word: value[at] if isinstance(value, tuple) else value for word, value in model.asked.items()},
                **({model.texture: brief.options.texture} if model.texture else {}),
            },
        )
        call = taken(answer, "request_id")
        # Addresses elsewhere are not followed; our own leave out what comes after the app's name, as fal's do.
        built = f"{'/'.join(path.split('/')[:2])}/requests/{quote(call, safe='')}"
        ways = {"response": built, "status": f"{built}/status", "cancel": f"{built}/cancel"}
        given = {way: text(answer, f"{way}_url") for way in ways}
        ways |= {way: url.removeprefix(self.api.base) for way, url in given.items() if url.startswith(self.api.base)}
        return Remote(call, {**ways, "began": datetime.now(UTC).isoformat(timespec="seconds")})

    def poll(self, remote: Remote) -> Pending | Finished | Failed:
        """See ``Provider.poll``. A failed call is COMPLETED, too: with an error, or with one in the result's stead."""
        status: dict[str, Any] = {}
        try:
            status = self.api.ask("GET", remote.extra["status"])
            if text(status, "status") != "COMPLETED":
                return Pending(wait=backed_off(remote.polls, first=1.5, longest=5))
            return Finished() if self._link(remote) and not status.get("error") else Failed()
        except NotThere:
            return Failed("provider_lost")
        except Refused as refused:
            # 422 is about the photo, as a rule; the answer quotes it and is not read.
            return Failed("provider_declined" if refused.status == 422 else "provider_failed")
        except Unavailable:
            if status.get("error"):
                return Failed()
            raise

    def fetch(self, remote: Remote) -> Iterator[bytes]:
        """See ``Provider.fetch``."""
        yield from self.api.download(self._link(remote))

    def _link(self, remote: Remote) -> str:
        """The result's GLB; fields differ by model, and ``model_mesh`` may be an archive. Empty for none."""
        found = self.api.ask("GET", remote.extra["response"])
        mesh = text(found, "model_mesh", "url")
        named = text(found, "model_mesh", "file_name") or mesh.partition("?")[0]
        if not named.lower().endswith(".glb") and text(found, "model_mesh", "content_type") != "model/gltf-binary":
            mesh = ""
        best = text(found, "model_glb_pbr", "url") or text(found, "model_glb", "url")
        return best or mesh or text(found, "model_urls", "glb", "url")

    def erase(self, remote: Remote) -> Erasure:
        """See ``Provider.erase``. What cannot be deleted goes by itself; what another company has is out of reach."""
        with suppress(NotThere, Refused):  # it is over
            self.api.ask("PUT", remote.extra["cancel"])
        erased = self._delete(remote)
        if self.model.forwarded:
            return Erasure(Erased.UNSUPPORTED)
        if erased:
            return Erasure(Erased.ERASED)
        return Erasure(Erased.EXPIRES, at=datetime.fromisoformat(remote.extra["began"]) + MADE_WITHIN + KEPT)

    def _delete(self, remote: Remote) -> bool:
        """Delete the call. True if it is over and its file seen to be gone: fal may lack the record that names it."""
        if self.platform is None:
            return False
        link = ""
        with suppress(NotThere, Refused):  # no such call, or no result
            status = self.api.ask("GET", remote.extra["status"])
            if text(status, "status") != "COMPLETED":
                return False  # a model need not obey when it is cancelled
            link = "" if status.get("error") else self._link(remote)
        try:
            with suppress(NotThere):
                done = self.platform.ask("DELETE", f"v1/models/requests/{quote(remote.id, safe='')}/payloads")
                files = done.get("cdn_delete_results") or []
                if any(not isinstance(file, dict) or file.get("exception") for file in files):
                    return False
            if link:
                with self.api.opened("HEAD", link):
                    return False
        except NotThere:
            return True
        except (Refused, Misconfigured):
            return False
        return True

    def heard(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> str:
        """See ``Hooked.heard``."""
        names = ("request-id", "user-id", "timestamp", "signature")
        call, user, stamp, signature = (headers.get(f"x-fal-webhook-{name}", "") for name in names)
        message = "\n".join((call, user, stamp, sha256(body).hexdigest())).encode()
        signatures.timely(stamp, now)
        self.signing_keys.verify(signature, message, now)
        return call
