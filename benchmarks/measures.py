"""How near one mesh comes to its truth: the shared scorer's figures, and what they leave out.

The scorer (a file given by its path, imported and not copied) turns every output until it fits best, so it says
nothing of how the output stands. Here, beside its chamfer distance and F-score:

tilt      degrees between the output's +Y, turned as that best fit turns it, and the truth's +Y.
lean      the same after a fit started from the pose as it comes. A ball fits in every pose, and its tilt says nothing;
          a poor shape fits about as well as it stands, and its lean is too low.
raw       F-score of the pose as it comes: the truth is turned by the camera's yaw, which no picture tells, so that it
          faces the viewer as in the picture; the output gets the same length of the longest side and the same middle.
turned    the same with yaw, scale and shift of the output fitted, starting there; it stands as it stands.
sil       outline of the output seen by who stands before it, against the picture's mask.
sil_photo the same from where the picture was taken: the output tipped by the elevation that the engine found.
sil_best  the same from the best of the scorer's grid of views.
"""

import hashlib
import importlib.util
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

RULES = 1
"""To be raised when a figure's meaning changes, so that nothing old is remembered."""
THRESHOLD = 0.05
SAMPLES = 20_000
# Points and rounds of the fit of yaw, scale and shift.
FIT_POINTS, FIT_ROUNDS = 2_500, 20

Points = NDArray[np.float64]
Figures = dict[str, Any]
T = TypeVar("T")


