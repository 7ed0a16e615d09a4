"""The API's endpoint about use: how much the account's programs called, and what its jobs cost."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import BeforeValidator, Field

from accounts import problems
from accounts.bearer import guarded
from generation import usage, usage_files, usage_range
from generation.api_wants import wrong

router = Router(tags=["Account"])

Day = Annotated[date, BeforeValidator(usage_range.iso)]


class CallsOut(Schema):
    """Requests by working keys. A time is the upper end of the step that it was counted in."""

    calls: int
    client_errors: int = Field(description="Answered 4xx.")
    server_errors: int = Field(description="Answered 5xx.")
    error_rate: float | None = Field(description="The part of both; null where there were no calls.")
    bytes_in: int = Field(description="Bodies of requests.")
    bytes_out: int = Field(description="Bodies of answers.")
    median_ms: int | None = Field(description="Half of them took so long at most, waits that were asked for included.")
    p95_ms: int | None = Field(description="95 of 100 took so long at most.")


class JobsOut(Schema):
    """Jobs that were sent in that time, by a program or on the pages."""

    jobs: int
    done: int
    failed: int
    credits: int = Field(description="What they have cost.")
    model_bytes: int = Field(description="How large their models were.")


class UsageRow(Schema):
    """A day, key, endpoint or provider."""

    name: str = Field(description="The day, the key’s id (empty: none), the endpoint, the provider’s name.")
    label: str = Field(description="The same for people.")
    calls: CallsOut | None = Field(description="Null by provider.")
    jobs: JobsOut | None = Field(description="Null by endpoint.")


class UsageTotal(Schema):
    """Everything in that time."""

    calls: CallsOut
    jobs: JobsOut


class UsageOut(Schema):
    """Use in a time."""

    begin: datetime = Field(alias="from", description="The beginning of the first day, in UTC.")
    until: datetime = Field(description="The end of the last day.")
    by: Literal["day", "key", "endpoint", "provider"]
    total: UsageTotal
    rows: list[UsageRow]


CSV: dict[str, Any] = {"responses": {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}}


@router.get(
    "/usage",
    response=UsageOut,
    by_alias=True,
    summary="See how much was used",
    operation_id="get_usage",
    **guarded("usage:read", problems.INVALID, **CSV),
)
def get_usage(
    request: HttpRequest,
    first: Annotated[
        Day | None, Query(alias="from", description="The first day, in UTC; without it, 30 days in all.")
    ] = None,
    last: Annotated[Day | None, Query(alias="to", description="The last day, in UTC; without it, today.")] = None,
    by: Annotated[Literal["day", "key", "endpoint", "provider"], Query(description="What each row is about.")] = "day",
    format: Annotated[
        Literal["json", "csv"] | None, Query(description="Without it, as the header Accept says, or JSON.")
    ] = None,
) -> Any:
    """Calls, errors, bytes and times; jobs, credits and sizes: of at most 366 days, as JSON, or as a table in CSV."""
    try:
        span = usage_range.between(first, last)
    except usage_range.WrongRange as error:
        raise wrong({error.field: [error.message]}) from None
    found = usage.report(request.auth.owner, span, by)  # type: ignore[attr-defined]  # a guard found the key
    if (format or _accepted(request)) == "csv":
        return HttpResponse(usage_files.table(found), content_type="text/csv; charset=utf-8")
    return usage_files.document(found)


def _accepted(request: HttpRequest) -> str:
    return "csv" if request.get_preferred_type(["application/json", "text/csv"]) == "text/csv" else "json"
