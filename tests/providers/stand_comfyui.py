"""ComfyUI under the contract, with the workflow of the documentation."""

from pathlib import Path

from generation.provider import Erased
from sandbox.providers.comfyui import ComfyUISimulator
from tests.providers.stands import Stand

SAMPLE = Path(__file__).parents[2] / "docs" / "comfyui-hunyuan3d.json"
STANDS = (
    Stand(
        name="comfyui",
        simulator=ComfyUISimulator,
        setup=lambda running: {"COMFYUI_URL": running.url, "COMFYUI_WORKFLOW": str(SAMPLE)},
        erased=Erased.SWEPT,
        erased_unmade=Erased.SWEPT,
        has_key=False,
    ),
)
