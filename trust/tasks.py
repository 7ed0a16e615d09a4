"""What trust does beside the pages. Every task may run twice or be lost: the next one finds the same to do."""

from __future__ import annotations

from celery import shared_task

from trust import figures, notices, publishing


@shared_task(name="trust.tasks.audit")
def audit() -> None:
    """Compare rows, keys and objects; the page of figures says when and with what result."""
    figures.audit_now()


@shared_task(name="trust.tasks.publish")
def publish() -> None:
    """Nightly: publish each document that says something new."""
    publishing.publish()


@shared_task(name="trust.tasks.tell")
def tell() -> None:
    """Mail to those who have not been told of a change yet."""
    notices.send()
