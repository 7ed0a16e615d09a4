"""Train the network on the data that ``training.views`` made.

    python -m training.train DATA OUT.pt --minutes 78 --seed 1      (or --steps N)

Loss: how far front and back are off, in frame widths (absolute), once nine tenths of the mean offset are forgiven,
since the distance to the camera cannot be seen; how far their slopes are off, on two scales; the Laplace likelihood
of the network's own doubt, which moves nothing but the doubt; and the elevation. AdamW (Loshchilov and Hutter 2019)
with a short rise and a cosine fall of the rate, by the clock or by steps; what is kept is the moving average of the
weights. Steps give the same run each time, as far as the processor's arithmetic goes; minutes fit a machine.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from generation.engine.network import inputs

from .export import restored
from .network import Network

BATCH = 32
RATE = 1.6e-3
WEIGHT_DECAY = 0.02
AVERAGE = 0.998
WARM_UP = 200
SLOPES, DOUBT, TILT = 0.7, 0.05, 0.3
"""Weights of the parts of the loss."""


class Data:
    """Samples in random order, each changed a little every time it is seen."""

    def __init__(self, folder: Path) -> None:
        names = ("rgb", "mask", "front", "back", "elevation")
        self.rgb, self.mask, self.front, self.back, self.elevation = (
            np.load(folder / f"{name}.npy", mmap_mode="r") for name in names
        )

    def __len__(self) -> int:
        return len(self.elevation)

    def batch(self, numbers: NDArray[np.int64], rng: Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Input (n, 7, s, s), truth (n, 2, s, s), inside (n, 1, s, s), elevation (n,) in radians."""
        seen, truth = [], []
        inside = np.empty((len(numbers), 1, *self.mask.shape[1:]), np.float32)
        for at, number in enumerate(numbers):
            turned = slice(None, None, -1 if rng.random() < 0.5 else 1)
            mask = self.mask[number][:, turned].astype(np.float32) / 255
            seen.append(inputs(recoloured(self.rgb[number][:, turned], rng), roughened(mask, rng)))
            truth.append(np.stack([self.front[number][:, turned], self.back[number][:, turned]]).astype(np.float32))
            inside[at, 0] = mask > 0.5
        return (
            torch.from_numpy(np.stack(seen)),
            torch.from_numpy(np.stack(truth)),
            torch.from_numpy(inside),
            torch.from_numpy(np.deg2rad(self.elevation[numbers]).astype(np.float32)),
        )

    def batches(self, rng: Generator) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
        """Batches without end; each is made while the one before is learnt from."""
        with ThreadPoolExecutor(1) as aside:
            order = rng.permutation(len(self))
            waiting = aside.submit(self.batch, order[:BATCH], rng)
            while True:
                made = waiting.result()  # first, since the generator of random numbers is the other thread's till then
                order = order[BATCH:] if len(order) >= 2 * BATCH else rng.permutation(len(self))
                waiting = aside.submit(self.batch, order[:BATCH], rng)
                yield made


def recoloured(rgb: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """Another camera: white balance, exposure, contrast, noise, blur; sometimes grey or with colours swapped."""
    picture = rgb.astype(np.float32) / 255
    kind = rng.random()
    if kind < 0.1:
        picture = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
    elif kind < 0.2:
        picture = picture[..., rng.permutation(3)]
    picture = picture ** np.exp(rng.uniform(-0.35, 0.35)) * rng.uniform(0.75, 1.2) * rng.uniform(0.9, 1.1, 3)
    if rng.random() < 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.4, 1.2)))
    if rng.random() < 0.5:
        picture = picture + rng.normal(size=picture.shape) * rng.uniform(0.01, 0.05)
    return np.asarray(np.clip(picture * 255, 0, 255), np.uint8)


