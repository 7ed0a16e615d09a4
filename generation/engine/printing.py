"""For a 3D printer: walls that hold, one body, a base to stand on.

On the maps, before there is a mesh: what is thinner than a wall is thickened, in the picture and in depth; and
a part with air behind it gets a spine down to the part it hides, because a printer cannot print what floats.
On the mesh: the largest body is kept, since loose pieces have no place in a print, and the underside of
its lowest part is pressed flat, the more of it the less it would stand otherwise.
"""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from .depth import Depth
from .options import Print
from .parts import parts
from .sampling import disc
from .steps import JOINT, air, sharpen
from .surface import Surface
from .upright import DOWN, press

# Shares of the height that are pressed flat, the first on which the piece stands.
LAYERS = (0.025, 0.04, 0.06)
METRES = 0.001


def thicken_walls(alpha: NDArray[np.float32], depth: Depth, printing: Print) -> tuple[NDArray[np.float32], Depth]:
    """``alpha`` and depth (side, side) of a framed subject with no wall thinner than ``printing`` asks for."""
    steps = sharpen(alpha, depth)
    wall = _wall(alpha, steps.front, steps.back, printing)
    middle = (steps.front + steps.back) / 2
    half = np.maximum((steps.front - steps.back) / 2, np.float32(wall / 2))
    front, back = (np.asarray(middle + way * half, np.float32) for way in (1, -1))
    thick = replace(depth, front=front, back=back)
    return _wide(alpha, wall), _joined(alpha, thick, wall)


def one_body(mesh: Surface) -> Surface:
    """The largest of the mesh's bodies."""
    body = _bodies(mesh)
    triangle = body[mesh.triangles[:, 0].astype(np.int64)]
    sizes = np.bincount(triangle, _tetrahedra(mesh.positions, mesh.triangles), int(body.max()) + 1)
    largest = int(np.argmax(sizes))
    kept = body == largest
    number = np.cumsum(kept) - 1
    return replace(
        mesh,
        places=mesh.places[kept],
        positions=mesh.positions[kept],
        normals=mesh.normals[kept],
        behind=mesh.behind[kept],
        triangles=number[mesh.triangles[triangle == largest].astype(np.int64)].astype(np.uint32),
    )


def flat_base(mesh: Surface, printing: Print) -> Surface:
    """An upright mesh with the underside of its lowest part pressed flat, so much of it that it stands.

    What stands on the ground stays as thick as a wall, or becomes so from half of that.
    """
    low, high = (float(mesh.positions[:, 1].min()), float(mesh.positions[:, 1].max()))
    balance = _balance(mesh)
    down = mesh.normals[:, 1] < DOWN
    for layer in LAYERS:
        touching = mesh.positions[down & (mesh.positions[:, 1] < low + layer * (high - low))][:, [0, 2]]
        hull = None if len(touching) < 3 else cv2.convexHull(np.ascontiguousarray(touching))
        if hull is not None and len(hull) > 2 and cv2.pointPolygonTest(hull, balance, measureDist=False) > 0:
            break
    wall = printing.wall / printing.size * float(np.ptp(mesh.positions, axis=0).max())
    positions, normals = press(mesh.positions, mesh.normals, low, layer * (high - low), wall)
    return replace(mesh, positions=positions, normals=normals)


def longest_side(printing: Print) -> float:
    """Longest side of the finished piece in metres."""
    return printing.size * METRES


def _tetrahedra(positions: NDArray[np.float32], triangles: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Signed volume (t,) between each triangle and the middle of the mesh."""
    points = positions.astype(np.float64) - positions.mean(axis=0, dtype=np.float64)
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    return np.asarray(np.einsum("ij,ij->i", np.cross(a, b), c) / 6)


def _balance(mesh: Surface) -> tuple[float, float]:
    """x and z of the centre of mass."""
    share = _tetrahedra(mesh.positions, mesh.triangles)
    middle = mesh.positions.mean(axis=0, dtype=np.float64)
    corners = (mesh.positions[mesh.triangles].astype(np.float64) - middle).sum(axis=1) / 4
    centre = middle + (share[:, None] * corners).sum(axis=0) / max(float(share.sum()), 1e-12)
    return float(centre[0]), float(centre[2])


def _bodies(mesh: Surface) -> NDArray[np.int64]:
    """Number (v,) of the body each vertex belongs to; vertices at one place are one."""
    _, place = np.unique(mesh.positions, axis=0, return_inverse=True)
    place = place.ravel()
    triangles = place[mesh.triangles.astype(np.int64)]
    body = parts(int(place.max()) + 1, np.concatenate([triangles[:, :2], triangles[:, 1:]]))
    return np.asarray(body[place], np.int64)


def _wall(alpha: NDArray[np.float32], front: NDArray[np.float32], back: NDArray[np.float32], printing: Print) -> float:
    """The thinnest wall in frame widths."""
    inside = alpha > 0.5
    _, _, width, height = cv2.boundingRect(inside.astype(np.uint8))
    deep = float(front[inside].max() - back[inside].min()) if inside.any() else 0.0
    return printing.wall / printing.size * max(max(width, height) / len(alpha), deep)


def _wide(alpha: NDArray[np.float32], wall: float) -> NDArray[np.float32]:
    """``alpha`` with a disc as wide as a wall on every point of the middle line of what is thinner.

    Thinner is what vanishes when the outline is opened by a wall's width, unless it is only a corner.
    """
    round_wall = disc(wall / 2 * len(alpha))
    inside = (alpha > 0.5).astype(np.uint8)
    thin = inside - cv2.morphologyEx(inside, cv2.MORPH_OPEN, round_wall)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(thin, connectivity=8)
    long = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) >= wall * len(alpha)
    long[0] = False
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_5)
    ridge = long[labels] & (distance >= cv2.dilate(distance, np.ones((3, 3), np.uint8)))
    return np.asarray(np.maximum(alpha, cv2.dilate(ridge.astype(np.float32), round_wall)), np.float32)


def _joined(alpha: NDArray[np.float32], depth: Depth, wall: float) -> Depth:
    """The depth, with a spine behind each part that has air behind it at its edge."""
    gap = air(sharpen(alpha, depth))
    if not gap.any():
        return depth
    reach = max(wall * len(alpha), 2.0)
    inside = np.where(alpha > 0.5, depth.front, np.float32(1e6))
    behind = cv2.erode(inside, disc(2 * reach)) - np.float32(max(wall, 2 * JOINT))
    near = cv2.dilate(gap.astype(np.uint8), disc(reach)) > 0
    return replace(depth, back=np.where(near, np.minimum(depth.back, behind), depth.back))
