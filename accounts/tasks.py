"""What accounts leave behind is forgotten by itself, not when somebody next looks.

Sessions past their end, and the address and browser noted beside each (for the list of one's own sessions); and
sign-ups whose address nobody ever confirmed, since it may belong to somebody who never asked.
"""

from datetime import timedelta

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from celery import shared_task
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.db.models.deletion import ProtectedError
from django.utils import timezone

from accounts.models import User

UNCONFIRMED = timedelta(days=1)


@shared_task(name="accounts.tasks.forget")
def forget() -> None:
    """One round; repeating it is harmless."""
    now = timezone.now()
    Session.objects.filter(expire_date__lt=now).delete()
    alive = Session.objects.filter(session_key=OuterRef("session_key"))
    UserSession.objects.filter(~Exists(alive), created_at__lt=now - timedelta(minutes=5)).delete()
    confirmed = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
    for user in User.objects.filter(
        ~Exists(confirmed), last_login=None, is_staff=False, date_joined__lt=now - UNCONFIRMED
    ):
        try:
            user.delete()
        except ProtectedError:  # made by an operator and already given credits or jobs: not ours to remove
            continue
