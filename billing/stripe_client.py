"""The one way to Stripe: its own library, with our key, our patience and our names for what goes wrong.

Errors::

    StripeError
    ├── BillingOff    this site sells nothing: no key
    ├── Unavailable   no answer, too many calls, a fault of theirs, or a key that does not do: try again later
    └── Refused       Stripe understood and will not; ``code`` is its code, never its text
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Final

import stripe
from django.conf import settings

logger = logging.getLogger(__name__)

PATIENCE_SECONDS: Final = 20
RETRIES: Final = 2
"""The library's own, of calls that carry an idempotency key; a client makes none unless it is told to."""


class StripeError(Exception):
    """Stripe did not do what was asked."""


class BillingOff(StripeError):
    """There is no key, so nothing is for sale."""


class Unavailable(StripeError):
    """Not now."""


class Refused(StripeError):
    """Not this. ``param`` names what Stripe objected to, where it said so."""

    def __init__(self, code: str = "", param: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.param = param


def api() -> stripe.StripeClient:
    """The library's client. Raises ``BillingOff``."""
    if not settings.BILLING:
        raise BillingOff
    return _client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, settings.EGRESS_PROXY)


@lru_cache(maxsize=4)
def _client(key: str, base: str, proxy: str) -> stripe.StripeClient:
    http = stripe.RequestsClient(timeout=PATIENCE_SECONDS, proxy=proxy or None)
    return stripe.StripeClient(
        key, base_addresses={"api": base} if base else {}, http_client=http, max_network_retries=RETRIES
    )


@contextmanager
def asking() -> Iterator[stripe.StripeClient]:
    """The client, with its errors turned into ours. What Stripe says may name people and is not logged."""
    try:
        yield api()
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        logger.error("Stripe refuses our key (%s)", type(error).__name__)
        raise Unavailable from None
    except (stripe.CardError, stripe.InvalidRequestError, stripe.IdempotencyError) as error:
        raise Refused(error.code or "", getattr(error, "param", None) or "") from None
    except stripe.StripeError:
        raise Unavailable from None


def marks(found: stripe.StripeObject | None) -> dict[str, str]:
    """An object's metadata as a plain dictionary."""
    return found.to_dict() if found else {}
