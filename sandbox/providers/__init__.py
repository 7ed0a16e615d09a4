"""Stand-ins for inference providers."""
