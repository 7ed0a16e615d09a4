"""A browser with a clean slate: nobody's rate limits, an empty mailbox."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache

CODE = re.compile(r"\b[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}\b")


@pytest.fixture(autouse=True)
def _clean_slate(db: None) -> Any:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def code_in_mail() -> Callable[[str], str]:
    """The code in the newest mail to an address."""

    def find(address: str) -> str:
        text = str(next(sent for sent in reversed(mail.outbox) if sent.to == [address]).body)
        found = CODE.search(text)
        assert found, text
        return found.group()

    return find
