"""A stand-in for Stripe, driven by the official library unchanged: ``Sandbox``, or ``python -m sandbox.stripe``."""

from sandbox.stripe.refusal import Refusal
from sandbox.stripe.running import Sandbox

__all__ = ["Refusal", "Sandbox"]
