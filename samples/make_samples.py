"""The sample pictures, made by code: four objects modelled as distance fields and rendered like photos.

    python -m samples.make_samples [FOLDER]

Writes mug.jpg, boat.jpg, mushroom.jpg and vase.jpg (static/samples/ unless told otherwise), the same bytes
every time on the same versions of numpy and OpenCV. Nobody's photo, nobody's licence: they are ours.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .camera import Scene, photograph
from .objects import boat, boat_paint, mug, mug_paint, mushroom, mushroom_paint, vase, vase_paint

MOST_BYTES = 100_000

SCENES = [
    Scene("mug", mug, mug_paint, 0.5, 24, 16, 3.2, 0.47, (0.52, 0.42, 0.31), (0.62, 0.60, 0.55)),
    Scene("boat", boat, boat_paint, 0.35, -24, 15, 4.0, 0.42, (0.62, 0.58, 0.50), (0.42, 0.50, 0.52)),
    Scene("mushroom", mushroom, mushroom_paint, 0.3, 8, 11, 3.3, 0.48, (0.30, 0.33, 0.24), (0.42, 0.46, 0.38)),
    Scene("vase", vase, vase_paint, 0.25, 0, 10, 3.4, 0.56, (0.60, 0.56, 0.48), (0.58, 0.60, 0.60)),
]


def jpeg(picture: NDArray[np.uint8]) -> bytes:
    """The picture as JPEG, as good as its size limit allows."""
    for quality in range(90, 50, -3):
        _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
        if len(data) <= MOST_BYTES:
            return data.tobytes()
    raise ValueError("The picture does not fit its size limit.")


def main() -> None:
    """Write all samples."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "static" / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    for scene in SCENES:
        (folder / f"{scene.name}.jpg").write_bytes(jpeg(photograph(scene)))


if __name__ == "__main__":
    main()
