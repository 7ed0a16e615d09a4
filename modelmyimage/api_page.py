"""The page about the API: how to begin, what may go wrong, how much is allowed, and each endpoint.

All of it is read from what the API itself goes by: its schema, its problems, its limits, its scopes. The examples
stand in ``EXAMPLES``, from which the page and ``docs/api.md`` are checked: a test runs each against a running site.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import api as accounts_api
from accounts import problems, throttle
from accounts.problems import Kind
from accounts.scopes import SCOPES
from generation import api_problems
from modelmyimage.api import BASE, schema

FIRST = 'curl -F image=@photo.jpg -H "Authorization: Bearer $KEY" $SITE/api/v1/generate -o model.glb'

EXAMPLES: dict[str, str] = {
    "generate": FIRST,
    "send_job": (
        "curl -F image=@photo.jpg -F quality=draft -H \"Authorization: Bearer $KEY\" -H 'Idempotency-Key: order-4711' "
        "-H 'Prefer: wait=30' $SITE/api/v1/jobs"
    ),
    "list_jobs": 'curl -H "Authorization: Bearer $KEY" "$SITE/api/v1/jobs?state=ready&limit=10"',
    "get_job": 'curl -H "Authorization: Bearer $KEY" "$SITE/api/v1/jobs/$JOB?wait=30"',
    "follow_job": 'curl -N -H "Authorization: Bearer $KEY" $SITE/api/v1/jobs/$JOB/events',
    "fetch_asset": 'curl -H "Authorization: Bearer $KEY" $SITE/api/v1/jobs/$JOB/asset -o model.glb',
    "destroy_asset": 'curl -X DELETE -H "Authorization: Bearer $KEY" $SITE/api/v1/jobs/$JOB/asset',
    "get_receipt": 'curl -H "Authorization: Bearer $KEY" $SITE/api/v1/jobs/$JOB/receipt',
    "cancel_job": 'curl -X POST -H "Authorization: Bearer $KEY" $SITE/api/v1/jobs/$JOB/cancel',
    "list_providers": 'curl -H "Authorization: Bearer $KEY" $SITE/api/v1/providers',
    "get_balance": 'curl -H "Authorization: Bearer $KEY" $SITE/api/v1/balance',
    "list_ledger": 'curl -H "Authorization: Bearer $KEY" "$SITE/api/v1/ledger?only=spent"',
    "get_usage": 'curl -H "Authorization: Bearer $KEY" "$SITE/api/v1/usage?by=key&format=csv"',
    "list_keys": 'curl -H "Authorization: Bearer $KEY" $SITE/api/v1/keys',
    "make_webhook": (
        "curl -H \"Authorization: Bearer $KEY\" -H 'Content-Type: application/json' "
        '-d \'{"url": "https://shop.example/hook", "events": ["job.ready", "job.failed"]}\' '
        "$SITE/api/v1/webhooks"
    ),
    "list_webhooks": 'curl -H "Authorization: Bearer $KEY" $SITE/api/v1/webhooks',
    "change_webhook": (
        "curl -X PATCH -H \"Authorization: Bearer $KEY\" -H 'Content-Type: application/json' "
        '-d \'{"description": "the shop"}\' $SITE/api/v1/webhooks/$WEBHOOK'
    ),
    "test_webhook": 'curl -X POST -H "Authorization: Bearer $KEY" $SITE/api/v1/webhooks/$WEBHOOK/test',
    "list_deliveries": (
        'curl -H "Authorization: Bearer $KEY" "$SITE/api/v1/webhooks/$WEBHOOK/deliveries?state=given_up"'
    ),
    "replay_delivery": (
        'curl -X POST -H "Authorization: Bearer $KEY" $SITE/api/v1/webhooks/$WEBHOOK/deliveries/$DELIVERY/replay'
    ),
    "delete_webhook": 'curl -X DELETE -H "Authorization: Bearer $KEY" $SITE/api/v1/webhooks/$WEBHOOK',
    "export_data": 'curl -H "Authorization: Bearer $KEY" $SITE/api/v1/privacy/export -o my-data.zip',
    "get_log_head": 'curl -H "Authorization: Bearer $KEY" $SITE/api/v1/log/head',
    "get_log_proof": 'curl -H "Authorization: Bearer $KEY" "$SITE/api/v1/log/proof?leaf=$LEAF&size=$SIZE"',
    "report_leaked_key": (
        "curl -H 'Content-Type: application/json' -d '{\"secret\": \"'$KEY'\"}' $SITE/api/v1/keys/leaked"
    ),
}
"""A call of each operation; ``$KEY``, ``$JOB`` and the like are the reader's to fill in, ``$SITE`` is ours."""


