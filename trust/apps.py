"""Django's entry to the app."""

from django.apps import AppConfig


class TrustConfig(AppConfig):
    """Names the app."""

    name = "trust"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks."""
        from trust import checks  # noqa: F401 - importing registers
