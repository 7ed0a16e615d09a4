"""Stand-ins for third parties, for development and tests; never imported in production."""
