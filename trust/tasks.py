"""What trust does beside the pages. Every task may run twice or be lost."""

from __future__ import annotations

from celery import shared_task

from trust import figures


@shared_task(name="trust.tasks.audit")
def audit() -> None:
    """Compare rows, keys and objects; the page of figures says when and with what result."""
    figures.audit_now()
