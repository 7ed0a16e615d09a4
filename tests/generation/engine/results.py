"""What every result of the engine has to be, checked by other people's code (trimesh) and by hand."""

import io
from typing import Any

import numpy as np
import trimesh

from generation import engine


def loaded(glb: bytes) -> Any:
    """The mesh of a GLB, vertices with one place made one."""
    mesh: Any = trimesh.load_mesh(io.BytesIO(glb), file_type="glb")
    mesh.merge_vertices(merge_tex=True, merge_norm=True)
    return mesh


def require_good(glb: bytes, quality: str) -> Any:
    """Assert all we promise about a result; returns its mesh, welded."""
    raw: Any = trimesh.load_mesh(io.BytesIO(glb), file_type="glb")
    assert np.isfinite(raw.vertices).all()
    assert np.allclose(np.linalg.norm(raw.vertex_normals, axis=1), 1, atol=1e-4)
    picture = raw.visual.material.baseColorTexture
    limits = engine.QUALITIES[quality]
    assert picture.size[0] == 2 * picture.size[1] <= 2 * limits.texture
    assert picture.size[1] & (picture.size[1] - 1) == 0
    assert ((raw.visual.uv >= 0) & (raw.visual.uv <= 1)).all()
    mesh = loaded(glb)
    assert 100 < len(mesh.faces) <= limits.triangles
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.volume > 0  # facing outwards
    assert np.isclose(mesh.extents.max(), 1, atol=1e-5)
    assert np.allclose([mesh.bounds[:, 0].mean(), mesh.bounds[0, 1], mesh.bounds[:, 2].mean()], 0, atol=1e-5)
    return mesh


def modelled(picture: bytes, quality: str = "standard") -> bytes:
    """The engine from end to end."""
    return engine.reconstruct(engine.encode_cut_out(engine.cut_out(picture)), options=engine.Options(quality=quality))
