"""Somebody with too few credits, or at their own limit, is told what to do; nothing is kept and nothing charged."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from billing import ledger
from billing.models import Preferences
from generation.models import Job
from privacy.models import Blob
from tests.generation.conftest import photo

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def browser(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def upload(client: Client, *, key: str = "", headers: Any = None):
    """Send a photo, by script unless told otherwise."""
    picture = SimpleUploadedFile("a.jpg", photo(), "image/jpeg")
    form = {"quality": "draft", "keep": "10", "request_key": key or str(uuid4()), "photo": picture}
    headers = {"Accept": "application/json"} if headers is None else headers
    return client.post(reverse("generation:create"), form, headers=headers)


@pytest.mark.parametrize(
    ("selling", "said"),
    [(True, "The Pricing page has more."), (False, "Nothing is for sale on this site: ask whoever runs it.")],
)
def test_too_few_credits(browser, owner, service, settings, selling: bool, said: str) -> None:
    settings.BILLING = selling
    settings.GRANT_CREDITS = 0
    answer = upload(browser)
    assert answer.status_code == 402
    assert answer.json()["code"] == "insufficient_credits"
    assert answer.json()["detail"] == f"This takes 1 credit, and you have fewer. Nothing was charged. {said}"
    page = upload(browser, headers={})
    assert page.status_code == 402
    link = f'<a href="{reverse("billing:pricing")}">Buy credits</a>'
    assert (f'id="quote-buy" >{link}' in page.content.decode()) == selling
    assert not Job.objects.exists()
    assert not Blob.objects.exists()


def test_where_to_buy_is_hidden_until_it_is_needed(browser, service, settings) -> None:
    settings.BILLING = True
    assert 'id="quote-buy" hidden>' in browser.get(reverse("generation:create")).content.decode()


def test_ones_own_limit(browser, owner, service) -> None:
    Preferences.objects.create(user=owner, monthly_limit=2)
    key = str(uuid4())
    assert upload(browser).status_code == 201
    assert upload(browser, key=key).status_code == 201
    answer = upload(browser)
    assert answer.status_code == 422
    assert answer.json()["code"] == "spending_limit"
    assert answer.json()["detail"] == (
        "Your own limit of 2 credits a month leaves 0, and this takes more. Nothing was charged. "
        "Raise the limit on your Credits page, or wait for next month."
    )
    assert Job.objects.count() == 2
    assert not Blob.objects.exclude(group__in=Job.objects.values("pk")).exists()
    assert ledger.balance(owner) == ledger.Balance(available=8, held=2)
    # The form that was taken is answered as it was the first time.
    assert upload(browser, key=key).status_code == 201
    ledger.release(job=Job.objects.order_by("created_at")[0].pk)
    assert upload(browser).status_code == 201
