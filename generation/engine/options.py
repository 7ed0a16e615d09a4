"""What one may ask of the engine: one frozen record, the same for the command line, the provider and the tests."""

from dataclasses import dataclass
from typing import Literal

Pose = Literal["upright", "photo"]
Back = Literal["invented", "mirrored"]


@dataclass(frozen=True, kw_only=True)
class Print:
    """For a 3D printer: a flat base to stand on, walls that hold, and a size. Lengths in millimetres."""

    size: float = 100.0
    """Longest side of the finished piece."""
    wall: float = 2.0
    """The thinnest wall the printer can make."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to model a cut-out."""

    quality: str = "standard"
    """A key of ``QUALITIES``: how many triangles and pixels."""
    triangles: int | None = None
    """The most triangles, where that is not what the quality says."""
    texture: bool = True
    """Colours from the photo; without, a plain grey surface."""
    pose: Pose = "upright"
    """Standing as the object stands, or as the photo shows it: then the outline from the front is the photo's."""
    back: Back = "invented"
    """What the far side looks like where no second photo shows it."""
    flatten_light: bool = False
    """Take the photo's slow changes of brightness out of the colours, so that a viewer's light is not doubled."""
    normal_map: bool = False
    """Add fine relief guessed from the drawing of the photo."""
    printing: Print | None = None
    """Make a piece for a 3D printer."""
