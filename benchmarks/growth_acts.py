"""What ``benchmarks/growth.py`` times: pages and the API through their views, tasks and audits as they are called.

``acts`` are those whose cost should not grow with what there is; ``walks`` read everything by nature.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from benchmarks.growth_rows import LARGE_ID, SMALL_ID

Act = Callable[[], object]
SCOPES: Final = ["read", "generate", "billing:read", "usage:read"]
HOST: Final = "localhost"


def acts() -> dict[str, Act]:
    """By name; ``large`` and ``small`` are the accounts with a tenth of the jobs and with twenty."""
    from accounts.models import AccessKey

    AccessKey.objects.filter(name="growth").delete()  # of an earlier run on databases that were kept
    return {**_pages(), **_calls(), **_ledger(), **_figures(), **_tasks(), **_log()}


def walks() -> dict[str, Act]:
    """By name."""
    from billing import export, verification
    from privacy import audit, log_audit

    large = _person(LARGE_ID)
    return {
        "manage.py verify_ledger": verification.differences,
        "manage.py verify_log": log_audit.audit,
        "manage.py audit_retention, periods": audit.too_old,
        "the large account's ledger as CSV": lambda: export.table(large),
    }


def _person(number: int) -> Any:
    from accounts.models import User

    return User.objects.get(pk=number)


def _page(account: int, address: str) -> Act:
    """A page as the account's browser asks for it."""
    from django.test import Client

    client = Client(headers={"host": HOST})
    client.force_login(_person(account))

    def get() -> None:
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)

    return get


def _call(account: int, address: str) -> Act:
    """The API as one of the account's programs asks it."""
    from django.test import Client

    from accounts import keys, throttle

    for name, rate in throttle.RATES.items():
        throttle.RATES[name] = replace(rate, calls=10**9)
    _key, secret = keys.make(owner=_person(account), name="growth", scopes=SCOPES)
    client = Client(headers={"host": HOST, "authorization": f"Bearer {secret}"})

    def get() -> None:
        answer = client.get(f"/api/v1{address}")
        assert answer.status_code == 200, (address, answer.status_code, answer.content[:200])

    return get


