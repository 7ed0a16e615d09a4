"""Django's entry to the app."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Names the app and registers its checks."""

    name = "billing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Checks register on import."""
        from billing import checks  # noqa: F401  # registers
