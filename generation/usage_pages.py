"""Pages about use: figures, charts and tables of a time that one chooses; and each call that one's programs made.

Everything is a plain link or a GET form, so an address says what it shows. Days and times are in UTC, as in the files.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import call_log
from accounts.models import User
from accounts.usage import Span
from generation import usage, usage_chart, usage_files, usage_range
from generation.usage import Row
from generation.usage_range import WrongRange
from privacy.spreadsheets import harmless

RANGES: Final = ("24h", *usage_range.DAYS)
MOST_BARS: Final = 92
"""Days that have a bar and a line each; of more, weeks have."""
MOST_SAVED: Final = 10_000
"""Calls in one file."""
COLUMNS: Final = ("time", "key", "key_name", "endpoint", "status", "ms", "bytes_in", "bytes_out", "job")


@require_safe
@never_cache
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """How much one used."""
    assert isinstance(request.user, User)
    wrong: WrongRange | None = None
    try:
        span = usage_range.asked(request.GET.dict())
    except WrongRange as error:
        span, wrong = usage_range.named(usage_range.USUAL), error
    wanted = request.GET.get("range", usage_range.USUAL)
    custom = wanted == "custom"
    unit: usage.By = "hour" if span.hourly else "day" if (span.end - span.begin).days <= MOST_BARS else "week"
    steps = usage.report(request.user, span, unit)
    context: dict[str, Any] = {
        "span": span,
        "range": wanted if wanted in (*RANGES, "custom") else usage_range.USUAL,
        "wrong": wrong,
        "first": request.GET.get("from", "")[:40] if custom else span.first.isoformat(),
        "last": request.GET.get("to", "")[:40] if custom else span.last.isoformat(),
        "total": steps.total,
        "empty": steps.total.empty,
        "unit": unit,
        "rows": [(_said(row, span), row) for row in steps.rows],
        "calls_chart": usage_chart.chart([_bar(row, span) for row in steps.rows]),
        "credits_chart": usage_chart.chart([(_tick(row, span), row.jobs.credits, 0) for row in steps.rows if row.jobs]),
        "keys": usage.report(request.user, span, "key").rows,
        "endpoints": usage.report(request.user, span, "endpoint").rows,
        "providers": usage.report(request.user, span, "provider").rows,
        "current": span.end > timezone.now(),
        "same": _same(span),
    }
    return render(request, "generation/usage.html", context, status=422 if wrong else 200)


def _same(span: Span) -> str:
    """What an address has to say for the same time."""
    if span.hourly:
        return urlencode({"range": "24h"})
    return urlencode({"range": "custom", "from": span.first.isoformat(), "to": span.last.isoformat()})


def _bar(row: Row, span: Span) -> tuple[str, int, int]:
    assert row.calls is not None
    return _tick(row, span), row.calls.calls, row.calls.errors


def _tick(row: Row, span: Span) -> str:
    begin = datetime.fromisoformat(row.name)
    return date_format(begin, "TIME_FORMAT" if span.hourly else "MONTH_DAY_FORMAT")


def _said(row: Row, span: Span) -> str:
    begin = datetime.fromisoformat(row.name)
    return date_format(begin, "SHORT_DATETIME_FORMAT") if span.hourly else row.label


@require_safe
@never_cache
@login_required
def save(request: HttpRequest, by: str, form: str) -> HttpResponse:
    """The same as a file."""
    assert isinstance(request.user, User)
    if by not in ("day", "hour", "key", "endpoint", "provider") or form not in ("csv", "json"):
        raise Http404
    try:
        span = usage_range.asked(request.GET.dict())
    except WrongRange as error:
        return HttpResponse(error.message, status=422, content_type="text/plain; charset=utf-8")
    if by in ("day", "hour"):
        by = "hour" if span.hourly else "day"
    report = usage.report(request.user, span, by)  # type: ignore[arg-type]  # looked at above
    name = f"usage-by-{by}-{span.first.isoformat()}-{span.last.isoformat()}.{form}"
    if form == "json":
        response: HttpResponse = JsonResponse(usage_files.document(report))
    else:
        response = HttpResponse(usage_files.table(report), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_safe
@never_cache
@login_required
def calls(request: HttpRequest) -> HttpResponse:
    """Each call, newest first."""
    assert isinstance(request.user, User)
    key, errors = _uuid(request.GET.get("key", "")), request.GET.get("only") == "errors"
    found = call_log.page(owner=request.user, key=key, errors=errors, before=request.GET.get("before", ""))
    numbers = {call.access_key for call in found.calls} | ({key} if key else set())
    names = call_log.key_names(request.user, numbers)
    context = {
        "calls": [(names[call.access_key], call) for call in found.calls],
        "before": found.before,
        "first": not request.GET.get("before"),
        "only": "errors" if errors else "",
        "key": key,
        "keys": request.user.access_keys.order_by("name"),
        "key_gone": key is not None and not request.user.access_keys.filter(pk=key).exists(),
        "narrowed": urlencode({**({"key": str(key)} if key else {}), **({"only": "errors"} if errors else {})}),
        "most": MOST_SAVED,
    }
    return render(request, "generation/calls.html", context)


@require_safe
@never_cache
@login_required
def calls_csv(request: HttpRequest) -> HttpResponse:
    """The newest of them as a file."""
    assert isinstance(request.user, User)
    key, errors = _uuid(request.GET.get("key", "")), request.GET.get("only") == "errors"
    found = list(call_log.chosen(owner=request.user, key=key, errors=errors)[:MOST_SAVED])
    names = call_log.key_names(request.user, {call.access_key for call in found})
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for call in found:
        at = call.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        writer.writerow(
            [
                at, call.access_key, harmless(names[call.access_key]), call.endpoint, call.status, call.ms,
                call.bytes_in, call.bytes_out, call.job or "",
            ]
        )  # fmt: skip
    response = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="calls.csv"'
    return response


def _uuid(text: str) -> UUID | None:
    """A key's number; what is none narrows nothing."""
    try:
        return UUID(text)
    except ValueError:
        return None
