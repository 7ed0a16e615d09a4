"""The API's endpoints about webhooks: list, make, change, delete, try; what each was told, and telling it again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from accounts import problems
from accounts.bearer import guarded
from accounts.problems import Problem
from generation import api_problems
from generation.api import key_of
from generation.api_shapes import Said
from generation.api_wants import wrong
from generation.models import Delivery, Webhook
from generation.notifications import log, outbox, sending, subscribing, targets
from generation.notifications.messages import KINDS

router = Router(tags=["Webhooks"])

Event = Literal["job.ready", "job.done", "job.failed", "job.cancelled", "job.expired", "job.destroyed"]
State = Literal["waiting", "delivered", "given_up"]

Id = Annotated[UUID, Path(description="The webhook's id.")]
DeliveryId = Annotated[UUID, Path(description="The delivery's id.")]

ADDRESS = Field(max_length=targets.LONGEST, description="What we call: https, on a machine that everybody can reach.")
DESCRIPTION = Field(max_length=60, pattern="^[^\\x00-\\x1f\\x7f]*$", description="By what you tell it from others.")
EVENTS = Field(min_length=1, max_length=20, description="What it is told of.")


class WebhookIn(Schema):
    """A webhook to be made."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, ADDRESS]
    description: Annotated[str, DESCRIPTION] = ""
    events: Annotated[list[Event], EVENTS] = Field(default_factory=lambda: list(get_args(Event)))