@dataclass(frozen=True)
class Endpoint:
    """An operation as the page shows it."""

    id: str
    verb: str
    path: str
    scope: str
    summary: str
    description: str
    parameters: list[dict[str, Any]]
    fields: list[dict[str, Any]]
    answers: list[tuple[str, str]]
    example: str


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """For everybody."""
    context = {
        "base": settings.SITE_URL.rstrip("/") + "/" + BASE.rstrip("/"),
        "first": shown(FIRST),
        "scopes": SCOPES,
        "kinds": kinds(),
        "rates": list(throttle.RATES.values()),
        "at_once": list(throttle.AT_ONCE.values()),
        "endpoints": endpoints(),
    }
    return render(request, "api/page.html", context)


def shown(example: str) -> str:
    """The example with this site's address."""
    return example.replace("$SITE", settings.SITE_URL.rstrip("/"))


def kinds() -> list[Kind]:
    """Every kind of problem that the schema documents, by status and code."""
    modules = (problems, api_problems, accounts_api)
    found = {kind for module in modules for kind in vars(module).values() if isinstance(kind, Kind)}
    return sorted(found, key=lambda kind: (kind.status, kind.code))


def endpoints() -> list[Endpoint]:
    """Every operation, in the order in which one meets them."""
    found = {}
    for path, methods in schema()["paths"].items():
        for verb, operation in methods.items():
            found[operation["operationId"]] = _endpoint(path, verb, operation)
    return [found[name] for name in EXAMPLES]


def _endpoint(path: str, verb: str, operation: dict[str, Any]) -> Endpoint:
    security = operation["security"]
    form = operation.get("requestBody", {}).get("content", {}).get("multipart/form-data", {}).get("schema", {})
    fields = [_field(name, field, name in form["required"]) for name, field in form.get("properties", {}).items()]
    in_form = {field["name"] for field in fields}
    parameters = [
        _field(one["name"], {**one["schema"], "description": one.get("description", "")}, one["required"])
        for one in operation.get("parameters", [])
        if one["in"] != "path" and one["name"] not in in_form
    ]
    return Endpoint(
        id=operation["operationId"],
        verb=verb.upper(),
        path=path,
        scope=security[0]["Key"][0] if security else "",
        summary=operation["summary"],
        description=operation["description"],
        parameters=parameters,
        fields=fields,
        answers=[(str(status), str(answer["description"])) for status, answer in operation["responses"].items()],
        example=shown(EXAMPLES[operation["operationId"]]),
    )


def _field(name: str, field: dict[str, Any], required: bool) -> dict[str, Any]:
    kinds_of = [option for option in field.get("anyOf", [field]) if option.get("type") != "null"]
    first = kinds_of[0] if kinds_of else field
    values = [str(value) for value in first.get("enum", field.get("enum", []))]
    least, most = first.get("minimum"), first.get("maximum")
    return {
        "name": name,
        "required": required,
        "type": "file" if first.get("format") == "binary" else first.get("type", ""),
        "values": values,
        "range": f"{least}–{most}" if least is not None and most is not None else "",
        "default": field.get("default"),
        "description": field.get("description", ""),
    }
