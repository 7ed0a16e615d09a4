"""Celery as Django's settings describe it."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_init, worker_process_init

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


@worker_init.connect
def _come_after_celerys_own(**_: Any) -> None:
    """Celery connects its own receiver of a fork when a worker begins; it is to be called before ours."""
    worker_process_init.connect(keep_connections)


def keep_connections(**_: Any) -> None:
    """Have a forked child keep its connections to the database from task to task, as threads do.

    Celery closes the whole pool before and after each task of a worker that forks, so as to share none with its
    children. Here it has done so at the fork. To connect anew costs both sides more than what most tasks ask.
    """
    for fixup in app._fixups:
        fixup.worker_fixup.worker = None  # by which it knows that there were forks
