"""Inference providers, one short file each: its ``PROVIDERS`` are the classes, one for each card."""
