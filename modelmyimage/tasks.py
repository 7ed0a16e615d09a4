"""What the whole does beside the apps."""

from __future__ import annotations

from celery import shared_task

from modelmyimage import figures


@shared_task(name="modelmyimage.tasks.audit")
def audit() -> None:
    """Compare rows, keys and objects; the page of figures says when and with what result."""
    figures.audit_now()
