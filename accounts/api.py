"""The API's endpoints about the account: see its keys, report a leaked one, copy one's data, check the public log.

A key may look at others and at itself, and change none: whoever got hold of one could otherwise make it into more. That
is left to the pages, which ask who is there.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router, Schema, Status
from pydantic import Field

from accounts import keys, problems, throttle
from accounts.bearer import guarded, limited, public
from accounts.models import AccessKey
from accounts.problems import Kind, Problem
from privacy import export, heads, log

router = Router(tags=["Account"])

COPY_TOO_LARGE = Kind(
    "copy_too_large", 409, _("There is too much for one file"), _("Whoever runs this site has to make it: ask them.")
)
ZIP: dict[str, Any] = {
    "responses": {
        200: {
            "description": "A ZIP.",
            "headers": {"Request-Id": {"$ref": "#/components/headers/Request-Id"}},
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        }
    }
}


class LeakedIn(Schema):
    """A secret that somebody found."""

    secret: str = Field(max_length=200, pattern=f"^{keys.PATTERN.pattern}$")


class KeyOut(Schema):
    """An access key; neither its secret nor where it may be used from."""

    id: UUID
    name: str
    ends_with: str = Field(description="The last four characters of its secret.")
    scopes: list[str]
    state: Literal["on", "off", "expired"]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute.")
    calls: int
    current: bool = Field(description="Whether it is the one that asks.")


class KeysOut(Schema):
    """All keys of the account, newest first."""

    keys: list[KeyOut]


class HeadOut(Schema):
    """A signed head of the log."""

    head: dict[str, Any]
    signature: dict[str, Any]


class ProofOut(Schema):
    """That a leaf is in the log of that size."""

    format: str
    leaf: str
    index: int
    size: int
    path: list[str]


@router.get(
    "/keys",
    response=KeysOut,
    summary="List access keys",
    operation_id="list_keys",
    **guarded("usage:read"),
)
def list_keys(request: HttpRequest) -> dict[str, Any]:
    """What keys there are, what each may do and when it was last used. They are made and changed at `/account/keys`."""
    asking: AccessKey = request.auth  # type: ignore[attr-defined]  # a guard found the key
    return {"keys": [_shown(key, asking) for key in asking.owner.access_keys.order_by("-created_at")]}


def _shown(key: AccessKey, asking: AccessKey) -> dict[str, Any]:
    return {
        "id": key.pk,
        "name": key.name,
        "ends_with": key.ends_with,
        "scopes": key.scopes,
        "state": "off" if not key.enabled else "expired" if key.expired else "on",
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "calls": key.calls + throttle.counted(str(key.pk)),
        "current": key.pk == asking.pk,
    }


@router.post(
    "/keys/leaked",
    response={204: None},
    summary="Report a leaked key",
    operation_id="report_leaked_key",
    **public(problems.INVALID),
)
def report_leaked_key(request: HttpRequest, found: LeakedIn) -> Any:
    """To have the key is enough to switch it off; its owner gets a mail. The answer is the same whether there is such a
    key or not.
    """
    limited(request, {"refused": str(request.META.get("REMOTE_ADDR", ""))})
    if not keys.well_formed(found.secret):
        raise Problem(problems.INVALID, errors={"secret": [str(problems.KEY_MALFORMED.todo)]})
    keys.leaked(found.secret)
    return Status(204, None)


@router.get(
    "/privacy/export",
    summary="Get a copy of your data",
    operation_id="export_data",
    **guarded("privacy", COPY_TOO_LARGE, limits=("copies",), **ZIP),
)
def export_data(request: HttpRequest) -> HttpResponse:
    """Everything that we hold about you, in one ZIP, as on the page “Your data”. It is made while you wait."""
    try:
        data = export.archive(request.auth.owner)  # type: ignore[attr-defined]  # a guard found the key
    except export.TooLarge:
        raise Problem(COPY_TOO_LARGE) from None
    response = HttpResponse(data, content_type="application/zip")
    response["Content-Disposition"] = 'attachment; filename="my-data.zip"'
    return response


@router.get(
    "/log/head",
    response=HeadOut,
    summary="Get the log’s latest head",
    operation_id="get_log_head",
    **guarded("read", problems.NOT_FOUND),
)
def get_log_head(request: HttpRequest) -> Any:
    """What we signed last about the public log of receipts."""
    head = heads.latest()
    if head is None:
        raise Problem(problems.NOT_FOUND)
    return head.document


@router.get(
    "/log/proof",
    response=ProofOut,
    summary="Get a proof of inclusion",
    operation_id="get_log_proof",
    **guarded("read", problems.NOT_FOUND, problems.INVALID),
)
def get_log_proof(
    request: HttpRequest,
    leaf: Annotated[str, Query(pattern="^[0-9a-f]{64}$", description="The leaf’s hash, in hex.")],
    size: Annotated[int, Query(ge=1, le=2**53, description="The size of the log that the proof is for.")],
) -> dict[str, Any]:
    """The path from a receipt’s leaf to the root of the log of that size."""
    try:
        index = log.index_of(bytes.fromhex(leaf))
        path = log.inclusion(index, size)
    except log.NotThere:
        raise Problem(problems.NOT_FOUND) from None
    return {
        "format": "modelmyimage-log-inclusion/1",
        "leaf": leaf,
        "index": index,
        "size": size,
        "path": [step.hex() for step in path],
    }
