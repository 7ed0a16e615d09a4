"""How dates and times are written, by language: Django's own formats where ours do not replace them."""
