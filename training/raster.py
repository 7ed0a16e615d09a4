"""The programs of ``raster.cu`` for arrays that lie on the accelerator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

THREADS = 256


class Accelerator:
    """Compiles the programs on the machine (NVRTC, by CuPy) and runs them in PyTorch's stream."""

    def __init__(self) -> None:
        import cupy  # not among the requirements: only where there is an accelerator

        self.cupy = cupy
        self.module = cupy.RawModule(
            code=Path(__file__).with_name("raster.cu").read_text(), options=("-use_fast_math",)
        )

    def __call__(self, program: str, threads: int, *arguments: Tensor | int | None) -> None:
        """Run ``program`` on so many threads; whole numbers are 32 bits, None is a null pointer."""
        if not threads:
            return
        values: list[Any] = []
        for argument in arguments:
            if isinstance(argument, Tensor):
                assert argument.is_contiguous()
                values.append(self.cupy.uint64(argument.data_ptr()))
            else:
                values.append(self.cupy.uint64(0) if argument is None else self.cupy.int32(argument))
        stream = self.cupy.cuda.ExternalStream(torch.cuda.current_stream().cuda_stream)
        with stream:
            self.module.get_function(program)((-(-threads // THREADS),), (THREADS,), tuple(values))
