"""Stability AI's two models under the contract."""

from generation.provider import Erased
from sandbox.providers.stability import StabilitySimulator
from tests.providers.stands import Stand

STANDS = tuple(
    Stand(
        name=name,
        simulator=StabilitySimulator,
        setup=lambda running: {"STABILITY_API_KEY": running.key, "STABILITY_URL": running.url},
        erased=Erased.UNKNOWN,
        synchronous=True,
    )
    for name in ("stability-sf3d", "stability-spar3d")
)
