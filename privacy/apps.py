"""Django's entry to the app."""

from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    """Names the app and has its deployment checks known."""

    name = "privacy"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Importing the checks registers them."""
        from privacy import checks, retention_checks, well_known  # noqa: F401  # register themselves
        from privacy.requests import checks as requests  # noqa: F401  # as above