def roughened(mask: NDArray[np.float32], rng: Generator) -> NDArray[np.float32]:
    """An outline that is a little wrong, at times, as those of cut-outs are."""
    if rng.random() > 0.15:
        return mask
    noise = cv2.GaussianBlur(rng.normal(size=mask.shape).astype(np.float32), (0, 0), float(rng.uniform(1.5, 5)))
    soft = cv2.GaussianBlur(mask, (0, 0), 1.2) + noise / noise.std() * rng.uniform(0.05, 0.25)
    return np.asarray(
        np.where((soft > 0.5) & (cv2.blur(mask, (7, 7)) > 0), np.maximum(mask, 0.51), mask * (soft > 0.3))
    )


def losses(
    maps: Tensor, tilt: Tensor, truth: Tensor, inside: Tensor, elevation: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Offset, slopes, doubt, elevation: each a mean over the batch of means over each subject."""
    guess = torch.stack([maps[:, 0], maps[:, 0] - maps[:, 1]], dim=1)
    area = inside.sum(dim=(1, 2, 3)).clamp(min=1)
    off = guess - truth
    middle = (off * inside).sum(dim=(1, 2, 3)) / (2 * area)
    off = (off - 0.9 * middle[:, None, None, None]) * inside
    distance = off.abs()
    main = (distance.sum(dim=(1, 2, 3)) / area).mean()
    slopes = torch.zeros(())
    for step in (1, 3):
        for axis in (2, 3):
            size = off.shape[axis] - step
            both = inside.narrow(axis, 0, size) * inside.narrow(axis, step, size)
            change = (off.narrow(axis, step, size) - off.narrow(axis, 0, size)).abs() * both
            slopes = slopes + (change.sum(dim=(1, 2, 3)) / area).mean() / math.sqrt(step)
    log = maps[:, 2:].clamp(-7, 2)
    error = distance.detach().mean(dim=1, keepdim=True)
    doubt = (((error * torch.exp(-log) + log) * inside).sum(dim=(1, 2, 3)) / area).mean()
    lean = tilt[:, 1].clamp(-5, 2)
    wrong = (tilt[:, 0] - elevation).abs()
    tilted = wrong.mean() + 0.1 * (wrong.detach() * torch.exp(-lean) + lean).mean()
    return main, slopes, doubt, tilted


def main() -> None:
    """Train until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float)
    length.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--start", type=Path, help="an exported file (.onnx) to go on from")
    parser.add_argument("--rate", type=float, default=RATE)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    data = Data(options.data)
    network = Network().to(memory_format=torch.channels_last)
    if options.start:
        network.load_state_dict(restored(options.start), strict=False)
    average = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=options.rate, weight_decay=WEIGHT_DECAY, betas=(0.9, 0.98))
    began, step = time.monotonic(), 0
    sums = np.zeros(4)
    batches = data.batches(rng)
    while True:
        spent = time.monotonic() - began
        done = step / options.steps if options.steps else spent / 60 / options.minutes
        if done >= 1:
            break
        x, truth, inside, elevation = next(batches)
        rate = options.rate * min(1, (step + 1) / WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * done))
        for group in optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16):
            maps, tilt = network(x.to(memory_format=torch.channels_last))
        parts = losses(maps.float(), tilt.float(), truth, inside, elevation)
        loss = parts[0] + SLOPES * parts[1] + DOUBT * parts[2] + TILT * parts[3]
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        step += 1
        keep = min(AVERAGE, (1 + step) / (20 + step))
        with torch.no_grad():
            for mean, now in zip(average.parameters(), network.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)
            for mean, now in zip(average.buffers(), network.buffers(), strict=True):
                if mean.is_floating_point():
                    mean.lerp_(now, 1 - keep)
        sums += [part.item() for part in parts]
        if step % 50 == 0:
            figures = " ".join(f"{value / 50:.4f}" for value in sums)
            print(f"{spent / 60:6.1f} min  step {step:6d}  offset slopes doubt tilt {figures}", flush=True)
            sums[:] = 0
        if step % 500 == 0:
            torch.save(average.state_dict(), options.out)
    torch.save(average.state_dict(), options.out)


if __name__ == "__main__":
    main()
