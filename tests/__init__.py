"""Tests at the interfaces that we promise to keep."""
