"""What is learnt from: scenes as the network sees them, and the truth behind them.

Views are drawn as they are needed, a batch at a time, on the accelerator (``raster.cu``): none is seen twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from generation.engine.network import DISTANCE_UNIT

from .bank import Bank
from .render import FILL
from .scenes import Scene

SIDE = 128
SAMPLES = 2


@dataclass(frozen=True)
class Batch:
    """``seen`` (n, 7, s, s), the network's input; ``truth`` (n, 2, s, s), depth of front and back in frame widths;
    ``inside`` (n, 1, s, s), 1 where both are known; ``elevation`` (n,) in radians; ``rgb`` (n, 3, s, s), 0 to 1.
    """

    seen: Tensor
    truth: Tensor
    inside: Tensor
    elevation: Tensor
    rgb: Tensor


class Views:
    """Draws scenes of a bank's objects. ``run`` runs a program of ``raster.cu`` (``raster.Accelerator``)."""

    def __init__(self, bank: Bank, run: Any, device: torch.device | str) -> None:
        self.run, self.device = run, device
        self.vertices, self.triangles, self.normals = bank.objects[:, 0], bank.objects[:, 1], bank.objects[:, 2]
        self.first_vertex = np.cumsum(self.vertices) - self.vertices
        self.first_triangle = np.cumsum(self.triangles) - self.triangles
        self.positions, self.uv = self._there(bank.positions), self._there(bank.uv)
        self.corners, self.groups = self._there(bank.triangles), self._there(bank.groups)
        self.textures = self._there(bank.textures)

    def _there(self, values: NDArray[Any]) -> Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(values))
        return tensor.pin_memory().to(self.device, non_blocking=True) if self.device != "cpu" else tensor

    def changed(self, scene: Scene) -> Batch:
        """The scene as another camera takes it: see ``changed``."""
        batch = self.drawn(scene)
        generator = torch.Generator(self.device).manual_seed(scene.seed)
        rgb, mask = changed(batch.rgb, batch.seen, generator)
        return Batch(inputs(rgb, mask, self.run), batch.truth, batch.inside, batch.elevation, rgb)

    def plain(self, scene: Scene) -> Batch:
        """The scene as it is."""
        batch = self.drawn(scene)
        return Batch(inputs(batch.rgb, batch.seen, self.run), batch.truth, batch.inside, batch.elevation, batch.rgb)

    def drawn(self, scene: Scene) -> Batch:
        """The scene's views; ``seen`` is the mask alone (n, 1, s, s)."""
        objects, count, fine = scene.objects, len(scene.shape), SIDE * SAMPLES
        vertices, triangles, normals = self.vertices[objects], self.triangles[objects], self.normals[objects]
        whose_vertex, vertex = self._spread(vertices, self.first_vertex[objects])
        whose, triangle = self._spread(triangles, self.first_triangle[objects])
        view_of, placing, shape = (self._there(part) for part in (scene.view_of, scene.placing, scene.shape))
        view = view_of[whose_vertex].long()  # of each vertex

        rest = (self.positions[vertex] * placing[whose_vertex, :3] + placing[whose_vertex, 3:]).contiguous()
        points = torch.einsum("vij,vj->vi", shape[:, 9:18].reshape(-1, 3, 3)[view], rest)
        points = bent(points, shape[view, 18:34])
        points = torch.einsum("vij,vj->vi", shape[:, :9].reshape(-1, 3, 3)[view], points)
        low, high = extremes(points, view, count)
        points = (points - ((low + high) / 2)[view]).contiguous()
        radius = extremes(points.norm(dim=1, keepdim=True), view, count)[1][:, 0]
        distance = torch.maximum(radius / torch.sin(shape[:, 34] / 2), 1.05 * radius)
        away = distance[view] - points[:, 2]
        flat = points[:, :2] * (distance[view] / away)[:, None]
        low, high = extremes(flat, view, count)
        width = ((high - low).amax(dim=1) / FILL).clamp(min=1e-6)
        flat = (flat - ((low + high) / 2)[view]) / width[view, None]
        screen = torch.stack([(flat[:, 0] + 0.5) * fine, (0.5 - flat[:, 1]) * fine, 1 / away, points[:, 2]], dim=1)

        first = self._there(np.stack([np.cumsum(vertices) - vertices, np.cumsum(normals) - normals]).astype(np.int32))
        corners = (self.corners[triangle] + first[0, whose, None]).contiguous()
        groups = (self.groups[triangle] + first[1, whose, None]).contiguous()
        a, b, c = points[corners[:, 0]], points[corners[:, 1]], points[corners[:, 2]]
        faces = torch.cross(b - a, c - a, dim=1)
        facing = torch.zeros(int(normals.sum()), 3, device=self.device)
        facing.index_add_(0, groups.reshape(-1), faces.repeat_interleave(3, dim=0))
        facing = functional.normalize(facing, dim=1)

        light = self._there(scene.light)
        light[:, :3] = torch.stack([width, distance, radius], dim=1)
        whose = whose.int()
        near = torch.zeros(count, fine, fine, dtype=torch.int64, device=self.device)
        far = torch.full((count, fine, fine), -1, dtype=torch.int32, device=self.device)
        top = torch.zeros(count, fine, fine, dtype=torch.int32, device=self.device)
        self.run("rasterise", 32 * len(whose), screen, corners, whose, view_of, len(whose), fine, near, far, None)
        lamp, size = light[view], 2.02 * radius[view]
        across, up, towards = ((points * lamp[:, at : at + 3]).sum(1) for at in (34, 37, 3))
        from_lamp = torch.stack(
            [(across / size + 0.5) * fine, (up / size + 0.5) * fine, torch.ones_like(size), towards], dim=1
        )
        # All at one place, so that nothing is drawn, where no shadow is wanted.
        from_lamp = torch.where(lamp[:, 17:18] > 0.5, from_lamp, -1.0)
        self.run("rasterise", 32 * len(whose), from_lamp, corners, whose, view_of, len(whose), fine, None, None, top)
        mask, front, back = (torch.empty(count, SIDE, SIDE, device=self.device) for _ in range(3))
        lit = torch.empty(count, 6, SIDE, SIDE, device=self.device)
        self.run(
            "shade", count * SIDE * SIDE, screen, points, rest, self.uv[vertex], corners, groups, facing, whose,
            self.textures, self._there(scene.texture), light, near, far, top, count, SIDE, SAMPLES, mask, front, back,
            lit,
        )  # fmt: skip
        rgb = lit[:, :3] * hollow(front, mask, self._there(scene.hollows))[:, None] + lit[:, 3:]
        rgb = rgb.clamp(0, 1) ** (1 / 2.2) * (mask > 0)[:, None]
        inside = (mask > 0.5).float()[:, None]
        return Batch(mask[:, None], torch.stack([front, back], dim=1) * inside, inside, shape[:, 35], rgb)

    def _spread(self, counts: NDArray[np.int64], first: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """For runs of ``counts`` entries that begin at ``first``: the run of each entry, and its place."""
        total = int(counts.sum())
        both = self._there(np.stack([counts, first - (np.cumsum(counts) - counts)]))
        numbers = torch.arange(len(counts), device=self.device)
        whose = torch.repeat_interleave(numbers, both[0], output_size=total)
        return whose, torch.arange(total, device=self.device) + both[1][whose]


def bent(points: Tensor, how: Tensor) -> Tensor:
    """Points (v, 3) out of shape as ``bend`` says for each (v, 16)."""
    x, y, z = points.unbind(1)
    angle, wide = how[:, 0] * y, 1 + how[:, 1] * y
    x, z = wide * (x * torch.cos(angle) + z * torch.sin(angle)), wide * (z * torch.cos(angle) - x * torch.sin(angle))
    points = torch.stack([x, y, z], dim=1)
    for at in (2, 9):
        wave = torch.sin((points * how[:, at + 3 : at + 6]).sum(1) + how[:, at + 6])
        points = points + how[:, at : at + 3] * wave[:, None]
    return points


def extremes(values: Tensor, whose: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Least and largest (count, k) of the values (v, k) of each."""
    index = whose[:, None].expand(-1, values.shape[1])
    zero = values.new_zeros(count, values.shape[1])
    return (
        zero.scatter_reduce(0, index, values, "amin", include_self=False),
        zero.scatter_reduce(0, index, values, "amax", include_self=False),
    )


def blurred(values: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of (n, k, s, s); what lies beyond the edge counts as the edge."""
    reach = max(1, round(3 * sigma))
    along = torch.arange(-reach, reach + 1, device=values.device)
    kernel = torch.exp(-(along**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).to(values.dtype)
    n, k, rows, columns = values.shape
    flat = functional.pad(values.reshape(n * k, 1, rows, columns), (reach,) * 4, mode="replicate")
    flat = functional.conv2d(functional.conv2d(flat, kernel[None, None, None]), kernel[None, None, :, None])
    return flat.reshape(n, k, rows, columns)


def hollow(depth: Tensor, mask: Tensor, strength: Tensor) -> Tensor:
    """How much light of the sky reaches each pixel (n, s, s; 1 = all), from how far it lies below its surroundings."""
    both = blurred(torch.stack([depth * mask, mask], dim=1), 0.03 * SIDE)
    below = ((both[:, 0] / both[:, 1].clamp(min=1e-3) - depth) / 0.06).clamp(0, 1)
    return 1 - strength[:, None, None] * below


def inputs(rgb: Tensor, mask: Tensor, run: Any) -> Tensor:
    """The network's input (n, 7, s, s), as ``generation.engine.network.inputs`` makes it for one picture."""
    count, side = len(mask), mask.shape[-1]
    inside = (mask > 0.5).to(torch.uint8).contiguous()
    down, away = (torch.empty(count, 1, side, side, device=mask.device) for _ in range(2))
    run("columns", count * side, inside, count, side, down)
    run("distances", count * side * side, down, count, side, away)
    along = torch.linspace(-1, 1, side, device=mask.device)
    y, x = torch.meshgrid(along, along, indexing="ij")
    places = torch.stack([y, x]).expand(count, 2, side, side)
    return torch.cat([(rgb - 0.5) * mask, mask, away / (DISTANCE_UNIT * side), places], dim=1)


def changed(rgb: Tensor, mask: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Another camera (white balance, exposure, contrast, noise, blur; at times grey) and a rougher outline."""
    count, device = len(rgb), rgb.device

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(*(shape or (count, 1, 1, 1)), generator=generator, device=device)

    grey = uniform(0, 1) < 0.1
    rgb = torch.where(grey, rgb.mean(dim=1, keepdim=True), rgb)
    rgb = rgb.clamp(min=1e-4) ** torch.exp(uniform(-0.35, 0.35))
    rgb = rgb * uniform(0.75, 1.2) * uniform(0.9, 1.1, count, 3, 1, 1)
    rgb = torch.where(uniform(0, 1) < 0.15, blurred(rgb, 0.6), rgb)
    rgb = torch.where(uniform(0, 1) < 0.15, blurred(rgb, 1.1), rgb)
    strength = uniform(0.01, 0.05) * (uniform(0, 1) < 0.5)
    rgb = rgb + strength * torch.randn(rgb.shape, generator=generator, device=device)
    rgb = (rgb.clamp(0, 1) * 255).round() / 255
    noise = torch.randn(mask.shape, generator=generator, device=device)
    noise = torch.where(uniform(0, 1) < 0.5, blurred(noise, 1.8), 2.2 * blurred(noise, 4.0))
    noise = noise / noise.std(dim=(1, 2, 3), keepdim=True)
    soft = blurred(mask, 1.2) + noise * uniform(0.05, 0.25)
    near = functional.avg_pool2d(mask, 7, 1, 3) > 0
    rough = torch.where((soft > 0.5) & near, mask.clamp(min=0.51), mask * (soft > 0.3))
    mask = torch.where(uniform(0, 1) < 0.15, rough, mask)
    return rgb, mask
