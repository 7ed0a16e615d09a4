"""Pictures of every page of the site, for people who work on its look: ``make screenshots``."""
