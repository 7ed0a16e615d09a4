"""A slate without changes that another test published, and people whose addresses are confirmed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import User
from trust.models import Version


@pytest.fixture(autouse=True)
def _clean_slate(db: None) -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def browser(owner: User) -> Client:
    """The owner's browser."""
    client = Client()
    client.force_login(owner)
    return client


@pytest.fixture
def change() -> Callable[..., Version]:
    """Publishes a version by hand; ``days``: from now until it takes effect."""

    def publish(document: str = "privacy", *, days: float = 20, **fields: Any) -> Version:
        cache.clear()
        now = timezone.now()
        newest = Version.objects.of(document).first()
        values = {
            "number": newest.number + 1 if newest else 1,
            "text": "# Text\n\nWords.\n",
            "mark": {"substance": 9, "receives": {}, "coming": [], "holds": {}},
            "substance": True,
            "summary": "Something of substance.",
            "published_at": now - timedelta(days=1),
            "effective_at": now + timedelta(days=days),
        }
        return Version.objects.create(document=document, **values | fields)

    return publish


def confirmed(user: User) -> User:
    """With an address that was confirmed."""
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user
