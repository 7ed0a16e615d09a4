"""Hostile bytes by the million: ``make fuzz``; a share of it, the same each time, is part of the suite."""
