"""Hyper3D Rodin under the contract."""

from generation.provider import Erased
from sandbox.providers.rodin import RodinSimulator
from tests.providers.stands import Stand

STANDS = (
    Stand(
        name="rodin",
        simulator=RodinSimulator,
        setup=lambda running: {"RODIN_API_KEY": running.key, "RODIN_URL": f"{running.url} {running.files}"},
        erased=Erased.UNSUPPORTED,
    ),
)
