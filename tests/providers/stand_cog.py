"""Cog under the contract."""

from generation.provider import Erased
from sandbox.providers.cog import CogSimulator
from tests.providers.stands import Stand

STANDS = (
    Stand(
        name="cog",
        simulator=CogSimulator,
        setup=lambda running: {"COG_URL": running.url},
        erased=Erased.SWEPT,
        erased_unmade=Erased.SWEPT,
        synchronous=True,
        failure="provider_failed",
        has_key=False,
    ),
)
