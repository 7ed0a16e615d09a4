"""All objects of a split in one file, small enough to travel to the machine that trains.

    python -m training.bank CORPUS BANK.npz

Arrays of all objects lie one after another; ``objects`` (n, 6) says per object how many vertices, triangles and
normals it has, and where its picture begins, its rows and its columns. Vertices are numbered by their first use, so
that the numbers compress. ``groups`` (t, 3) says which corners share a normal: those at the same place whose faces
meet without a crease.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from . import corpus
from .corpus import Mesh
from .render import CREASE

# Pictures are kept at most this large: a view has 128 pixels.
PICTURE = 256


@dataclass(frozen=True)
class Bank:
    """``positions`` and ``uv`` float32, ``triangles`` and ``groups`` int32 (numbers within the object), ``textures``
    uint8, ``objects`` int64 (n, 6); see the module's docstring. ``names``: the file of each, "" if made up.
    """

    positions: NDArray[np.float32]
    uv: NDArray[np.float32]
    triangles: NDArray[np.int32]
    groups: NDArray[np.int32]
    textures: NDArray[np.uint8]
    objects: NDArray[np.int64]
    names: tuple[str, ...]


def reduced(texture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture at most ``PICTURE`` pixels long."""
    longest = max(texture.shape[:2])
    if longest <= PICTURE:
        return texture
    rows, columns = (max(1, round(side * PICTURE / longest)) for side in texture.shape[:2])
    return np.asarray(cv2.resize(texture, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)


def packed(meshes: list[Mesh], names: list[str], *, smooth: bool = True) -> Bank:
    """A bank of these objects; without ``smooth`` every vertex has its own normal and none is looked for."""
    parts: list[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32], NDArray[np.int32]]] = []
    pictures, objects, start = [], [], 0
    for mesh in meshes:
        used, first, inverse = np.unique(mesh.triangles.ravel(), return_index=True, return_inverse=True)
        order = np.argsort(first)
        number = np.empty(len(order), np.int32)
        number[order] = np.arange(len(order))
        triangles = number[inverse].reshape(-1, 3)
        positions = mesh.positions[used[order]]
        groups = triangles
        if smooth:
            _, place = np.unique(positions, axis=0, return_inverse=True)
            groups = _groups(place.ravel().astype(np.int64), positions.astype(np.float64), triangles)
        picture = reduced(mesh.texture)
        parts.append((positions, mesh.uv[used[order]], triangles, groups))
        pictures.append(picture.reshape(-1))
        objects.append((len(positions), len(triangles), int(groups.max()) + 1, start, *picture.shape[:2]))
        start += picture.size
    positions, uv, triangles, groups = (np.concatenate(column) for column in zip(*parts, strict=True))
    table = np.array(objects, np.int64)
    return Bank(positions, uv, triangles, groups, np.concatenate(pictures), table, tuple(names))


def joined(first: Bank, second: Bank) -> Bank:
    """Both, one after the other."""
    later = second.objects.copy()
    later[:, 3] += len(first.textures)
    return Bank(
        np.concatenate([first.positions, second.positions]),
        np.concatenate([first.uv, second.uv]),
        np.concatenate([first.triangles, second.triangles]),
        np.concatenate([first.groups, second.groups]),
        np.concatenate([first.textures, second.textures]),
        np.concatenate([first.objects, later]),
        first.names + second.names,
    )


@numba.njit(cache=True)
def _groups(place, positions, triangles):  # type: ignore[no-untyped-def]
    """Numbers (t, 3) of the normals: corners at one place are joined where their faces meet below the crease."""
    count = len(triangles)
    faces = np.zeros((count, 3))
    for t in range(count):
        e = positions[triangles[t, 1]] - positions[triangles[t, 0]]
        f = positions[triangles[t, 2]] - positions[triangles[t, 0]]
        n = np.cross(e, f)
        faces[t] = n / (np.sqrt((n**2).sum()) + 1e-20)
    start = np.zeros(place.max() + 2, np.int64)
    for t in range(count):
        for k in range(3):
            start[place[triangles[t, k]] + 1] += 1
    start = np.cumsum(start)
    fill = start[:-1].copy()
    around = np.zeros(3 * count, np.int64)
    for t in range(count):
        for k in range(3):
            at = place[triangles[t, k]]
            around[fill[at]] = 3 * t + k
            fill[at] += 1
    parent = np.arange(3 * count)
    for at in range(len(start) - 1):
        for i in range(start[at], start[at + 1]):
            for j in range(start[at], i):
                a, b = around[i], around[j]
                if (faces[a // 3] * faces[b // 3]).sum() > CREASE:
                    while parent[a] != a:
                        a = parent[a]
                    while parent[b] != b:
                        b = parent[b]
                    parent[max(a, b)] = min(a, b)
    numbers = np.full(3 * count, -1, np.int32)
    out = np.zeros((count, 3), np.int32)
    found = 0
    for corner in range(3 * count):
        root = corner
        while parent[root] != root:
            root = parent[root]
        if numbers[root] < 0:
            numbers[root] = found
            found += 1
        out[corner // 3, corner % 3] = numbers[root]
    return out


def save(bank: Bank, path: Path) -> None:
    """Write the bank: positions to 1/30000, texture coordinates in half precision, pictures as JPEG files."""
    steps = [np.diff(values.ravel(), prepend=0).astype(np.int16) for values in (bank.triangles, bank.groups)]
    jpegs = []
    for _, _, _, start, rows, columns in bank.objects:
        picture = bank.textures[start : start + rows * columns * 3].reshape(rows, columns, 3)
        # A palette's cells are 16 pixels, JPEG's blocks; it takes little room whatever the quality.
        quality = 85 if max(rows, columns) > 64 else 98
        jpegs.append(cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1])
    np.savez_compressed(
        path,
        positions=(bank.positions * 30000).round().astype(np.int16),
        uv=bank.uv.astype(np.float16),
        triangles=steps[0],
        groups=steps[1],
        jpegs=np.concatenate(jpegs),
        lengths=np.array([len(jpeg) for jpeg in jpegs]),
        objects=bank.objects,
        names=np.array(bank.names),
    )


def load(path: Path) -> Bank:
    """Read what ``save`` wrote."""
    with np.load(path) as file:
        data = {name: file[name] for name in file.files}
    triangles, groups = (
        np.cumsum(data[name].astype(np.int32), dtype=np.int32).astype(np.uint16).astype(np.int32).reshape(-1, 3)
        for name in ("triangles", "groups")
    )
    ends = np.cumsum(data["lengths"])
    pictures = []
    for end, length in zip(ends, data["lengths"], strict=True):
        picture = cv2.imdecode(data["jpegs"][end - length : end], cv2.IMREAD_COLOR)
        assert picture is not None
        pictures.append(np.ascontiguousarray(picture[..., ::-1]).reshape(-1))
    return Bank(
        data["positions"].astype(np.float32) / 30000,
        data["uv"].astype(np.float32),
        triangles,
        groups,
        np.concatenate(pictures),
        data["objects"],
        tuple(str(name) for name in data["names"]),
    )


def main() -> None:
    """Pack both splits: BANK.npz and, beside it, BANK-val.npz."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("bank", type=Path)
    options = parser.parse_args()
    for split, path in (("train", options.bank), ("val", options.bank.with_stem(options.bank.stem + "-val"))):
        names = corpus.names(options.corpus, split)
        bank = packed([corpus.load(options.corpus / name) for name in names], names)
        save(bank, path)
        print(f"{path.name}: {len(names)} objects, {len(bank.triangles)} triangles, {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
