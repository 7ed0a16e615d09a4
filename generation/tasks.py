"""Celery is the job's transport only: messages carry an id, and losing one costs time, never a job."""

from uuid import UUID

from celery import shared_task

from generation import forgetting, pipeline, unclaimed
from generation.notifications import delivering
from observe import facts


@shared_task(name="generation.tasks.advance")
def advance(job_id: str) -> None:
    """Take a job on until it waits for something."""
    with facts.telling(job=job_id):
        pipeline.advance(UUID(job_id), most=pipeline.STEPS_AT_ONCE)


@shared_task(name="generation.tasks.sweep")
def sweep() -> None:
    """Wake every job whose time has come and whose message was dropped, delayed or never sent."""
    pipeline.sweep()


@shared_task(name="generation.tasks.deliver")
def deliver(webhook_id: str) -> None:
    """Tell a webhook what is due."""
    delivering.deliver(UUID(webhook_id))


@shared_task(name="generation.tasks.sweep_webhooks")
def sweep_webhooks() -> None:
    """Wake every webhook with something due whose message was dropped, delayed or never sent."""
    delivering.sweep()


@shared_task(name="generation.tasks.destroy_unclaimed")
def destroy_unclaimed() -> None:
    """Every minute: destroy photos whose request died before there was a job."""
    unclaimed.destroy()


@shared_task(name="generation.tasks.forget")
def forget() -> None:
    """Nightly: forget what nobody needs of jobs that ended long ago."""
    forgetting.forget()
