"""What the network that cuts out has seen, it need not see again: of the same pixels it says the same.

For tests whose subject is what becomes of a photo, not how it is cut out; those of the engine ask the network itself.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generation.engine.saliency import saliency


def remembering(folder: Path) -> Callable[..., NDArray[np.float32] | None]:
    """``saliency``, which keeps its answers in a folder; processes that start with the same one share them."""
    folder.mkdir(exist_ok=True)

    def asked(rgb: NDArray[np.uint8], *, side: int = 320, threads: int) -> NDArray[np.float32] | None:
        picture = np.ascontiguousarray(rgb)
        digest = hashlib.sha256(f"{picture.shape} {side} ".encode() + picture.tobytes()).hexdigest()
        kept = folder / f"{digest}.npy"
        if kept.exists():
            known: NDArray[Any] = np.load(kept)
            return known.astype(np.float32)
        answer = saliency(rgb, side=side, threads=threads)
        if answer is not None:
            written = folder / f"{digest}.{os.getpid()}.npy"
            np.save(written, answer)
            written.rename(kept)  # whole, or not there: who writes may be killed
        return answer

    return asked
