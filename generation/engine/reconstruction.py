"""From a cut-out to the finished file: the order of the steps, and what each quality means."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from .cutout import decode, silent
from .depth import find_depth
from .errors import BadPicture
from .frame import frame
from .glb import glb
from .mask import require_shape
from .options import Options
from .printing import flat_base, longest_side, one_body, thicken_walls
from .second_view import seen_from_behind
from .steps import sharpen
from .surface import grid_cells, surface, thicken
from .texture import Textures, coordinates, frame_side, texture
from .upright import stand

LONGEST_SIDE = 1.0  # metres
# Depth is found on a picture of this side, whatever the texture's.
DEPTH_SIDE = 512
DEFAULTS = Options()


@dataclass(frozen=True)
class Quality:
    """The most triangles, the finest grid, and the most pixels along a side of the front's texture."""

    triangles: int
    grid: int
    texture: int


QUALITIES = {
    "draft": Quality(triangles=10_000, grid=200, texture=512),
    "standard": Quality(triangles=40_000, grid=320, texture=1024),
    "high": Quality(triangles=120_000, grid=512, texture=2048),
}


def unwatched(step: str, result: object) -> None:
    """Nobody watches."""


def reconstruct(
    cut_out_png: bytes,
    *,
    options: Options = DEFAULTS,
    back_png: bytes | None = None,
    progress: Callable[[int], None] = silent,
    watch: Callable[[str, object], None] = unwatched,
    threads: int = 2,
) -> bytes:
    """Model a cut-out (PNG with alpha): a GLB, watertight, standing on its origin, +Y up, its longest side one metre.

    ``progress`` hears percentages in rising order, 100 last; ``watch`` is given each step's name and result as
    soon as it is done: "frame" (Frame), "depth" (Depth), "surface" (Surface, in its pose), "texture" (Textures),
    "file" (bytes). A piece for a printer has the size asked for. Equal input gives equal bytes.
    Raises NoSubject, TooThin, BadPicture, and KeyError for an unknown quality.
    """
    wanted = _wanted(options)
    cv2.setNumThreads(threads)
    rgba = decode(cut_out_png)
    subject = rgba[..., 3] > 127
    if subject.all():
        raise BadPicture("A cut-out has something cut out.")
    require_shape(subject)
    progress(10)

    _, _, width, height = cv2.boundingRect(subject.astype(np.uint8))
    framed = frame(rgba, frame_side(max(width, height), wanted.texture))
    progress(30)
    watch("frame", framed)
    back = None if back_png is None else seen_from_behind(decode(back_png), framed)

    alpha = np.asarray(cv2.resize(framed.alpha, (DEPTH_SIDE, DEPTH_SIDE), interpolation=cv2.INTER_AREA), np.float32)
    cells = grid_cells(alpha, most=wanted.triangles, finest=wanted.grid)
    alpha = thicken(alpha, cells)
    depth = find_depth(framed.rgb, alpha, threads=threads)
    watch("depth", depth)
    printing = options.printing
    if printing:
        alpha, depth = thicken_walls(alpha, depth, printing)
    steps = sharpen(alpha, depth)
    mesh = surface(alpha, steps, cells=cells, most=wanted.triangles)
    if printing:
        mesh = one_body(mesh)
    if options.pose == "upright":
        positions, normals = stand(mesh.positions, mesh.normals, depth.elevation)
        mesh = replace(mesh, positions=positions, normals=normals)
    if printing:
        mesh = flat_base(mesh, printing)
    progress(60)
    watch("surface", mesh)

    textures = texture(framed, steps, options, back) if options.texture else Textures()
    progress(90)
    watch("texture", textures)

    length = longest_side(printing) if printing else LONGEST_SIDE
    low, high = mesh.positions.min(axis=0), mesh.positions.max(axis=0)
    origin = np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2], np.float32)
    file = glb(
        positions=(mesh.positions - origin) * np.float32(length / float((high - low).max())),
        normals=mesh.normals,
        uv=coordinates(mesh.places, mesh.behind),
        triangles=mesh.triangles,
        jpeg=textures.colour,
        normal_jpeg=textures.normals,
    )
    progress(100)
    watch("file", file)
    return file


def _wanted(options: Options) -> Quality:
    """The quality asked for; with another number of triangles, on the grid of the quality that has so many."""
    wanted = QUALITIES[options.quality]
    if options.triangles is None:
        return wanted
    enough = [quality.grid for quality in QUALITIES.values() if quality.triangles >= options.triangles]
    grid = min(enough, default=max(quality.grid for quality in QUALITIES.values()))
    return replace(wanted, triangles=options.triangles, grid=grid)
