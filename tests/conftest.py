"""What every test may ask for: the people, the shared pictures, a photo."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

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


FIRST = (
    "tests/browser/",
    "tests/generation/test_crash_matrix.py",
    "tests/test_local.py",
    "tests/test_on_sqlite.py",
    "tests/test_canary_hunt.py",
    "tests/generation/engine/",
    "tests/generation/test_meshes.py",
    "tests/generation/test_images.py",
)
"""Long files. Two workers share the files out as they come: what is long and comes last, one does alone."""


@pytest.hookimpl(trylast=True)  # pytest-django has its own order for the rest
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the long files come first; within a file, and among the others, the order stays."""

    def place(item: pytest.Item) -> int:
        path = item.path.relative_to(TESTS.parent).as_posix()
        return next((number for number, first in enumerate(FIRST) if path.startswith(first)), len(FIRST))

    items.sort(key=place)
