"""Celery as Django's settings describe it."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "modelmyimage.settings")

import modelmyimage.tasks_watched  # noqa: F401 - follows tasks by Celery's signals

app = Celery("modelmyimage")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Celery's workers log by modelmyimage/logs.py: a receiver here is Celery's way to leave logging alone."""
    from modelmyimage.logs import hush_crashes

    hush_crashes()
