"""Sample pictures made by code (not part of the site)."""
