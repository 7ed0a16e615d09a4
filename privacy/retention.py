"""How long each kind of stored bytes may exist. Nothing else in the code says so."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Period:
    """The longest one kind of blob may exist, and why that long."""

    kind: str
    longest: timedelta
    why: str

    @property
    def lifetime(self) -> str:
        """``longest`` as the first part of an object's name, which bucket lifecycle rules go by: ``10m``, ``26h``."""
        minutes = int(self.longest.total_seconds() // 60)
        return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"


RETENTION = {
    period.kind: period
    for period in (
        Period("upload", timedelta(minutes=10), "a photo as it arrived, until its form has been answered"),
        Period("source", timedelta(minutes=60), "a decoded photo without tags, until its mesh is accepted"),
        Period("raw_mesh", timedelta(minutes=60), "a provider's mesh, until it has been inspected"),
        Period("asset", timedelta(hours=26), "the finished 3D model; its owner chooses up to 24 h of waiting"),
    )
}

# A key dies by itself this long after its blob should have been destroyed, even if everything else has crashed.
KEY_MARGIN = timedelta(minutes=5)

# A write that has not ended after this long is taken for interrupted.
LONGEST_WRITE = timedelta(minutes=10)

# What the sweep may take to come by: a blob is overdue for the audit only after it.
SWEEP_GRACE = timedelta(seconds=60)
