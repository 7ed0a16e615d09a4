"""Inference providers, one file each."""
