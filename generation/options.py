"""What one may choose about a model beside its quality: one checked record, kept with the job, shown to providers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

BACKS = ("invented", "mirrored")
PRINT_MM = (10, 1000)
"""The least and the greatest length, in millimetres, that a piece for a 3D printer may have."""
TRIANGLES = (500, 300_000)
"""The fewest and the most triangles that one may ask for."""
FORMATS = ("glb", "fbx", "obj", "stl", "usdz", "3mf")
"""Formats that services know; which of them can be had is on the cards."""


@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """The choices of a job. Raises ``ValueError`` for one that there is not."""

    keep_all: bool = False
    """Everything that stands out in the photo, not only its main subject; not with a print, which is one piece."""
    back: str = "invented"
    """What the side that the photo does not show looks like: one of ``BACKS``."""
    flatten_light: bool = False
    """Colours without the light and shade of the photo's room."""
    normal_map: bool = False
    """Fine relief, as shading, from the photo's drawing."""
    print_size_mm: int | None = None
    """The longest side of a piece for a 3D printer; ``None``: not for printing."""
    texture: bool = True
    """Colours; without, the bare shape, for which a choice of colours makes no sense."""
    target_triangles: int | None = None
    """About how many triangles the model should have; ``None``: as the quality says."""
    format: str = "glb"
    """The file to make: one of ``FORMATS``."""

    def __post_init__(self) -> None:
        if self.back not in BACKS:
            raise ValueError("back")
        if self.print_size_mm is not None and not PRINT_MM[0] <= self.print_size_mm <= PRINT_MM[1]:
            raise ValueError("print_size_mm")
        if self.keep_all and self.print_size_mm is not None:
            raise ValueError("keep_all")
        if not self.texture and (self.back != "invented" or self.flatten_light or self.normal_map):
            raise ValueError("texture")
        if self.target_triangles is not None and not TRIANGLES[0] <= self.target_triangles <= TRIANGLES[1]:
            raise ValueError("target_triangles")
        if self.format not in FORMATS:
            raise ValueError("format")

    @classmethod
    def restored(cls, stored: Mapping[str, Any]) -> JobOptions:
        """The record that ``stored()`` gave, perhaps of another version: an option that is gone is left out."""
        return cls(**{name: value for name, value in stored.items() if name in NAMES})

    def stored(self) -> dict[str, Any]:
        """As JSON, without what is as usual."""
        usual = asdict(JobOptions())
        return {name: value for name, value in asdict(self).items() if value != usual[name]}

    def asked_of_provider(self) -> frozenset[str]:
        """The names of options that the provider must honour: all that are not as usual, but for the cut-out's.

        The format is no such option: cards list formats beside options.
        """
        return frozenset(self.stored()) - {"keep_all", "format"}


NAMES = tuple(field.name for field in fields(JobOptions))