class WebhookChange(Schema):
    """What to change; what is left out, or null, stays."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, ADDRESS] | None = None
    description: Annotated[str, DESCRIPTION] | None = None
    events: Annotated[list[Event], EVENTS] | None = None
    enabled: bool | None = Field(None, description="Once it is on, what waits goes out at once.")


class WebhookOut(Schema):
    """A webhook."""

    id: UUID
    url: str
    description: str
    events: list[str]
    enabled: bool
    off_because: Literal["", "failing", "gone"] = Field(
        description="Why we switched it off: it took nothing for days, or answered 410."
    )
    failing_since: datetime | None = Field(description="When it began to take nothing; null: it takes what we send.")
    created_at: datetime


class WebhookMade(WebhookOut):
    """A new webhook, with its secret."""

    secret: str = Field(description="What requests are signed with. It is shown this once.")


class WebhookList(Schema):
    """All webhooks of the account, newest first."""

    webhooks: list[WebhookOut]


class DeliveryOut(Schema):
    """A notification on its way to a webhook, and how the last attempt went."""

    id: UUID
    message: str = Field(description="The header `webhook-id`; the same each time.")
    event: str
    job: UUID | None
    state: State
    attempts: int
    status: int | None = Field(description="Of the last answer; null when none came.")
    failure: Said | None
    milliseconds: int | None = Field(description="What the last attempt took.")
    happened_at: datetime
    tried_at: datetime | None
    next_at: datetime | None = Field(description="When it is tried next, while it waits.")
    delivered_at: datetime | None


class DeliveryList(Schema):
    """A page of deliveries, newest first."""

    deliveries: list[DeliveryOut]
    next: str | None = Field(description="The `cursor` of the next page; null on the last.")


@router.get(
    "/webhooks",
    response=WebhookList,
    summary="List webhooks",
    operation_id="list_webhooks",
    **guarded("webhooks"),
)
def list_webhooks(request: HttpRequest) -> dict[str, Any]:
    """The programs of yours that are told of jobs."""
    return {"webhooks": [_shown(one) for one in key_of(request).owner.webhooks.order_by("-created_at")]}


@router.post(
    "/webhooks",
    response={201: WebhookMade},
    summary="Make a webhook",
    operation_id="make_webhook",
    **guarded("webhooks", problems.INVALID, api_problems.TOO_MANY_WEBHOOKS),
)
def make_webhook(request: HttpRequest, webhook: WebhookIn) -> Any:
    """From now on, we POST a signed message to that address whenever one of the events happens to a job."""
    try:
        made, secret = subscribing.make(
            owner=key_of(request).owner,
            url=_address(webhook.url),
            description=webhook.description,
            kinds=_ordered(webhook.events),
        )
    except subscribing.TooMany:
        raise Problem(api_problems.TOO_MANY_WEBHOOKS) from None
    return Status(201, {**_shown(made), "secret": secret})


@router.patch(
    "/webhooks/{webhook_id}",
    response=WebhookOut,
    summary="Change a webhook",
    operation_id="change_webhook",
    **guarded("webhooks", problems.NOT_FOUND, problems.INVALID),
)
def change_webhook(request: HttpRequest, webhook_id: Id, change: WebhookChange) -> dict[str, Any]:
    """Its address, its events, or whether it is on."""
    webhook = _owned(request, webhook_id)
    wanted = change.model_dump(exclude_none=True)
    on = wanted.pop("enabled", None)
    if "url" in wanted:
        wanted["url"] = _address(wanted["url"])
    if "events" in wanted:
        wanted["kinds"] = _ordered(wanted.pop("events"))
    try:
        if wanted:
            subscribing.change(webhook, **wanted)
        if on is not None:
            subscribing.switch(webhook, on=on)
        return _shown(_owned(request, webhook_id))
    except subscribing.Vanished:
        raise Problem(problems.NOT_FOUND) from None


@router.delete(
    "/webhooks/{webhook_id}",
    response={204: None},
    summary="Delete a webhook",
    operation_id="delete_webhook",
    **guarded("webhooks", problems.NOT_FOUND, problems.INVALID),
)
def delete_webhook(request: HttpRequest, webhook_id: Id) -> Any:
    """With the log of what it was told."""
    subscribing.delete(_owned(request, webhook_id))
    return Status(204, None)


@router.post(
    "/webhooks/{webhook_id}/test",
    response={202: DeliveryOut},
    summary="Try a webhook",
    operation_id="test_webhook",
    **guarded("webhooks", problems.NOT_FOUND, problems.INVALID, api_problems.WEBHOOK_OFF, limits=("webhook_sends",)),
)
def test_webhook(request: HttpRequest, webhook_id: Id) -> Any:
    """Sends an event `webhook.test`, which is about no job. Its deliveries then say what became of it."""
    webhook = _owned(request, webhook_id)
    if not webhook.enabled:
        raise Problem(api_problems.WEBHOOK_OFF)
    return Status(202, _delivery(outbox.test(webhook)))


@router.get(
    "/webhooks/{webhook_id}/deliveries",
    response=DeliveryList,
    summary="List what a webhook was told",
    operation_id="list_deliveries",
    **guarded("webhooks", problems.NOT_FOUND, problems.INVALID),
)
def list_deliveries(
    request: HttpRequest,
    webhook_id: Id,
    state: Annotated[State | None, Query(description="Only those in this state.")] = None,
    event: Annotated[Event | Literal["webhook.test"] | None, Query(description="Only of this event.")] = None,
    cursor: Annotated[str, Query(max_length=18, description="`next` of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=100, description="Deliveries on a page.")] = 25,
) -> dict[str, Any]:
    """Newest first, for 30 days. What was said is in it; nothing of what your program answered but the status."""
    webhook = _owned(request, webhook_id)
    if cursor and not log.is_key(cursor):
        raise wrong({"cursor": ["Take it from “next” of the page before."]})
    page = log.page(webhook, state=state or "", kind=event or "", before=cursor, most=limit)
    return {"deliveries": [_delivery(one) for one in page.deliveries], "next": page.before or None}


@router.post(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
    response={202: DeliveryOut},
    summary="Tell a webhook again",
    operation_id="replay_delivery",
    **guarded("webhooks", problems.NOT_FOUND, problems.INVALID, limits=("webhook_sends",)),
)
def replay_delivery(request: HttpRequest, webhook_id: Id, delivery_id: DeliveryId) -> Any:
    """Whatever became of it. It has the same `webhook-id`, so a program that had it after all can tell."""
    webhook = _owned(request, webhook_id)
    subscribing.send_again(webhook, delivery_id)
    again = webhook.deliveries.select_related("notification").filter(pk=delivery_id).first()
    if again is None:
        raise Problem(problems.NOT_FOUND)
    return Status(202, _delivery(again))


def _owned(request: HttpRequest, webhook_id: UUID) -> Webhook:
    """The webhook, if it is the account's; to everybody else it does not exist. Raises ``Problem``."""
    webhook = Webhook.objects.filter(pk=webhook_id, owner_id=key_of(request).owner_id).first()
    if webhook is None:
        raise Problem(problems.NOT_FOUND)
    return webhook


def _address(url: str) -> str:
    try:
        return targets.checked(url)
    except targets.BadAddress as bad:
        raise wrong({"url": [str(bad.message)]}) from None


def _ordered(events: list[Event] | list[str]) -> list[str]:
    return [kind for kind in KINDS if kind in events]


def _shown(webhook: Webhook) -> dict[str, Any]:
    names = ("id", "url", "description", "enabled", "off_because", "failing_since", "created_at")
    return {**{name: getattr(webhook, name) for name in names}, "events": webhook.kinds}


def _delivery(delivery: Delivery) -> dict[str, Any]:
    told = delivery.notification
    failure = sending.FAILURES.get(delivery.failure)
    names = ("id", "state", "attempts", "status", "milliseconds", "tried_at", "delivered_at")
    return {
        **{name: getattr(delivery, name) for name in names},
        "message": told.message_id,
        "event": told.kind,
        "job": told.job_id,
        "failure": {"code": delivery.failure, "message": f"{failure}."} if failure else None,
        "happened_at": told.at,
        "next_at": delivery.due_at if delivery.state == Delivery.State.WAITING else None,
    }
