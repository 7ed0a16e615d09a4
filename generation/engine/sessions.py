"""How the engine opens a network: checked weights, few threads, memory bounded by the largest run."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .errors import WeightsAltered


def open_session(weights: Path, sha256: str, threads: int, edit: Callable[[bytes], bytes] = bytes) -> Any | None:
    """The network in a file, ready to run on so many threads; None where onnxruntime is not installed.

    ``edit`` may change the bytes once they are known to be the right ones. Raises WeightsAltered when they are not.
    """
    try:
        import onnxruntime
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Fresh memory for every tensor of every run costs half as much again as the arithmetic, so it is kept. Without
    # a plan made for one size in advance, what is kept is also the smallest.
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(edit(checked(weights, sha256)), options, providers=["CPUExecutionProvider"])


def checked(weights: Path, sha256: str) -> bytes:
    """The bytes of a file, if their sha256 is the known one. Raises WeightsAltered."""
    data = weights.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise WeightsAltered(f"{weights.name} is not the file this engine was written for.")
    return data
