"""Measurements; each file says what it prints."""
