"""The API's endpoints about credits: the balance, and each line of the ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from accounts import problems
from accounts.bearer import guarded
from accounts.models import User
from accounts.problems import Problem
from billing import ledger, limits, statement

router = Router(tags=["Account"])


class BalanceOut(Schema):
    """The account's credits."""

    available: int = Field(description="Free to spend.")
    held: int = Field(description="Reserved by jobs that run.")
    owed: int = Field(description="What comes in next pays this first.")
    spent_this_month: int = Field(description="Since the first of the month (UTC), reserved ones included.")
    monthly_limit: int | None = Field(description="The account’s own limit; null for none.")


class LineOut(Schema):
    """A line of the ledger; a job is one line, whatever became of it."""

    id: int
    at: datetime
    what: Literal["bought", "welcome", "given", "taken_back", "restored", "adjusted", "reserved", "spent", "returned"]
    credits: int = Field(description="What it adds to the balance; 0 for a job whose credits came back.")
    moved: int = Field(description="The same without a sign, and of a returned job, too.")
    balance: int = Field(description="The sum of this line and all before it.")
    job: UUID | None
    ended_at: datetime | None
    reason: str


class LedgerOut(Schema):
    """A page of the ledger, newest first."""

    lines: list[LineOut]
    next: str | None = Field(description="The `cursor` of the next page; null on the last.")


@router.get(
    "/balance",
    response=BalanceOut,
    summary="Get the balance",
    operation_id="get_balance",
    **guarded("billing:read"),
)
def get_balance(request: HttpRequest) -> dict[str, Any]:
    """What there is to spend."""
    user = _user(request)
    balance = ledger.balance(user)
    return {
        "available": balance.available,
        "held": balance.held,
        "owed": balance.owed,
        "spent_this_month": limits.spent_this_month(user),
        "monthly_limit": limits.monthly(user),
    }


@router.get(
    "/ledger",
    response=LedgerOut,
    summary="List the ledger’s lines",
    operation_id="list_ledger",
    **guarded("billing:read", problems.INVALID),
)
def list_ledger(
    request: HttpRequest,
    only: Annotated[
        Literal["bought", "spent", "returned"] | None, Query(description="Only lines of this kind.")
    ] = None,
    cursor: Annotated[str, Query(max_length=18, description="`next` of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=100, description="Lines on a page.")] = 25,
) -> dict[str, Any]:
    """Where credits came from and where they went. Lines are never changed or removed."""
    if cursor and not statement.is_key(cursor):
        said = "Take it from “next” of the page before."
        raise Problem(problems.INVALID, f"cursor: {said}", errors={"cursor": [said]})
    page = statement.page(user=_user(request), only=only or "", before=cursor, most=limit)
    lines = [
        {
            "id": line.id,
            "at": line.at,
            "what": line.what,
            "credits": line.credits,
            "moved": line.moved,
            "balance": line.balance,
            "job": line.job,
            "ended_at": line.ended_at,
            "reason": line.reason or line.cause,
        }
        for line in page.lines
    ]
    return {"lines": lines, "next": page.before or None}


def _user(request: HttpRequest) -> User:
    user: User = request.auth.owner  # type: ignore[attr-defined]  # a guard found the key
    return user
