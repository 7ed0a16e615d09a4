"""What accounts leave behind is forgotten by itself, not when somebody next looks.

Sessions past their end, and the address and browser noted beside each (for the list of one's own sessions); sign-ins
that were begun and not ended; sign-ups whose address nobody ever confirmed, since it may belong to somebody who never
asked; links that confirm an address; what operators did, and changes of access keys, after a year; calls of the API
after a month. Recovery codes become hashes. Those changes are mailed, and those calls added up by day, from here, too.
"""

from celery import shared_task
from django.db.models.deletion import ProtectedError
from django.utils import timezone

from accounts import forgetting, recording, recovery_codes, rollup, security_log
from privacy.retention import longest


@shared_task(name="accounts.tasks.forget")
def forget() -> None:
    """One round; repeating it is harmless."""
    now = timezone.now()
    forgetting.sessions(now - longest("session")).delete()
    forgetting.begun_sign_ins(now - longest("sign_in")).delete()
    forgetting.notes_of_ended_sessions(now).delete()
    recovery_codes.tend(now)
    forgetting.confirmations(now - longest("confirmation")).delete()
    forgetting.operator_log(now - longest("operator_log")).delete()
    security_log.before(now - longest("security_log")).delete()
    recording.before(now - longest("request_log")).delete()
    for user in forgetting.unconfirmed(now - longest("unconfirmed")):
        try:
            user.delete()
        except ProtectedError:  # given credits or a job at this very moment
            continue


@shared_task(name="accounts.tasks.tell")
def tell() -> None:
    """Mail what was not mailed yet of the security log; repeating it is harmless."""
    security_log.send()


@shared_task(name="accounts.tasks.roll_up")
def roll_up() -> None:
    """Add up the calls of days that are over; repeating it is harmless."""
    rollup.run(timezone.now())
