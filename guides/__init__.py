"""The guides: `docs/` as pages with a search, for everybody who uses, programs or runs the site."""
