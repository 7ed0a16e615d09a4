"""Programs for a checkout: what the Makefile calls."""
