"""The client's own tests: ``python -m pytest`` in this folder; those against a site need one to run."""
