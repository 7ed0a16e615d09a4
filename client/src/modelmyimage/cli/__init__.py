"""The command line, ``mmi``."""
