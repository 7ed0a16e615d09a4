"""Fixtures of the stand-ins' tests."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from sandbox.stripe import Sandbox
from tests.sandbox.stripes import sandbox


@pytest.fixture
def running() -> Iterator[Sandbox]:
    """A stand-in for Stripe."""
    with sandbox() as stand_in:
        yield stand_in


@pytest.fixture
def browser(running: Sandbox) -> Iterator[httpx.Client]:
    """A browser on its pages, which says where its forms come from."""
    with httpx.Client(base_url=running.url, headers={"Origin": running.url}) as opened:
        yield opened
