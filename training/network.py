"""The network: a framed picture in; depth of front, thickness, doubt, and the camera's elevation out.

A U-Net (Ronneberger et al. 2015) of residual blocks (He et al. 2016) with transformer layers (Vaswani et al. 2017)
at its narrowest, where each of 16 x 16 places sees all others: how thick a part is depends on what the whole is.
Input (n, 7, 128, 128), made by ``generation/engine/network.py``: colours, mask, distance to the outline, y, x.
Output ``maps`` (n, 3, 128, 128): front and thickness in frame widths, and the logarithm of the expected error of
either; ``tilt`` (n, 2): elevation in radians and the logarithm of its expected error.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

SIDE = 128
INPUTS = 7
WIDTHS = (40, 96, 160)  # at 64, 32 and 16 pixels
PLACES = 16  # to a side
WIDTH = 256  # of what a place is described by
LAYERS = 6
HEADS = 8


class Block(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) to (n, outputs, h, w)."""
        y = functional.relu(self.norm1(self.first(x)))
        return functional.relu(self.norm2(self.second(y)) + self.shortcut(x))


class Layer(nn.Module):
    """Self-attention and a two-layer perceptron, each normalised before and beside a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 3 * width), nn.GELU(), nn.Linear(3 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """(n, places, width) to the same."""
        count, places, width = x.shape
        parts = self.mix(self.norm1(x)).reshape(count, places, 3, HEADS, width // HEADS).permute(2, 0, 3, 1, 4)
        query, key, value = parts[0], parts[1], parts[2]
        seen = functional.scaled_dot_product_attention(query, key, value)
        x = x + self.out(seen.transpose(1, 2).reshape(count, places, width))
        return x + self.mlp(self.norm2(x))


class Network(nn.Module):
    """See the module's docstring."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c = WIDTHS
        self.stem = nn.Conv2d(INPUTS, a, 5, stride=2, padding=2)
        self.down = nn.ModuleList(
            [Block(a, a), nn.Sequential(Block(a, b), Block(b, b)), nn.Sequential(Block(b, c), Block(c, c))]
        )
        self.enter = nn.Conv2d(c, WIDTH, 1)
        self.places = nn.Parameter(0.02 * torch.randn(1, PLACES**2, WIDTH))
        self.layers = nn.Sequential(*(Layer(WIDTH) for _ in range(LAYERS)))
        self.leave = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 128))
        self.up = nn.ModuleList([Block(128 + b, b), Block(b + a, a)])
        self.head = nn.Conv2d(a, 3 * 4, 3, padding=1)
        self.tilt = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 7, 128, 128) to ``maps`` and ``tilt``."""
        x = functional.relu(self.stem(x))
        passed = []
        for number, block in enumerate(self.down):
            x = block(functional.max_pool2d(x, 2) if number else x)
            passed.append(x)
        tokens = self.layers(self.enter(x).flatten(2).transpose(1, 2) + self.places)
        tilt = self.tilt(tokens.mean(dim=1))
        x = self.leave(tokens).transpose(1, 2).unflatten(2, (PLACES, PLACES))
        for block, beside in zip(self.up, reversed(passed[:-1]), strict=True):
            x = block(torch.cat([functional.interpolate(x, scale_factor=2.0, mode="nearest"), beside], dim=1))
        maps = functional.pixel_shuffle(self.head(x), 2)
        front, thickness, doubt = maps[:, :1], functional.softplus(maps[:, 1:2] - 1), maps[:, 2:]
        return torch.cat([front, thickness, doubt], dim=1), tilt
