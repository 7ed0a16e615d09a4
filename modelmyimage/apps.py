"""Django's entry to the composition package."""

from django.apps import AppConfig
from django.conf import settings


class CompositionConfig(AppConfig):
    """Registers the system checks of the whole and what is done at a process's end; counts, where that is wanted."""

    name = "modelmyimage"

    def ready(self) -> None:
        """Make `manage.py check` know our rules; count, if anybody wants that."""
        from modelmyimage import checks, ending, observers, packages_checks, parts_checks  # noqa: F401 - registers them
        from observe import meters

        ending.watch()
        if settings.METRICS_TOKEN or settings.METRICS_PORT:
            meters.switch_on()
