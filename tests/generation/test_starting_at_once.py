"""Fifty photos at once and credits for ten: ten jobs begin, and of the other photos nothing is left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from accounts.models import User
from billing import ledger
from billing.ledger import Balance
from generation import intake
from generation.models import Job
from privacy import vault
from privacy.models import Blob
from tests.generation.conftest import photo

pytestmark = pytest.mark.django_db(transaction=True)


def test_fifty_starts_with_credit_for_ten(owner: User, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.GRANT_CREDITS = 10
    monkeypatch.setattr(intake, "MAX_OPEN_JOBS", 100)
    wishes = intake.Wishes(quality="draft", keep_minutes=60, provider="embedded")
    assert intake.price(wishes) == 1
    uploads = [vault.seal([photo()], kind="upload", group=uuid4(), limit=20_000_000).pk for _ in range(50)]
    start = Barrier(50)

    def begin(upload: Any) -> str:
        try:
            start.wait(30)
            intake.receive(owner=owner, uploads={"front": upload}, wishes=wishes, request_key=uuid4())
        except intake.NotAccepted as refused:
            return refused.code
        else:
            return "begun"
        finally:
            connection.close()

    with ThreadPoolExecutor(50) as threads:
        results = list(threads.map(begin, uploads))
    assert sorted(results) == ["begun"] * 10 + ["insufficient_credits"] * 40
    assert Job.objects.count() == 10
    assert ledger.balance(owner) == Balance(available=0, held=10)
    assert ledger.verify() == []
    assert Blob.objects.exclude(state="destroyed").count() == 10
