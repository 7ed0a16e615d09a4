"""What is read off a simulation: how much of something there is over time, and percentiles of what was noted."""

from __future__ import annotations

from dataclasses import dataclass

import simpy


@dataclass
class Gauge:
    """A number that goes up and down: its greatest value, and its mean over time."""

    clock: simpy.Environment
    value: float = 0
    most: float = 0
    area: float = 0.0
    since: float = 0.0
    begun: float = 0.0

    def add(self, change: float) -> None:
        """Change it now."""
        self.area += self.value * (self.clock.now - self.since)
        self.since = self.clock.now
        self.value += change
        self.most = max(self.most, self.value)

    def begin(self) -> None:
        """Forget what was before."""
        self.area, self.since, self.begun, self.most = 0.0, self.clock.now, self.clock.now, self.value

    @property
    def mean(self) -> float:
        """Over the time since it was begun."""
        self.add(0)
        return self.area / max(1e-9, self.clock.now - self.begun)


def percentile(values: list[float], share: float) -> float:
    """The value that this share of them does not exceed; 0 of nothing."""
    found = sorted(values)
    return found[min(len(found) - 1, int(share * len(found)))] if found else 0.0
