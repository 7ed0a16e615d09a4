"""The embedded engine: photo to textured, watertight mesh, offline on a CPU."""

from .cutout import CutOut, cut_out, encode_cut_out
from .errors import BackDoesNotMatch, BadPicture, EngineError, NoSubject, TooSmall, TooThin, WeightsAltered
from .options import Options, Print
from .reconstruction import QUALITIES, Quality, reconstruct

__all__ = [
    "QUALITIES",
    "BackDoesNotMatch",
    "BadPicture",
    "CutOut",
    "EngineError",
    "NoSubject",
    "Options",
    "Print",
    "Quality",
    "TooSmall",
    "TooThin",
    "WeightsAltered",
    "cut_out",
    "encode_cut_out",
    "reconstruct",
]
