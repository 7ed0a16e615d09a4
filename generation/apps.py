"""Django's entry to the app."""

from django.apps import AppConfig


class GenerationConfig(AppConfig):
    """Names the app."""

    name = "generation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks."""
        from generation import checks  # noqa: F401 - importing registers
