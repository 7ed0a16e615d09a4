"""The embedded engine: photo to textured, watertight mesh, offline on a CPU."""

from .cutout import CutOut, cut_out, encode_cut_out
from .errors import BadPicture, EngineError, NoSubject, WeightsAltered
from .reconstruction import QUALITIES, Quality, reconstruct

__all__ = [
    "QUALITIES",
    "BadPicture",
    "CutOut",
    "EngineError",
    "NoSubject",
    "Quality",
    "WeightsAltered",
    "cut_out",
    "encode_cut_out",
    "reconstruct",
]
