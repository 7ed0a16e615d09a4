"""Muon (Jordan et al. 2024): momentum whose matrix is made orthogonal before the step, scaled as Liu et al. (2025)
do so that rate and decay mean what they mean for AdamW. For matrices inside the network; the rest takes AdamW.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor

MOMENTUM = 0.95
# Of the quintic that drives singular values towards 1, and how often it is applied.
COEFFICIENTS, TURNS = (3.4445, -4.7750, 2.0315), 5
# Root mean square that AdamW's steps have.
ADAM = 0.2


class Muon(torch.optim.Optimizer):
    """``params`` are matrices or convolutions, taken as (outputs, everything else)."""

    def __init__(self, params: Iterable[Tensor], lr: float, weight_decay: float) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """One step; matrices of one shape are handled together."""
        for group in self.param_groups:
            alike: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is not None:
                    alike[weight.flatten(1).shape].append(weight)
            for weights in alike.values():
                moved = []
                for weight in weights:
                    state = self.state[weight]
                    if not state:
                        state["momentum"] = torch.zeros_like(weight)
                    state["momentum"].lerp_(weight.grad, 1 - MOMENTUM)
                    moved.append(weight.grad.lerp(state["momentum"], MOMENTUM).flatten(1))
                steps = orthogonal(torch.stack(moved))
                scale = ADAM * max(steps.shape[1:]) ** 0.5
                for weight, step in zip(weights, steps, strict=True):
                    weight.mul_(1 - group["lr"] * group["weight_decay"])
                    weight.add_(step.reshape(weight.shape), alpha=-group["lr"] * scale)


def orthogonal(matrices: Tensor) -> Tensor:
    """The nearest matrices (n, r, c) with singular values about 1, by Newton and Schulz's iteration."""
    x = matrices.bfloat16()
    tall = x.shape[1] > x.shape[2]
    x = x.transpose(1, 2) if tall else x
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(TURNS):
        square = x @ x.transpose(1, 2)
        x = a * x + (b * square + c * square @ square) @ x
    return (x.transpose(1, 2) if tall else x).to(matrices.dtype)
