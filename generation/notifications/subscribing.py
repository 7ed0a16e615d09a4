"""What owners do to their webhooks: make, change, give a new secret, switch, delete, and have things sent again.

Whatever changes a webhook is one transaction with its line in the security log, which is mailed. A secret is to be had
when it is made, and never again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import security_log
from accounts.models import User
from generation.models import Delivery, Notification, Webhook
from generation.notifications import delivering, signing

MOST: Final = 10
"""Webhooks of one account."""

State = Delivery.State


class TooMany(Exception):
    """The account has as many webhooks as it may have."""


class Vanished(Exception):
    """The webhook is not there any more."""


@transaction.atomic
def make(*, owner: User, url: str, description: str, kinds: list[str]) -> tuple[Webhook, str]:
    """A new webhook at a checked address (``targets.checked``), and its secret. Raises ``TooMany``."""
    User.objects.select_for_update(no_key=True).get(pk=owner.pk)  # of two at once, the second counts the first
    if owner.webhooks.count() >= MOST:
        raise TooMany
    secret = signing.new_secret()
    webhook = Webhook.objects.create(
        owner=owner,
        url=url,
        description=description,
        kinds=kinds,
        secret=signing.kept(secret),
        created_at=timezone.now(),
    )
    _record(webhook, "webhook_made")
    return webhook, secret


@transaction.atomic
def change(webhook: Webhook, **choices: Any) -> bool:
    """Give it other choices (``url``, ``description``, ``kinds``); whether any differed. Raises ``Vanished``."""
    locked = _locked(webhook)
    changed = [name for name, value in choices.items() if getattr(locked, name) != value]
    if changed:
        for name in changed:
            setattr(locked, name, choices[name])
        locked.save(update_fields=changed)
        _record(locked, "webhook_changed")
    return bool(changed)


@transaction.atomic
def rotate(webhook: Webhook, *, overlap: timedelta) -> str:
    """A new secret; the one before signs, too, for ``overlap`` more, any older one no longer. Raises ``Vanished``."""
    locked, secret = _locked(webhook), signing.new_secret()
    kept = bool(overlap)
    locked.old_secret, locked.old_until = (locked.secret, timezone.now() + overlap) if kept else ("", None)
    locked.secret = signing.kept(secret)
    locked.save(update_fields=["secret", "old_secret", "old_until"])
    _record(locked, "webhook_rotated")
    return secret


@transaction.atomic
def switch(webhook: Webhook, *, on: bool) -> None:
    """Enable or disable it. Once it is on, what waits goes out at once. Raises ``Vanished``."""
    locked = _locked(webhook)
    if locked.enabled == on:
        return
    locked.enabled, locked.off_because = on, Webhook.Why.OWNER
    if on:
        locked.failures, locked.failing_since = 0, None
        locked.deliveries.filter(state=State.WAITING).update(due_at=timezone.now())
        delivering.wake(locked.pk)
    locked.save(update_fields=["enabled", "off_because", "failures", "failing_since"])
    _record(locked, "webhook_enabled" if on else "webhook_disabled")


@transaction.atomic
def delete(webhook: Webhook) -> None:
    """Remove it for good, with the log of what it was told. Removing it twice is harmless."""
    found = Webhook.objects.select_for_update().filter(pk=webhook.pk).first()
    if found is not None:
        _record(found, "webhook_deleted")
        found.delete()
        Notification.objects.filter(owner_id=found.owner_id, deliveries=None).delete()


@transaction.atomic
def send_again(webhook: Webhook, delivery_id: UUID | None = None) -> int:
    """Send one notification again, whatever became of it, or all that were given up; how many.

    Each keeps its id, so that a receiver that had it after all can tell. What still waits is due at once.
    """
    mine = webhook.deliveries.filter(pk=delivery_id) if delivery_id else webhook.deliveries.filter(state=State.GIVEN_UP)
    found = mine.update(state=State.WAITING, attempts=0, due_at=timezone.now(), delivered_at=None)
    if found:
        delivering.wake(webhook.pk)
    return found


def _locked(webhook: Webhook) -> Webhook:
    found = Webhook.objects.select_for_update().filter(pk=webhook.pk).first()
    if found is None:
        raise Vanished
    return found


def _record(webhook: Webhook, code: str) -> None:
    security_log.write(owner=webhook.owner, code=code, subject=webhook.name[:60], number=webhook.pk)
