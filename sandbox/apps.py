"""Django's entry to the app."""

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    """Names the app."""

    name = "sandbox"
    default_auto_field = "django.db.models.BigAutoField"
