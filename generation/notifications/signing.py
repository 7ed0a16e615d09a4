"""Each request to a webhook is signed, so that its receiver knows it is ours, unchanged, and of now.

The scheme is that of standardwebhooks.com: an HMAC-SHA-256 over id, time and body, under a secret that the receiver
has, too. While a new secret replaces one, both sign, and the receiver may check with either.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from datetime import datetime
from typing import Final

from accounts.secrets import seal, unseal
from generation.models import Notification, Webhook

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
PURPOSE: Final = "generation.notifications"


def new_secret() -> str:
    """A secret that nobody has had before, as its owner gets it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def kept(secret: str) -> str:
    """What is stored of it."""
    return seal(secret, purpose=PURPOSE)


def headers(webhook: Webhook, notification: Notification, body: bytes, *, now: datetime) -> dict[str, str]:
    """The three headers of a request that is sent now. Raises ``accounts.secrets.Unreadable``."""
    stamp = str(int(now.timestamp()))
    signed = f"{notification.message_id}.{stamp}.".encode() + body
    sealed = [webhook.secret]
    if webhook.old_until is not None and now < webhook.old_until:
        sealed.append(webhook.old_secret)
    signatures = [_signature(unseal(one, purpose=PURPOSE), signed) for one in sealed]
    return {
        "webhook-id": notification.message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(signatures),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
