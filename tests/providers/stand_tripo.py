"""Tripo under the contract."""

from generation.provider import Erased
from sandbox.providers.tripo import TripoSimulator
from tests.providers.stands import Stand

STANDS = (
    Stand(
        name="tripo",
        simulator=TripoSimulator,
        setup=lambda running: {"TRIPO_API_KEY": running.key, "TRIPO_URL": f"{running.url} {running.files}"},
        erased=Erased.UNSUPPORTED,
    ),
)
