"""The bank for tests of buying."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.billing.bank import Bank, open_bank


@pytest.fixture
def bank() -> Iterator[Bank]:
    """A stand-in for Stripe that keeps its events until told to deliver."""
    with open_bank() as bank:
        yield bank