def scorer(path: Path) -> Any:
    """The shared scorer, as a module."""
    spec = importlib.util.spec_from_file_location("score_meshes", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Subject:
    """A truth, its longest side 1 and its middle 0, as points (n, 3), and the picture taken of it.

    ``mask`` (h, w) bool and ``grey`` (h, w; 0 to 1) are the picture's, ``yaw`` and ``elevation`` (degrees) its
    camera's. ``digest`` stands for all of it, and for the rules it is measured by.
    """

    name: str
    points: Points
    mask: NDArray[np.bool_]
    grey: Points
    yaw: float
    elevation: float
    digest: str


def subject(folder: Path, name: str, tools: Any) -> Subject:
    """One object of a folder of NAME.glb, NAME.png and cameras.json."""
    path, picture = folder / f"{name}.glb", folder / f"{name}.png"
    mesh, _ = tools.load_mesh(str(path))
    low, high = mesh.bounds
    mesh.apply_translation(-(low + high) / 2)
    mesh.apply_scale(1 / (high - low).max())
    mask, grey = tools.load_mask(str(picture))
    camera = json.loads((folder / "cameras.json").read_text())[name]
    files = (path, picture, Path(tools.__file__))
    digest = _digest(*(file.read_bytes() for file in files), json.dumps([RULES, camera]).encode())
    points = tools.sample(mesh, SAMPLES)
    return Subject(name, points, mask, grey, camera["yaw_deg"], camera["elevation_deg"], digest)


def measured(mesh: Any, subject: Subject, tools: Any, cache: Path | None) -> Figures:
    """How near a mesh comes to its truth in shape and pose."""
    return _remembered(lambda: _shape(mesh, subject, tools), cache, subject.digest, "shape", *_bytes(mesh))


def outline(mesh: Any, subject: Subject, tools: Any, cache: Path | None, pitch: float = 0) -> float:
    """Overlap (0 to 1) of the picture's mask and the mesh's outline, seen from ``pitch`` degrees above."""

    def compute() -> float:
        want = tools.on_grid(tools.crop(subject.mask))
        got = tools.on_grid(tools.outline(mesh, tools.rotation(0, pitch)))
        return float((got & want).sum() / max((got | want).sum(), 1))

    return _remembered(compute, cache, subject.digest, f"outline {pitch:.3f}", *_bytes(mesh))


def best_outline(mesh: Any, subject: Subject, tools: Any, cache: Path | None) -> float:
    """The same from the best of the scorer's views, which takes it some seconds."""

    def compute() -> float:
        return float(tools.silhouette_iou(mesh, subject.mask, True))

    return _remembered(compute, cache, subject.digest, "best outline", *_bytes(mesh))


def _shape(mesh: Any, subject: Subject, tools: Any) -> Figures:
    points, truth = tools.sample(mesh, SAMPLES), subject.points
    scale, turn, shift = tools.align(points, truth)
    figures: Figures = tools.distances(scale * points @ turn.T + shift, truth, THRESHOLD)
    figures["tilt"] = _tilt(turn)
    facing = truth @ tools.rotation(subject.yaw, 0).T
    scale, shift = _boxed(points, facing)
    figures["raw"] = tools.distances(scale * points + shift, facing, THRESHOLD)["fscore"]
    few, wanted = _some(points), _some(facing)
    tree = cKDTree(wanted)
    figures["lean"] = _tilt(tools.icp(few, wanted, tree, (scale, np.eye(3), shift), FIT_ROUNDS)[1][1])
    scale, turn, shift = _turned(few, wanted, tree, scale, shift)
    figures["turned"] = tools.distances(scale * points @ turn.T + shift, facing, THRESHOLD)["fscore"]
    figures["watertight"] = bool(mesh.is_watertight)
    figures["bodies"] = int(mesh.body_count)
    figures["triangles"] = len(mesh.faces)
    return figures


def _boxed(points: Points, truth: Points) -> tuple[float, Points]:
    """Scale and shift that give the points' bounding box the truth's longest side and middle."""
    low, high = points.min(axis=0), points.max(axis=0)
    true_low, true_high = truth.min(axis=0), truth.max(axis=0)
    scale = float((true_high - true_low).max() / max((high - low).max(), 1e-12))
    return scale, (true_low + true_high) / 2 - scale * (low + high) / 2


def _some(points: Points) -> Points:
    return np.asarray(np.random.default_rng(0).choice(points, FIT_POINTS, replace=False))


def _tilt(turn: Points) -> float:
    """Degrees between +Y and where the rotation (3, 3) takes it."""
    return float(np.rad2deg(np.arccos(np.clip(turn[1, 1], -1, 1))))


def _turned(few: Points, wanted: Points, tree: Any, scale: float, shift: Points) -> tuple[float, Points, Points]:
    """Scale, turn about +Y (3, 3) and shift by two-way iterative closest points (Besl and McKay 1992)."""
    turn = np.eye(3)
    for _ in range(FIT_ROUNDS):
        moved = scale * few @ turn.T + shift
        a = np.concatenate([few, few[cKDTree(moved).query(wanted)[1]]])
        b = np.concatenate([wanted[tree.query(moved)[1]], wanted])
        from_middle, to_middle = a - a.mean(axis=0), b - b.mean(axis=0)
        both = to_middle.T @ from_middle
        yaw = np.arctan2(both[0, 2] - both[2, 0], both[0, 0] + both[2, 2])
        turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
        scale = float((turn * both).sum() / max((from_middle**2).sum(), 1e-12))
        shift = b.mean(axis=0) - scale * turn @ a.mean(axis=0)
    return scale, turn, shift


def _bytes(mesh: Any) -> Iterator[bytes]:
    yield np.ascontiguousarray(mesh.vertices).tobytes()
    yield np.ascontiguousarray(mesh.faces).tobytes()


def _digest(*parts: bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()


def _remembered(compute: Callable[[], T], cache: Path | None, about: str, kind: str, *parts: bytes) -> T:
    """The result, from the folder ``cache`` where equal things have been measured before."""
    if cache is None:
        return compute()
    file = cache / f"{_digest(about.encode(), kind.encode(), *parts)}.json"
    if file.exists():
        known: T = json.loads(file.read_text())
        return known
    result = compute()
    cache.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(result))
    return result
