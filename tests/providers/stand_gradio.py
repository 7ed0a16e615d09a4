"""The Gradio apps under the contract, each on the Gradio that it asks for."""

from collections.abc import Callable, Mapping
from functools import partial

from generation.provider import Erased
from sandbox.providers.gradio import GradioSimulator
from sandbox.providers.simulator import Simulator
from tests.providers.stands import Stand


def _under(variable: str) -> Callable[[Simulator], Mapping[str, str]]:
    return lambda running: {variable: running.url}


STANDS = tuple(
    Stand(
        name=f"gradio-{app}",
        simulator=partial(GradioSimulator, app, version=version),
        setup=_under(variable),
        erased=Erased.SWEPT,
        erased_unmade=Erased.SWEPT,
        synchronous=True,
        failure="provider_failed",
        has_key=False,
    )
    for app, version, variable in (
        ("triposr", "6.31.0", "GRADIO_TRIPOSR_URL"),
        ("sf3d", "4.44.1", "GRADIO_SF3D_URL"),
        ("trellis", "4.44.1", "GRADIO_TRELLIS_URL"),
        ("trellis-2", "6.31.0", "GRADIO_TRELLIS_2_URL"),
    )
)
