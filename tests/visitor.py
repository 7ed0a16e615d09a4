"""Somebody with a browser but without scripts: the site over HTTP, forms and all."""

from __future__ import annotations

import re
import time
from typing import Any
from uuid import uuid4

import httpx

FINAL_SECONDS = 60.0


class Visitor:
    """One visitor's session at a running site."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, follow_redirects=True, timeout=60)

    def sign_in(self, link: str) -> None:
        """Follow a one-time link and press its button."""
        page = self.http.get(link)
        assert page.status_code == 200, page.text
        landed = self.http.post(link, data={"csrfmiddlewaretoken": self._token(page.text)}, headers=self._referer(link))
        assert landed.status_code == 200, landed.status_code

    def upload(self, data: bytes, name: str = "photo.jpg", **fields: str) -> httpx.Response:
        """Send a photo as the create page's script does."""
        page = self.http.get("/create")
        form = {
            "csrfmiddlewaretoken": self._token(page.text),
            "quality": "draft",
            "keep": "10",
            "request_key": str(uuid4()),
            **fields,
        }
        return self.http.post(
            "/create",
            data=form,
            files={"photo": (name, data, "image/jpeg")},
            headers={"Accept": "application/json", **self._referer("/create")},
        )

    def post(self, path: str) -> httpx.Response:
        """Press a button of a job's page."""
        token = self._token(self.http.get("/create").text)
        return self.http.post(
            path, data={"csrfmiddlewaretoken": token}, headers={"Accept": "application/json", **self._referer(path)}
        )

    def wait(self, job: str, ready: Any) -> dict[str, Any]:
        """Look at the job until ``ready(snapshot)``; the snapshot. Fails after a minute."""
        deadline = time.monotonic() + FINAL_SECONDS
        while True:
            state: dict[str, Any] = self.http.get(f"{job}/state").json()
            if ready(state):
                return state
            assert time.monotonic() < deadline, f"still {state['stage']} after {FINAL_SECONDS:.0f} s"
            time.sleep(0.1)

    def _token(self, page: str) -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert found, page[:2000]
        return found[1]

    def _referer(self, path: str) -> dict[str, str]:
        return {"Referer": str(self.http.base_url.join(path))}
