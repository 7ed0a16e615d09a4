"""The module that pages prepare photos with, called as they call it, on the real create page with its real policy."""

from __future__ import annotations

import base64
import subprocess
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

from tests.environment import ROOT
from tests.generation.khronos import node

BUNDLE = """
import { buildSync } from "esbuild";
const options = { entryPoints: ["frontend/device/prepare.js"], bundle: true, format: "esm", write: false };
process.stdout.write(buildSync(options).outputFiles[0].text);
"""
PREPARE = """async ({ module, picture, type, edits, edges }) => {
    const { prepare, recut, Unreadable } = await import(module);
    const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
    const base64 = (blob) => new Promise((resolve) => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result.split(",")[1]);
        reader.readAsDataURL(blob);
    });
    try {
        const began = {};
        const progress = (_, stage) => (began[stage] ??= performance.now());
        let prepared = await prepare(new File([bytes], "photo", { type }), edits, progress);
        const [loading, cutting] = [began.cutting - began.loading, began.writing - began.cutting];
        const again = [];
        for (const edge of edges) again.push(await base64((prepared = await recut(prepared, edge)).blob));
        const data = again[0] ?? await base64(prepared.blob);
        return { ...prepared, blob: undefined, type: prepared.blob.type, data, again,
            loading: loading / 1000 || null, cutting: cutting / 1000 || null };
    } catch (problem) {
        if (problem instanceof Unreadable) return { unreadable: problem.code };
        throw problem;
    }
}"""


@dataclass
class OnDevice:
    """A page that prepares photos."""

    page: Page
    module: str

    def prepare(
        self, picture: bytes, kind: str = "jpeg", edges: tuple[float, ...] = (), **edits: Any
    ) -> dict[str, Any]:
        """What ``prepare`` gives, or ``unreadable``; its blob as bytes under ``data``, of ``recut`` under ``again``.

        ``loading`` and ``cutting``: the seconds of these steps.
        """
        wanted = {"turns": 0, "crop": None, "cutOut": True, "edge": 0, "longest": 2048, **edits}
        asked = {
            "module": self.module,
            "picture": base64.b64encode(picture).decode(),
            "type": f"image/{kind}",
            "edits": wanted,
            "edges": edges,
        }
        found: dict[str, Any] = self.page.evaluate(PREPARE, asked)
        if "data" in found:
            found["data"] = base64.b64decode(found["data"])
            found["again"] = [base64.b64decode(one) for one in found["again"]]
        return found


def on_device(page: Page, site: str) -> OnDevice:
    """The module on a page that is open at ``site``."""
    command = [node(), "--input-type=module", "-e", BUNDLE]
    script = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    module = f"{site}/static/dist/prepare-for-tests.js"
    page.route(module, lambda route: route.fulfill(body=script, content_type="text/javascript"))
    return OnDevice(page, module)
