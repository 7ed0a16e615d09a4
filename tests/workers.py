"""Pytest plugin: how the workers of ``pytest -n`` share a run out: who gets which file, and in which order.

Two cores are busy only while somebody uses them: a test that waits for a service, a clock or a process leaves its core
to another worker's. So half of the workers drive whole sites and browsers, which are work for both cores, and the
others begin with everything else, which waits more; who is done with the one takes the other. A site and a browser
are then started by as few as can be. Each worker imports all files of tests, and each begins elsewhere: in a fresh
checkout, what one has compiled, assertions and all, the others find. Loaded by ``-p tests.workers`` (pyproject.toml).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadFileScheduling

from tests.environment import ROOT

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.workermanage import WorkerController

SITES = (
    "tests/browser/",
    "tests/test_local.py",
    "tests/test_api_docs.py",
    "tests/client/",
    "tests/test_canary_hunt.py",
    "tests/sandbox/test_stripe_process.py",
)
"""Files that drive a whole site."""
FIRST = (
    "tests/browser/test_pages_look.py",
    "tests/browser/test_viewer.py",
    "tests/browser/",
    *SITES,
    "tests/generation/test_crash_matrix.py",
    "tests/providers/test_contract.py",
    "tests/test_on_sqlite.py",
    "tests/generation/engine/",
    "tests/generation/test_meshes.py",
    "tests/generation/test_images.py",
)
"""Long files. What is long and comes last, one worker does alone."""


class Sharing(LoadFileScheduling):  # type: ignore[misc]  # xdist ships no types
    """A file goes to one worker, as with ``--dist loadfile``: to one that is meant for its kind, while there is one."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        """Let the next file of this worker's kind come first."""
        drives_sites = int(node.gateway.id.removeprefix("gw")) < (self.numnodes + 1) // 2
        wanted = (file for file in self.workqueue if file.startswith(SITES) == drives_sites)
        self.workqueue.move_to_end(next(wanted, next(iter(self.workqueue))), last=False)
        super()._assign_work_unit(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Sharing | None:
    """Share out as said above where files are shared out."""
    return Sharing(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection(session: pytest.Session) -> None:
    """Let a worker of the whole suite import the tests from its own place on, before they are collected in order."""
    worker: dict[str, Any] | None = getattr(session.config, "workerinput", None)
    if worker is None or session.config.args != session.config.getini("testpaths"):
        return
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    place = len(files) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
    for file in files[place:] + files[:place]:
        importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))


@pytest.hookimpl(trylast=True)  # pytest-django has its own order for the rest
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the long files come first; within a file, and among the others, the order stays."""

    def place(item: pytest.Item) -> int:
        path = item.path.relative_to(ROOT).as_posix()
        return next((number for number, first in enumerate(FIRST) if path.startswith(first)), len(FIRST))

    items.sort(key=place)
