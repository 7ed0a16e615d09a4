"""The pages' scripts, as far as they need no page."""
