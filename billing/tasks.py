"""What happens to credits by itself."""

from celery import shared_task

from billing import notices


@shared_task(name="billing.tasks.notice")
def notice() -> None:
    """Mail to those whose credits run low."""
    notices.send()
