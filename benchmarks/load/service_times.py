"""What one job costs each part of the site, as one JSON object: what the plan for larger sites is computed from."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from benchmarks.load import counters, course
from benchmarks.load.crowd import Crowd
from benchmarks.load.runs import Measured

GROWTH_JOBS = 60


def collect(run: Measured, asking: Mapping[str, float], photo: int, crowd: Crowd) -> dict[str, Any]:
    """The object. ``cpu_seconds`` is by kind of process; ``default`` is within ``remote``, which serves that queue."""
    jobs = len(run.journeys)
    cpu = {kind: run.cpu[kind] / jobs for kind in ("web", "remote", "engine", "privacy", "beat", "postgres", "s3")}
    cpu |= {"default": 0.0, "valkey": (run.cpu["broker"] + run.cpu["keystore"]) / jobs}
    before = counters.kept_bytes()
    sent = crowd.send(min(8, len(crowd.keys)), GROWTH_JOBS)
    course.await_end([one.job for one in sent])
    time.sleep(7)  # the log takes its receipts in with the next sweep
    kept = (counters.kept_bytes() - before) / GROWTH_JOBS
    return {
        "measured": datetime.now(UTC).date().isoformat(),
        "cores": len(os.sched_getaffinity(0)),
        "cpu_seconds": {kind: round(seconds, 5) for kind, seconds in cpu.items()},
        "transactions_per_job": round(run.counts["transactions"] / jobs, 1),
        "writing_transactions_per_job": round(run.counts["writing"] / jobs, 1),
        "rows_bytes_per_job": round(kept),
        "keystore_bytes_per_blob": round(counters.bytes_of_a_key()),
        "blobs_per_job": len(course.sealed_sizes([run.journeys[0].job])),
        "s3_operations_per_job": round(sum(asking.values()), 1),
        "messages_per_job": round(run.counts["messages"] / jobs, 1),
        "bytes_in_per_job": photo,
        "bytes_out_per_job": round(sum(one.size for one in run.journeys) / jobs),
        "engine_cpu_seconds": engine(),
    }


def engine() -> dict[str, float]:
    """Processor seconds of the embedded engine for a model of a cut-out, by quality; median of three."""
    from benchmarks.load.__main__ import PHOTO
    from generation import engine, images

    picture = engine.encode_cut_out(engine.cut_out(images.normalise([PHOTO.read_bytes()]).data))
    engine.reconstruct(picture, options=engine.Options(quality="draft"))  # loads the network
    found = {}
    for quality in ("draft", "standard"):
        times = []
        for _ in range(3):
            began = time.process_time()
            engine.reconstruct(picture, options=engine.Options(quality=quality))
            times.append(time.process_time() - began)
        found[quality] = round(sorted(times)[1], 3)
    return found
