"""Tasks are followed like requests: a message says which request sent it, and what its task does is timed and traced.

By Celery's signals, which every worker and every sender has; nothing of what a task does depends on them. A message
gets two headers more: the id of the request at hand, and the trace's, where there is one.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any, Final

from celery.signals import before_task_publish, task_failure, task_postrun, task_prerun, worker_init
from django.conf import settings

from observe import facts, meters, tracing

REQUEST: Final = "request_at_hand"
TRACE: Final = "trace_at_hand"
_RUNNING: Final = "_watched"


@before_task_publish.connect
def _sent(headers: dict[str, Any] | None = None, **_: Any) -> None:
    if headers is None:
        return
    request = facts.about().get("request")
    if request:
        headers[REQUEST] = request
    carried = tracing.carried()
    if carried:
        headers[TRACE] = carried


@task_prerun.connect
def _begins(task_id: str = "", task: Any = None, **_: Any) -> None:
    facts.begin(task=task_id, request=task.request.get(REQUEST) or "")
    sender = task.request.get(TRACE)
    running = ExitStack()
    known = sender if isinstance(sender, dict) else {}
    span = running.enter_context(tracing.span(f"task {task.name}", kind="consumer", sender=known))
    setattr(task.request, _RUNNING, (running, span, time.perf_counter()))


@task_failure.connect
def _failed(sender: Any = None, exception: BaseException | None = None, **_: Any) -> None:
    running = getattr(sender.request, _RUNNING, None)
    if running and exception is not None:
        running[1].failed(type(exception).__qualname__)


@task_postrun.connect
def _ended(task: Any = None, state: str | None = "", **_: Any) -> None:
    running = getattr(task.request, _RUNNING, None)
    if running:
        stack, _span, began = running
        stack.close()
        meters.TASKS.time(time.perf_counter() - began, task=task.name, state=(state or "other").lower())
    facts.begin()


@worker_init.connect
def _worker_starts(sender: Any = None, **_: Any) -> None:
    """Before a worker's children are forked."""
    from modelmyimage import metrics, telemetry

    telemetry.start()
    if settings.METRICS_PORT:
        metrics.listen(state=False, forks=getattr(sender, "pool_cls", None) is not None and _forks(sender))


def _forks(worker: Any) -> bool:
    pool = worker.pool_cls
    name = pool if isinstance(pool, str) else f"{pool.__module__}"
    return "prefork" in name
