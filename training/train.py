"""Train the network on views drawn as they are needed, on an accelerator.

    python -m training.train BANK.npz OUT.pt --minutes 9 --seed 1      (or --steps N)

Loss: how far front and back are off, in frame widths, once nine tenths of the mean offset are forgiven, since the
distance to the camera cannot be seen; large errors count by their logarithm, since a surface that is missed is
missed; how far the slopes are off, on two scales; the Laplace likelihood of the network's own doubt, which moves
nothing but the doubt; and the elevation. Muon for the matrices and AdamW (Loshchilov and Hutter 2019) for the rest,
with a short rise and a cosine fall of the rate, by the clock or by steps; what is kept is the moving average of the
weights. Every minute the objects of BANK-val.npz, which are never learnt from, are looked at.
"""

from __future__ import annotations

import argparse
import copy
import math
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from . import bank
from .bank import Bank
from .evaluate import VIEWS
from .export import restored
from .muon import Muon
from .network import Network
from .primitives import primitive
from .raster import Accelerator
from .render import Camera, Light
from .scenes import Scene, Scenes, plain
from .views import Batch, Views

BATCH = 256
RATE = 3e-3
WEIGHT_DECAY = 0.05
AVERAGE = 0.999
WARM_UP = 300
LARGE = 0.1
"""Frame widths from which on an error counts as large."""
SLOPES, DOUBT, TILT = 0.7, 0.05, 0.3
"""Weights of the parts of the loss."""
MADE_UP = 4000
"""Primitives beside the objects of the corpus."""


def _made_up(seeds: range) -> Bank:
    meshes = [primitive(np.random.default_rng((7, number))) for number in seeds]
    return bank.packed(meshes, [""] * len(meshes), smooth=False)


def with_primitives(objects: Bank, count: int, processes: int) -> Bank:
    """The bank with ``count`` random objects more."""
    parts = [range(first, count, processes) for first in range(processes)]
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        for made in pool.map(_made_up, parts):
            objects = bank.joined(objects, made)
    return objects


def losses(maps: Tensor, tilt: Tensor, batch: Batch) -> Tensor:
    """Offset, slopes, doubt, elevation (4,): each a mean over the batch of means over each subject."""
    inside = batch.inside
    guess = torch.stack([maps[:, 0], maps[:, 0] - maps[:, 1]], dim=1)
    area = inside.sum(dim=(1, 2, 3)).clamp(min=1)
    off = guess - batch.truth
    middle = (off * inside).sum(dim=(1, 2, 3)) / (2 * area)
    off = (off - 0.9 * middle[:, None, None, None]) * inside
    distance = off.abs()
    main = ((LARGE * torch.log1p(distance / LARGE)).sum(dim=(1, 2, 3)) / area).mean()
    slopes = torch.zeros((), device=maps.device)
    for step in (1, 3):
        for axis in (2, 3):
            size = off.shape[axis] - step
            both = inside.narrow(axis, 0, size) * inside.narrow(axis, step, size)
            change = (off.narrow(axis, step, size) - off.narrow(axis, 0, size)).abs() * both
            change = LARGE * torch.log1p(change / LARGE)
            slopes = slopes + (change.sum(dim=(1, 2, 3)) / area).mean() / math.sqrt(step)
    log = maps[:, 2:].clamp(-7, 2)
    error = distance.detach().mean(dim=1, keepdim=True)
    doubt = (((error * torch.exp(-log) + log) * inside).sum(dim=(1, 2, 3)) / area).mean()
    lean = tilt[:, 1].clamp(-5, 2)
    wrong = (tilt[:, 0] - batch.elevation).abs()
    tilted = wrong.mean() + 0.1 * (wrong.detach() * torch.exp(-lean) + lean).mean()
    return torch.stack([main, slopes, doubt, tilted])


class Validation:
    """How far off the network is on the validation objects, as ``training.evaluate`` measures it."""

    def __init__(self, objects: Bank, run: Accelerator, device: str) -> None:
        views = Views(objects, run, device)
        cameras = [Camera(yaw=yaw, elevation=elevation) for yaw, elevation in VIEWS]
        everything = np.arange(len(objects.objects))
        self.batches = [
            views.plain(plain(objects, everything, [camera] * len(everything), [Light()] * len(everything)))
            for camera in cameras
        ]

    @torch.no_grad()
    def __call__(self, network: nn.Module) -> tuple[float, float]:
        """Mean distance of front and back from the truth in frame widths, and of the elevation in degrees."""
        network.eval()
        off, leaning = [], []
        for batch in self.batches:
            maps, tilt = network(batch.seen)
            wrong = (torch.stack([maps[:, 0], maps[:, 0] - maps[:, 1]], dim=1) - batch.truth) * batch.inside
            area = 2 * batch.inside.sum(dim=(1, 2, 3))
            wrong = (wrong - (wrong.sum(dim=(1, 2, 3)) / area)[:, None, None, None]) * batch.inside
            off.append((wrong.abs().sum(dim=(1, 2, 3)) / area).mean())
            leaning.append((tilt[:, 0] - batch.elevation).abs().mean())
        network.train()
        return float(torch.stack(off).mean()), float(torch.rad2deg(torch.stack(leaning).mean()))


