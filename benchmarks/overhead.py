"""What our pipeline adds to a provider that answers at once: upload finished to model ready, beside a bare script.

``python -m benchmarks.overhead [COUNT]`` (30): starts the site as ``make run`` does, with a stand-in for Stability AI
as its only provider, and sends it photos one after another as a browser would. Counted from the moment the last byte
was sent until the job's state says that the model can be fetched; the stand-in's own time is under a millisecond. The
reference, in the same run: a script that does the same work on the same photo with the same functions and nothing
else (decode and strip, cut out, send, read the answer, inspect it), without sealing, database, broker or receipts.
Prints median and 95 % of both, and their ratio.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PHOTO = Path(__file__).resolve().parent.parent / "static" / "samples" / "mug.jpg"


def percentiles(times: list[float]) -> tuple[float, float]:
    """Median and 95 %, in milliseconds."""
    found = sorted(times)
    return 1000 * found[len(found) // 2], 1000 * found[min(len(found) - 1, int(0.95 * len(found)))]


def through_the_site(url: str, link: str, count: int) -> list[float]:
    """Seconds of each job; the first, which warms everything up, is not counted."""
    from tests.visitor import Visitor

    visitor = Visitor(url)
    visitor.sign_in(link)
    times = []
    for number in range(count + 1):
        sent: list[float] = []

        def noted(name: str, info: Any, sent: list[float] = sent) -> None:
            if name == "http11.send_request_body.complete":
                sent.append(time.monotonic())

        answer = traced(visitor, noted)
        job = answer.json()["job"]
        while visitor.http.get(f"{job}/state").json()["asset"] is None:
            time.sleep(0.005)
        if number:
            times.append(time.monotonic() - sent[-1])
        visitor.post(f"{job}/acknowledge")
    return times


def traced(visitor: Any, trace: Callable[[str, Any], None]) -> Any:
    """Upload the photo, with httpcore telling when the last byte was sent."""
    send = visitor.http.send

    def watched(request: Any, **options: Any) -> Any:
        request.extensions["trace"] = trace
        return send(request, **options)

    page = visitor.http.get("/create")  # not traced
    assert page.status_code == 200
    visitor.http.send = watched
    try:
        answer = visitor.upload(PHOTO.read_bytes(), quality="standard")
    finally:
        visitor.http.send = send
    assert answer.status_code == 201, answer.text
    return answer


def bare(url: str, count: int) -> list[float]:
    """Seconds of each exchange of the script; the first is not counted."""
    import httpx

    from generation import engine, images, meshes
    from generation.provider import Brief, Delivered
    from generation.providers.stability import PROVIDERS

    times = []
    with httpx.Client(timeout=60) as http:
        provider = PROVIDERS[0](http, {"STABILITY_API_KEY": "test-key", "STABILITY_URL": url})
        for number in range(count + 1):
            began = time.monotonic()
            picture = images.normalise([PHOTO.read_bytes()])
            cut_out = engine.encode_cut_out(engine.cut_out(picture.data))
            answer = provider.submit(Brief(images={"front": cut_out}, quality="standard", key="k"))
            assert isinstance(answer, Delivered)
            meshes.inspect(answer.chunks)
            if number:
                times.append(time.monotonic() - began)
    return times


def main() -> None:
    """Measure both and print them."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    import django

    from tests import services  # noqa: F401 - sets the environment that our own settings need

    django.setup()
    import trimesh

    from sandbox.providers.stability import StabilitySimulator
    from tests.stack import launch

    with tempfile.TemporaryDirectory(prefix="mmi-") as folder, StabilitySimulator() as vendor:
        vendor.behaviour.mesh = bytes(trimesh.creation.icosphere(subdivisions=4).export(file_type="glb"))
        running = launch(
            Path(folder) / "var",
            PROVIDERS="stability-sf3d",
            STABILITY_API_KEY=vendor.key,
            STABILITY_URL=vendor.url,
            GRANT_CREDITS="100000",
        )
        try:
            ours = percentiles(through_the_site(running.url, running.link, count))
        finally:
            running.stop()
        script = percentiles(bare(vendor.url, count))
    for name, figures in (("pipeline", ours), ("bare script", script)):
        print(f"{name:<12} median {figures[0]:6.0f} ms   95 % {figures[1]:6.0f} ms")
    print(f"ratio        median {ours[0] / script[0]:6.2f}      95 % {ours[1] / script[1]:6.2f}")


if __name__ == "__main__":
    main()
