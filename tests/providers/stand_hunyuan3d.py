"""Both versions of Hunyuan3D under the contract."""

from collections.abc import Callable

from generation.provider import Erased
from sandbox.providers.hunyuan3d import Hunyuan3D21Simulator, Hunyuan3DSimulator
from sandbox.providers.simulator import Simulator
from tests.providers.stands import Stand


def _stand(name: str, simulator: Callable[[], Simulator], variable: str) -> Stand:
    return Stand(
        name=name,
        simulator=simulator,
        setup=lambda running: {variable: running.url},
        erased=Erased.SWEPT,
        erased_unmade=Erased.SWEPT,
        tells_failure=False,
        links=False,
        has_key=False,
    )


STANDS = (
    _stand("hunyuan3d", Hunyuan3DSimulator, "HUNYUAN3D_URL"),
    _stand("hunyuan3d-21", Hunyuan3D21Simulator, "HUNYUAN3D_21_URL"),
)
