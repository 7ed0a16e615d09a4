"""Seconds that a device takes to cut out a photo, beside the server's Python: `python -m benchmarks.cut_out [SIDE…]`.

Chromium runs the network by WebAssembly in one thread, so Python's onnxruntime gets one, too. Everything is timed where
it runs; ratios hold on other machines, seconds do not. The first photo loads the network from a site on this machine;
the second finds it loaded. Needs Chromium (CHROMIUM=…) and the packages for tests.
"""

import io
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import sync_playwright

from generation.engine import cut_out, encode_cut_out, saliency
from generation.engine.cutout import decode
from tests.browser.conftest import FLAGS
from tests.browser.ondevice import on_device
from tests.stack import launch

SAMPLE = Path(__file__).resolve().parent.parent / "static" / "samples" / "mug.jpg"
ROUNDS = 3


def seconds(work: Callable[[], object]) -> float:
    """Median of a few runs."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def look_twice(rgb: NDArray[np.uint8]) -> None:
    """What the network alone does for one photo."""
    for side in (192, 256):
        saliency.saliency(rgb, side=side, threads=1)


def cut(jpeg: bytes) -> None:
    """What the engine does."""
    encode_cut_out(cut_out(jpeg, threads=1))


def photo(side: int) -> bytes:
    """The sample at another size."""
    out = io.BytesIO()
    with Image.open(SAMPLE) as opened:
        scale = side / max(opened.size)
        opened.resize((round(opened.width * scale), round(opened.height * scale))).save(out, "JPEG", quality=92)
    return out.getvalue()


def main(sides: list[int]) -> None:
    """Print a line for each size of photo."""
    began = time.perf_counter()
    saliency.session(1)
    loading = time.perf_counter() - began
    with tempfile.TemporaryDirectory(prefix="mmi-") as folder, sync_playwright() as playwright:
        site = launch(Path(folder) / "var")
        try:
            path = os.environ.get("CHROMIUM") or shutil.which("chromium")
            page = playwright.chromium.launch(executable_path=path, args=FLAGS).new_page()
            page.goto(site.link)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(f"{site.url}/create")
            device = on_device(page, site.url)
            first = device.prepare(photo(sides[0]))
            print(f"loading    Chromium {first['loading']:6.2f} s   Python {loading:6.2f} s   ", end="")
            print(f"x {first['loading'] / loading:5.1f}   (script, runtime, weights; one time)")
            for side in sides:
                jpeg = photo(side)
                found = statistics.median(device.prepare(jpeg)["cutting"] for _ in range(ROUNDS))
                rgb = np.ascontiguousarray(decode(jpeg)[..., :3])
                network = seconds(partial(look_twice, rgb))
                whole = seconds(partial(cut, jpeg))
                print(f"{side:4} px    Chromium {found:6.2f} s", end="")
                for name, took in (("its network", network), ("the whole cut-out", whole)):
                    print(f"   {name} in Python {took:6.2f} s   x {found / took:4.1f}", end="")
                print(flush=True)
        finally:
            site.stop()


if __name__ == "__main__":
    main([int(side) for side in sys.argv[1:]] or [960, 2048])
