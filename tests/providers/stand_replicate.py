"""Replicate's models under the contract."""

from generation.provider import Erased
from sandbox.providers.replicate import ReplicateSimulator
from tests.providers.stands import Stand

STANDS = tuple(
    Stand(
        name=name,
        simulator=ReplicateSimulator,
        setup=lambda running: {"REPLICATE_API_KEY": running.key, "REPLICATE_URL": f"{running.url} {running.files}"},
        erased=Erased.EXPIRES,
    )
    for name in ("replicate-trellis", "replicate-triposr")
)
