"""The API, at its own interface."""
