"""Django's entry to the composition package."""

from django.apps import AppConfig


class CompositionConfig(AppConfig):
    """Registers the system checks of the whole."""

    name = "modelmyimage"

    def ready(self) -> None:
        """Make `manage.py check` know our rules."""
        from modelmyimage import checks, observers  # noqa: F401 - registers them
