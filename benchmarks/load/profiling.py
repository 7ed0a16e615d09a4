"""Where processor time goes: py-spy looks at web and workers a hundred times a second, from outside.

Looked at is whoever runs Python (holds the interpreter's lock): each sample is given to one stage (the outermost
function that names one) and to one kind of work (the innermost frame of a library that is named). What runs beside
Python is not seen: sealing, hashing, TLS and pictures while they work, and parsers, which are processes of their own.
py-spy is no part of the project: ``benchmarks/requirements.txt``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Self

RATE = 100
HOW = ("--format", "raw", "--rate", str(RATE), "--duration", "3600", "--nonblocking", "--subprocesses", "--gil")
STAGES: Mapping[str, str] = {
    r"^prepare \(\S*\bpipeline\.py": "prepare: cut out",
    r"^choose \(\S*\bchoosing\.py": "dispatch: choose",
    r"^_submit \(\S*\bdispatching\.py": "dispatch: submit",
    r"^dispatch \(\S*\bdispatching\.py": "dispatch",
    r"^inspect \(\S*\bpipeline\.py": "inspect: mesh made anew",
    r"^settle \(\S*\bpipeline\.py": "settle",
    r"^deliver \(\S*\bdelivery\.py": "deliver",
    r"^purge \(\S*\bdelivery\.py": "purge",
    r"^claim \(\S*\bleases\.py": "claim",
    r"^_move \(\S*\bpipeline\.py": "save, send for the next",
    r"^_go_on \(\S*\bpipeline\.py": "save, go on",
    r"^sweep\w* \(": "sweeps",
    r"^tend_log \(": "log of receipts",
    r"^audit \(": "audit",
    r"^received \(\S*\bapi_uploads\.py": "upload: sealed",
    r"^receive \(\S*\bintake\.py": "upload: intake",
    r"^_waited \(\S*\bapi\.py": "wait",
    r"^_settled \(\S*\bapi\.py": "wait",
    r"^_first \(\S*\bapi\.py": "asset",
    r"^_chunks \(\S*\bvault\.py": "asset",
    r"^acknowledge \(\S*\bending\.py": "acknowledge",
    r"\baccounts/(bearer|throttle|keys)\.py": "key and limits",
    r"\baccounts/recording\.py": "calls recorded",
    r"^(job_out|_shown) \(": "answer",
}
KINDS: Mapping[str, str] = {
    r"cv2|engine/|onnxruntime|numpy": "pictures",
    r"tink/|privacy/sealing|hashlib": "sealing",
    r"botocore|boto3|s3transfer|urllib3|stores/s3": "S3 client",
    r"kombu|celery|amqp|billiard|vine": "Celery",
    r"redis/": "Valkey client",
    r"psycopg|django/db": "database",
    r"httpx|httpcore|h11|egress": "HTTP to provider",
    r"confined|forkserver": "feeding parsers",
    r"uvicorn|asgiref|starlette|asyncio|anyio|concurrent/": "ASGI, threads",
    r"ninja|pydantic|django/": "Django",
}


class NoProfiler(Exception):
    """py-spy is not installed here."""


class Profile:
    """Samples of some processes for as long as it is entered; then ``stages`` and ``kinds``, in samples."""

    def __init__(self, processes: Mapping[str, list[int]]) -> None:
        beside = Path(sys.executable).with_name("py-spy")
        found = str(beside) if beside.exists() else shutil.which("py-spy")
        if found is None:
            raise NoProfiler("pip install -r benchmarks/requirements.txt")
        self.program, self.processes = found, processes
        self.stages: dict[str, Counter[str]] = {}
        self.kinds: dict[str, Counter[str]] = {}

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory()
        self._running: list[tuple[str, Path, subprocess.Popen[bytes]]] = []
        for kind, ids in self.processes.items():
            for process in ids:
                file = Path(self._folder.name) / f"{kind}-{process}"
                command = [self.program, "record", "--pid", str(process), "--output", str(file), *HOW]
                program = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                self._running.append((kind, file, program))
        return self

    def __exit__(self, *error: object) -> None:
        with self._folder:
            for kind, file, program in self._running:
                program.send_signal(2)
                program.wait(20)
                for line in file.read_text().splitlines() if file.exists() else []:
                    stack, _, count = line.rpartition(" ")
                    self._add(kind, stack, int(count))

    def _add(self, process: str, stack: str, count: int) -> None:
        frames = stack.split(";")
        stage = next((name for frame in frames for mark, name in STAGES.items() if re.search(mark, frame)), "other")
        kind = next(
            (name for frame in reversed(frames) for mark, name in KINDS.items() if re.search(mark, frame)), "other"
        )
        self.stages.setdefault(process, Counter())[stage] += count
        self.kinds.setdefault(process, Counter())[kind] += count
