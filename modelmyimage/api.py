"""The API, put together: the endpoints of each app below ``/api/v1``, their errors, and their schema.

Nothing here knows what an endpoint does. What every answer has (its request id, the limits) is ``api_edge``'s.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from accounts import api as accounts_api
from accounts import problems
from accounts.problems import Problem
from billing import api as billing_api
from generation import api as generation_api
from generation import usage_api
from generation.api_wants import fields_of, wrong
from generation.notifications import api as webhooks_api

BASE = "api/v1/"

HEADERS: dict[str, Any] = {
    "Request-Id": {
        "description": "Names this request. Tell us when something is our fault.",
        "schema": {"type": "string"},
    },
    "Retry-After": {"description": "Seconds to wait before another try.", "schema": {"type": "string"}},
    "RateLimit": {
        "description": "How the limits of this request stand: calls left (r), seconds until all are back (t).",
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": "What the limits are: calls (q) in seconds (w).",
        "schema": {"type": "string"},
    },
}

api = NinjaAPI(
    title="ModelMyImage",
    version="1",
    description="A photo goes in, a 3D model (GLB) comes out, and nothing stays.",
    docs_url=None,
    openapi_url=None,
    urls_namespace="v1",
)
api.add_router("", generation_api.router)
api.add_router("", webhooks_api.router)
api.add_router("", billing_api.router)
api.add_router("", usage_api.router)
api.add_router("", accounts_api.router)


@api.exception_handler(Problem)
def _problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    return problems.response(problem, request_id=request.request_id)  # type: ignore[attr-defined]  # api_edge's


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return _problem(request, wrong(fields_of(error.errors)))


@api.exception_handler(HttpError)
def _unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    return _problem(request, Problem(problems.MALFORMED, str(error)))


@csrf_exempt  # no cookie is looked at
def nowhere(request: HttpRequest, rest: str = "") -> HttpResponse:
    """An address below the API's where there is nothing."""
    return _problem(request, Problem(problems.NOT_FOUND))


@cache
def schema() -> dict[str, Any]:
    """The API's OpenAPI 3.1 document: ninja's, with what it cannot say."""
    found: dict[str, Any] = dict(api.get_openapi_schema(path_prefix=BASE))
    found["servers"] = [{"url": settings.SITE_URL.rstrip("/")}]
    found["components"]["schemas"]["Problem"] = problems.SCHEMA
    found["components"]["headers"] = HEADERS
    scopes = {
        operation.operation_id: getattr(operation.auth_callbacks[0], "scope", "")
        for bound in api._get_bound_routers()
        for view in bound.path_operations.values()
        for operation in view.operations
        if operation.auth_callbacks
    }
    for methods in found["paths"].values():
        for operation in methods.values():
            scope = scopes.get(operation["operationId"])
            operation["security"] = [{"Key": [scope]}] if scope else []
            for response in operation["responses"].values():
                response.setdefault("headers", {})["Request-Id"] = {"$ref": "#/components/headers/Request-Id"}
                if scope:
                    for name in ("RateLimit", "RateLimit-Policy"):
                        response["headers"][name] = {"$ref": f"#/components/headers/{name}"}
    return found


@cache_control(public=True, max_age=300)
def openapi(request: HttpRequest) -> HttpResponse:
    """The schema, for programs."""
    response = JsonResponse(schema())
    response["Access-Control-Allow-Origin"] = "*"
    return response


urlpatterns: list[Any] = [
    path(f"{BASE}openapi.json", openapi, name="openapi"),
    path(BASE, api.urls),
    path("api/<path:rest>", nowhere),
]
