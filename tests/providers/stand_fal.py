"""fal's models under the contract: some with an administrator's key, by which they can delete, some without."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from generation.provider import Erased
from sandbox.providers.fal import FalSimulator
from sandbox.providers.simulator import Simulator
from tests.providers.stands import Stand

ADDRESSES = ("FAL_URL", "FAL_API_URL", "FAL_REST_URL")


def environment(*, admin: bool) -> Callable[[Simulator], Mapping[str, str]]:
    """The variables that point a provider at a running stand-in."""

    def of(running: Simulator) -> Mapping[str, str]:
        keys = {"FAL_KEY": running.key} | ({"FAL_ADMIN_KEY": FalSimulator.admin_key} if admin else {})
        return keys | dict.fromkeys(ADDRESSES, f"{running.url} {running.files}")

    return of


STANDS = tuple(
    Stand(name=name, simulator=FalSimulator, setup=environment(admin=admin), erased=erased)
    for name, admin, erased in (
        ("fal-trellis", True, Erased.ERASED),
        ("fal-trellis-2", False, Erased.EXPIRES),
        ("fal-triposr", False, Erased.EXPIRES),
        ("fal-hunyuan3d", True, Erased.ERASED),
        ("fal-rodin", True, Erased.UNSUPPORTED),
    )
)
