"""One call of the API: who asks, what was answered before, which page of a list, and what is shown in full."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from typing import Any

from sandbox.stripe import invoices, parameters, sessions, subscriptions
from sandbox.stripe.book import Book
from sandbox.stripe.refusal import Refusal
from sandbox.stripe.routes import ROUTES, Route
from sandbox.stripe.shapes import CLASSES, UNASKED, Json, a_list, arms, hints

DEPTH = 4
LONGEST_PAGE = 100


@dataclass
class Reply:
    """What a call is answered."""

    status: int
    body: Json
    headers: dict[str, str] = field(default_factory=dict)


def answer(book: Book, method: str, path: str, form: str, *, key: str = "") -> Reply:
    """The answer to a call by somebody who may call. ``key``: the idempotency key, which only a POST may have."""
    request = f"req_{''.join(book.rng.choices('abcdefghijkmnpqrstuvwxyzABCDEFGH', k=14))}"
    headers = {"Request-Id": request}
    asked = {"method": method, "path": path, "form": form}
    if key and method == "POST" and key in book.answers:
        return _again(book.answers[key], asked, headers)
    if key:
        headers["Idempotency-Key"] = key
    book.request = {"id": request, "idempotency_key": key or None}
    try:
        reply, kept = Reply(200, _run(book, method, path, form), headers), True
    except Refusal as refusal:
        reply, kept = Reply(refusal.status, refusal.body(), headers), refusal.kept and refusal.status < 429
    finally:
        book.request = None
    if key and method == "POST" and kept:
        body = copy.deepcopy(reply.body)
        book.answers[key] = {"asked": asked, "status": reply.status, "body": body, "request": request}
    return reply


def _again(before: Json, asked: Json, headers: dict[str, str]) -> Reply:
    if before["asked"] != asked:
        refusal = Refusal(
            "This idempotency key came with another request before.",
            type="idempotency_error",
        )
        return Reply(400, refusal.body(), headers)
    same = {"Idempotent-Replayed": "true", "Original-Request": before["request"]}
    return Reply(before["status"], before["body"], headers | same)


def _run(book: Book, method: str, path: str, form: str) -> Json:
    for route in ROUTES:
        found = route.pattern.fullmatch(path)
        if found and route.method == method:
            params = parameters.read(route.parameters, parameters.decode(form), route.honours)
            expand = params.pop("expand", [])
            shown = route.handler(book, params, *found.groups())
            if route.is_list:
                return _page(book, route, path, shown, params, expand)
            return show(book, shown, expand)
    raise Refusal(f"Unrecognized request URL ({method}: {path}).", status=404, kept=False)


def _page(book: Book, route: Route, path: str, found: list[Json], params: Json, expand: list[str]) -> Json:
    limit = params.get("limit", 10)
    if not 1 <= limit <= LONGEST_PAGE:
        raise Refusal("Limit must be between 1 and 100.", param="limit", code="parameter_invalid_integer", kept=False)
    if "created" in params:
        found = [one for one in found if _within(one["created"], params["created"])]
    ids = [one["id"] for one in found]
    if "starting_after" in params:
        found = found[_place(ids, params["starting_after"], "starting_after") + 1 :]
        rest, found = found[limit:], found[:limit]
    elif "ending_before" in params:
        found = found[: _place(ids, params["ending_before"], "ending_before")]
        rest, found = found[:-limit], found[-limit:]
    else:
        rest, found = found[limit:], found[:limit]
    inner = [one.removeprefix("data.") for one in expand]
    return a_list(path, [show(book, one, inner) for one in found], has_more=bool(rest))


def _place(ids: list[str], id: str, param: str) -> int:
    if id not in ids:
        raise Refusal(f"No such object: '{id}'", code="resource_missing", param=param)
    return ids.index(id)


def _within(moment: int, bounds: Any) -> bool:
    if isinstance(bounds, int):
        return moment == bounds
    tests = {"gt": moment.__gt__, "gte": moment.__ge__, "lt": moment.__lt__, "lte": moment.__le__}
    return all(tests[name](bound) for name, bound in bounds.items())


def show(book: Book, object: Json, expand: list[str]) -> Json:
    """The object as a call shows it, with the fields on the paths ``expand`` in full. Raises ``Refusal``."""
    shown = copy.deepcopy(object)
    for path in expand:
        parts = path.split(".")
        if len(parts) > DEPTH:
            raise Refusal("No more than 4 levels can be expanded.", param="expand", kept=False)
        _expand(book, shown, parts, path)
    return shown


def _expand(book: Book, holder: Any, parts: list[str], path: str) -> None:
    if isinstance(holder, list):
        for one in holder:
            _expand(book, one, parts, path)
        return
    if not parts or holder is None:
        return
    first, rest = parts[0], parts[1:]
    name = holder.get("object", "") if isinstance(holder, dict) else ""
    if first in UNASKED.get(name, ()) and first not in holder:
        holder[first] = _unasked(book, holder, first, path)
    if not isinstance(holder, dict) or first not in holder or (not rest and not _may_expand(name, holder, first)):
        raise Refusal(f"This property cannot be expanded ({path}).", param="expand", kept=False)
    if isinstance(holder[first], str) and holder[first] in book.objects:
        holder[first] = copy.deepcopy(book.objects[holder[first]])
    _expand(book, holder[first], rest, path)


def _may_expand(name: str, holder: Json, field: str) -> bool:
    if isinstance(holder[field], dict) or name not in CLASSES:
        return True
    return str in (choices := arms(hints(CLASSES[name])[field])) and len(choices) > 2


def _unasked(book: Book, holder: Json, field: str, path: str) -> Json:
    id = holder["id"]
    if (holder["object"], field) == ("checkout.session", "line_items"):
        return copy.deepcopy(sessions.lines(book, holder))
    if (holder["object"], field) == ("charge", "refunds"):
        refunds = [one for one in book.all("refund") if one["charge"] == id]
        return a_list(f"/v1/charges/{id}/refunds", copy.deepcopy(refunds))
    if (holder["object"], field) == ("invoice", "payments"):
        return a_list(f"/v1/invoice_payments?invoice={id}", copy.deepcopy(invoices.payments_of(book, id)))
    if (holder["object"], field) == ("customer", "subscriptions"):
        running = subscriptions.find(book, {"customer": id})
        return a_list(f"/v1/customers/{id}/subscriptions", copy.deepcopy(running))
    raise Refusal(f"The sandbox does not show {path}.", code="sandbox_unsupported", param="expand", kept=False)


def size(body: Json) -> bytes:
    """A body as it is sent."""
    return json.dumps(body, indent=2).encode()
