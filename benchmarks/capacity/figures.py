"""What was measured: ``benchmarks/service_times.json`` (the load benchmark) and ``benchmarks/bounds.json``.

Everything that the plan and the simulation know of the product's speed is in those two files; what they assume about
people is in ``people.py``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

FOLDER: Final = Path(__file__).resolve().parents[1]
SERVICE_TIMES: Final = FOLDER / "service_times.json"
BOUNDS: Final = FOLDER / "bounds.json"
PAGES: Final = 40
"""The crowd of open pages whose cost is taken: a busy web process, but one that keeps up."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Seconds of one core for one job unless a name says otherwise. Bytes are bytes."""

    web: float
    engine: float
    """Cutting out."""
    remote: float
    """What workers of ``default`` and ``calls`` do for a job whose provider answers at once."""
    privacy: float
    postgres: float
    valkey: float
    s3: float
    draft: float
    """The embedded engine, a draft."""
    standard: float
    transactions: float
    rows: float
    key_bytes: float
    blobs: float
    s3_operations: float
    messages: float
    bytes_in: float
    bytes_out: float
    poll: float
    """A message and a poll, with the worker's work for the message."""
    poll_postgres: float
    poll_transactions: float
    look: float
    """The same for a look at an asset that waits."""
    look_postgres: float
    look_transactions: float
    page: float
    """Cores that one open page takes of its web process."""
    page_postgres: float
    log_appends: float
    """A second, as are the next four."""
    commits: float
    new_connections: float
    one_account: float
    many_accounts: float
    woken: float

    @classmethod
    def read(cls, service_times: Path = SERVICE_TIMES, bounds: Path = BOUNDS) -> Self:
        """The committed figures. Raises ``KeyError`` for one that is missing."""
        job: dict[str, Any] = json.loads(service_times.read_text())
        bound: dict[str, Any] = json.loads(bounds.read_text())
        cpu, message = job["cpu_seconds"], bound["message_cpu_seconds"]
        return cls(
            web=cpu["web"],
            engine=bound["cut_out_cpu_seconds"],
            remote=cpu["remote"] + cpu["default"],
            privacy=cpu["privacy"],
            postgres=cpu["postgres"],
            valkey=cpu["valkey"],
            s3=cpu["s3"],
            draft=job["engine_cpu_seconds"]["draft"],
            standard=job["engine_cpu_seconds"]["standard"],
            transactions=job["transactions_per_job"],
            rows=job["rows_bytes_per_job"],
            key_bytes=job["keystore_bytes_per_blob"],
            blobs=job["blobs_per_job"],
            s3_operations=job["s3_operations_per_job"],
            messages=job["messages_per_job"],
            bytes_in=job["bytes_in_per_job"],
            bytes_out=job["bytes_out_per_job"],
            poll=bound["poll_cpu_seconds"] + message,
            poll_postgres=bound["poll_postgres_cpu_seconds"],
            poll_transactions=bound["poll_transactions"],
            look=bound["look_cpu_seconds"] + message,
            look_postgres=bound["look_postgres_cpu_seconds"],
            look_transactions=bound["look_transactions"],
            page=bound[f"page_web_cpu_share_{PAGES}"],
            page_postgres=bound[f"page_postgres_cpu_share_{PAGES}"],
            log_appends=bound["log_appends_per_second"],
            commits=bound["bare_commits_per_second"],
            new_connections=bound["commits_on_new_connections_per_second"],
            one_account=bound["ledger_one_account_per_second"],
            many_accounts=bound["ledger_many_accounts_per_second"],
            woken=bound["woken_per_second_100000"],
        )
