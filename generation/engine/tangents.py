"""Tangents: which way the texture runs on the surface, so that every viewer turns a normal map alike.

Each triangle says where on it the texture goes to the right; a vertex takes the mean of its triangles, made
perpendicular to its normal (Lengyel, "Computing tangent space basis vectors for an arbitrary mesh", 2001).
"""

import numpy as np
from numpy.typing import NDArray


def tangents(
    positions: NDArray[np.float32],
    normals: NDArray[np.float32],
    uv: NDArray[np.float32],
    triangles: NDArray[np.uint32],
) -> NDArray[np.float32]:
    """Unit tangents (v, 4) as glTF wants them, of vertices with unit ``normals``; the arguments are those of ``glb``.

    The last column is 1 where normal, tangent and the texture's upward direction are right-handed, else -1.
    """
    a, b, c = triangles.T
    one, two = positions[b] - positions[a], positions[c] - positions[a]
    (u1, v1), (u2, v2) = (uv[b] - uv[a]).T, (uv[c] - uv[a]).T
    area = u1 * v2 - u2 * v1
    right = np.sign(area)[:, None] * (one * v2[:, None] - two * v1[:, None])
    columns = np.column_stack([right, area])
    count = len(positions)
    sums = np.stack([np.bincount(triangles.ravel(), column.repeat(3), count) for column in columns.T], axis=1)
    along = _level(sums[:, :3].astype(np.float64), normals)
    # Where the texture has no direction, any will do.
    none = np.linalg.norm(along, axis=1) < 1e-12
    along[none] = _level(np.eye(3, dtype=np.float64)[np.abs(normals[none]).argmin(axis=1)], normals[none])
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    # v runs downwards: triangles that are counter-clockwise from outside are clockwise in it, unless mirrored.
    return np.column_stack([along, np.where(sums[:, 3] > 0, -1, 1)]).astype(np.float32)


def _level(vectors: NDArray[np.float64], normals: NDArray[np.float32]) -> NDArray[np.float64]:
    """The vectors (v, 3) without their parts along the normals."""
    return np.asarray(vectors - (vectors * normals).sum(axis=1, keepdims=True) * normals, np.float64)