def optimisers(network: Network, rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of blocks and layers, AdamW for all else."""
    inner = ("down", "layers", "up", "enter", "leave")
    matrices: list[Tensor] = []
    rest: list[Tensor] = []
    for name, weight in network.named_parameters():
        (matrices if weight.ndim > 1 and name.split(".")[0] in inner else rest).append(weight)
    return [
        Muon(matrices, lr=rate, weight_decay=WEIGHT_DECAY),
        torch.optim.AdamW(rest, lr=rate, weight_decay=WEIGHT_DECAY, betas=(0.9, 0.98)),
    ]


def averaged(average: nn.Module, network: nn.Module, keep: float) -> None:
    """Move the average towards the network."""
    with torch.no_grad():
        torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - keep)
        buffers = [
            (mean, now)
            for mean, now in zip(average.buffers(), network.buffers(), strict=True)
            if mean.is_floating_point()
        ]
        torch._foreach_lerp_([mean for mean, _ in buffers], [now for _, now in buffers], 1 - keep)


def scenes(objects: Bank, seed: int, workers: int) -> Iterator[Scene]:
    """Batches' scenes without end, chosen by other processes."""
    loader = torch.utils.data.DataLoader(
        Scenes(objects, BATCH, seed), batch_size=None, num_workers=workers, prefetch_factor=4 if workers else None,
        multiprocessing_context="fork" if workers else None,
    )  # fmt: skip
    return iter(loader)


@dataclass
class Course:
    """What a training needs besides the network. Ends after ``steps``, or else when the clock says ``until``."""

    views: Views
    queue: Iterator[Scene]
    validation: Validation
    learners: list[torch.optim.Optimizer]
    rate: float
    until: float
    steps: int | None = None
    out: Path | None = None

    def done(self, began: float, step: int) -> float:
        """The share of the training that is over."""
        return step / self.steps if self.steps else (time.monotonic() - began) / (self.until - began)


def learn(network: Network, compiled: Any, course: Course) -> Network:
    """Train ``network``, of which ``compiled`` is a faster form; returns the moving average."""
    average = copy.deepcopy(network)
    began = told = time.monotonic()
    step, sums = 0, torch.zeros(4, device="cuda")
    while (done := course.done(began, step)) < 1:
        batch = course.views.changed(next(course.queue))
        rate = course.rate * min(1, (step + 1) / WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * done))
        for learner in course.learners:
            for group in learner.param_groups:
                group["lr"] = rate
        with torch.autocast("cuda", torch.bfloat16):
            maps, tilt = compiled(batch.seen.to(memory_format=torch.channels_last))
        parts = losses(maps.float(), tilt.float(), batch)
        loss = parts[0] + SLOPES * parts[1] + DOUBT * parts[2] + TILT * parts[3]
        network.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        for learner in course.learners:
            learner.step()
        step += 1
        averaged(average, network, min(AVERAGE, (1 + step) / (20 + step)))
        sums += parts.detach()
        if step % 100 == 0:
            figures = " ".join(f"{value / 100:.4f}" for value in sums.tolist())
            spent = time.monotonic() - began
            print(f"{spent:6.1f} s  step {step:6d}  offset slopes doubt tilt {figures}", flush=True)
            sums.zero_()
        if time.monotonic() - told > 60:
            told = time.monotonic()
            print("validation: off {:.4f}, elevation {:.2f} degrees".format(*course.validation(average)), flush=True)
            if course.out:
                torch.save(average.state_dict(), course.out)
    print("at the end: off {:.4f}, elevation {:.2f} degrees".format(*course.validation(average)), f"{step} steps")
    return average


def main() -> None:
    """Train until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bank", type=Path)
    parser.add_argument("out", type=Path)
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float)
    length.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--start", type=Path, help="an exported file (.onnx) to go on from")
    options = parser.parse_args()
    until = time.monotonic() + 60 * (options.minutes or 0)
    torch.manual_seed(options.seed)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.benchmark = True
    objects = with_primitives(bank.load(options.bank), MADE_UP, options.workers)
    queue = scenes(objects, options.seed, options.workers)
    next(queue)  # other processes must be there before this one touches the accelerator
    run = Accelerator()
    validation = Validation(bank.load(options.bank.with_stem(options.bank.stem + "-val")), run, "cuda")
    network = Network().to("cuda", memory_format=torch.channels_last)
    if options.start:
        network.load_state_dict(restored(options.start), strict=False)
    course = Course(
        Views(objects, run, "cuda"), queue, validation, optimisers(network, options.rate), options.rate, until,
        options.steps, options.out,
    )  # fmt: skip
    torch.save(learn(network, torch.compile(network), course).state_dict(), options.out)


if __name__ == "__main__":
    main()
