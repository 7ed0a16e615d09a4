"""Meshy under the contract."""

from generation.provider import Erased
from sandbox.providers.meshy import MeshySimulator
from tests.providers.stands import Stand

STANDS = (
    Stand(
        name="meshy",
        simulator=MeshySimulator,
        setup=lambda running: {"MESHY_API_KEY": running.key, "MESHY_URL": f"{running.url} {running.files}"},
        erased=Erased.ERASED,
    ),
)
