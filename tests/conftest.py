"""What every test may ask for: the people, the shared pictures, a photo."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parent
SHARED = TESTS.parents[1] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The pictures beside the repository; a clone alone does not have them, and then they are reported as not run."""
    if not SHARED.is_dir():
        pytest.skip("../shared/data is not here")
    return SHARED


@pytest.fixture
def owner(db: None):
    """Somebody with an account."""
    from accounts.models import User

    return User.objects.create_user("owner@example.com")


@pytest.fixture
def stranger(db: None):
    """Another customer."""
    from accounts.models import User

    return User.objects.create_user("stranger@example.com")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: Any) -> None:
    """Workers of ``pytest -n`` go through the migrations once, together."""
    if "PYTEST_XDIST_WORKER" in os.environ and os.environ.get("TEST_DATABASE") != "sqlite":
        from tests import migrated

        with django_db_blocker.unblock():
            migrated.postgres()


@pytest.fixture(scope="session", autouse=True)
def _flush_despite_the_triggers(django_db_setup: None) -> None:
    """Empty the tables after each test that commits: ledger and log refuse that by triggers, in force otherwise."""
    from tests import flushing

    flushing.install()


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """A password is hashed once instead of a million times: what that is for, no test is about."""
    from django.contrib.auth.hashers import PBKDF2PasswordHasher

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PBKDF2PasswordHasher, "iterations", 1)
        yield


@pytest.fixture(autouse=True)
def _in_no_language() -> Iterator[None]:
    """A request of Django's test client leaves its language active in this thread: the next test would read that."""
    from django.utils import translation

    yield
    translation.deactivate()


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the garbage collector need not go through it again, nor a fork copy it for that."""
    gc.freeze()
