"""The client for programs, as the site's tests see it."""