def _pages() -> dict[str, Act]:
    from django.utils.http import urlencode

    from generation.models import Job

    mine = Job.objects.filter(owner=LARGE_ID)
    middle = mine.order_by("-created_at", "-id")[mine.count() // 2]
    deep = urlencode({"before": f"{middle.created_at.isoformat()}_{middle.pk}"})
    line = mine.filter(stage=Job.Stage.PREPARE).order_by("created_at")[0]
    return {
        "history, large": _page(LARGE_ID, "/history"),
        "history, small": _page(SMALL_ID, "/history"),
        "history, large, the middle": _page(LARGE_ID, f"/history?{deep}"),
        "history, large, failed": _page(LARGE_ID, "/history?state=failed"),
        "history, large, failed, the middle": _page(LARGE_ID, f"/history?state=failed&{deep}"),
        "history, large, running": _page(LARGE_ID, "/history?state=running"),
        "history, large, ready": _page(LARGE_ID, "/history?state=ready"),
        "page of a job in line": _page(LARGE_ID, f"/jobs/{line.pk}"),
        "account page, large": _page(LARGE_ID, "/account/"),
        "API jobs, large": _call(LARGE_ID, "/jobs"),
        "API jobs, small": _call(SMALL_ID, "/jobs"),
        "API jobs, large, the middle": _call(
            LARGE_ID, "/jobs?" + urlencode({"cursor": f"{middle.created_at.isoformat()}_{middle.pk}"})
        ),
        "API jobs, large, failed": _call(LARGE_ID, "/jobs?state=failed"),
        "API jobs, large, running": _call(LARGE_ID, "/jobs?state=running"),
    }


def _calls() -> dict[str, Act]:
    from django.utils import timezone

    today = timezone.now().date()
    year = f"from={today - timedelta(days=365)}&to={today}"
    return {
        "usage, large, 30 days": _page(LARGE_ID, "/account/usage"),
        "usage, small, 30 days": _page(SMALL_ID, "/account/usage"),
        "usage, large, 24 hours": _page(LARGE_ID, "/account/usage?range=24h"),
        "usage, large, a year": _page(LARGE_ID, f"/account/usage?range=custom&{year}"),
        "usage as a file, large, 30 days": _page(LARGE_ID, "/account/usage/by-day.csv"),
        "API usage, large, a year by day": _call(LARGE_ID, f"/usage?{year}"),
        "API usage, large, a year by provider": _call(LARGE_ID, f"/usage?{year}&by=provider"),
        "calls, large": _page(LARGE_ID, "/account/usage/calls"),
        "calls, large, errors": _page(LARGE_ID, "/account/usage/calls?only=errors"),
    }


def _ledger() -> dict[str, Act]:
    from billing import ledger
    from billing.models import Transaction
    from generation import intake

    large = _person(LARGE_ID)
    mine = Transaction.objects.filter(user=large, settles=None, reverses=None).order_by("-id")
    middle = mine[mine.count() // 2].pk

    ledger.grant(user=large, credits=100, key=f"growth:{uuid4()}", reason="growth")

    def spend() -> None:
        job = uuid4()
        ledger.hold(user=large, credits=1, job=job)
        ledger.release(job=job)

    return {
        "credits, large": _page(LARGE_ID, "/billing"),
        "credits, small": _page(SMALL_ID, "/billing"),
        "credits, large, the middle": _page(LARGE_ID, f"/billing?before={middle}"),
        "credits, large, bought": _page(LARGE_ID, "/billing?only=bought"),
        "credits, large, returned": _page(LARGE_ID, "/billing?only=returned"),
        "API balance, large": _call(LARGE_ID, "/balance"),
        "API ledger, large": _call(LARGE_ID, "/ledger"),
        "API ledger, large, the middle": _call(LARGE_ID, f"/ledger?cursor={middle}"),
        "a hold and its release, large": spend,
        "may there be one more job, large": lambda: intake._check_means(large, 1),
    }


def _figures() -> dict[str, Act]:
    from accounts.models import User
    from generation import health, stage_times
    from modelmyimage.state_metrics import State
    from trust import figures

    operator = User.objects.filter(is_staff=True).first() or User.objects.create_superuser("operator@example.com")
    return {
        "trust figures": figures.count,
        "/metrics, the site's state": lambda: list(State().collect()),
        "operators' first page": _page(operator.pk, "/operators/"),
        "health of providers": health._counted,
        "times of stages": lambda: stage_times.measured("embedded", "standard"),
    }


def _tasks() -> dict[str, Act]:
    from django.utils import timezone

    from accounts import rollup
    from accounts import tasks as accounts_tasks
    from billing import books, journal, notices
    from billing import forgetting as billing_forgetting
    from billing import webhooks as billing_webhooks
    from billing.models import JournalPage
    from generation import forgetting as generation_forgetting
    from generation import pipeline
    from generation.notifications import delivering
    from privacy import audit
    from privacy import tasks as privacy_tasks

    def night() -> None:
        before = journal.upto()
        books.close_day()
        JournalPage.objects.filter(after__gte=before).delete()

    return {
        "sweep of jobs": pipeline.sweep,
        "sweep of webhooks": delivering.sweep,
        "sweep of blobs": privacy_tasks.sweep,
        "tending the log": privacy_tasks.tend_log,
        "forgetting strays and requests": privacy_tasks.forget,
        "forgetting calls to providers": generation_forgetting.forget,
        "forgetting sessions and calls": accounts_tasks.forget,
        "forgetting orders and books": billing_forgetting.forget,
        "forgetting Stripe's events": billing_webhooks.forget,
        "adding up calls": lambda: rollup.run(timezone.now()),
        "notices of few credits": notices.send,
        "audit of rows, keys, objects": audit.audit,
        "hourly look at the books": books.look,
        "nightly look, of a day, and its page": night,
    }


def _log() -> dict[str, Act]:
    from privacy import log, proofs
    from privacy.models import Receipt

    rng, size = random.Random(1), log.size()  # noqa: S311  # a choice, not a secret

    def filed() -> None:
        proofs.file_of(Receipt.objects.get(log_index=rng.randrange(size)))

    return {
        "file of a receipt, with its proof": filed,
        "inclusion proof": lambda: log.inclusion(rng.randrange(size), size),
        "consistency proof": lambda: log.consistency(rng.randrange(1, size), size),
    }
