"""Memory per stream is flat: a process sealing and opening 96 MB stays within 8 MB above its base, on both stores.

Measured in a process of its own, by the same code as the benchmark.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from benchmarks.vault_memory import in_child
from privacy.stores import Store


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process what memory is its own")
def test_memory_stays_flat(each_store: Store, settings: Settings, tmp_path: Path) -> None:
    found = in_child(
        96,
        DATABASE_URL=f"sqlite:///{tmp_path}/db.sqlite3",
        STORE_URL=settings.STORE_URL,
        S3_ENDPOINT_URL=settings.S3_ENDPOINT_URL,
    )
    assert set(found) == {"seal", "open"}
    for figures in found.values():
        assert figures["above"] <= 8
