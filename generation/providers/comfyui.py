"""ComfyUI on a machine of the operator's, with a workflow of theirs.

The workflow is a file that ``COMFYUI_WORKFLOW`` names, marked as ``generation/workflows.py`` says.

The server deletes no file, but lets itself be told to write others over them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar, Final
from urllib.parse import urlencode
from uuid import uuid4

import httpx

from generation import pictures
from generation.exchange import Exchange, NotThere, Refused, TooMuch, taken, text
from generation.provider import (
    Brief,
    Card,
    Declined,
    Erased,
    Erasure,
    Failed,
    Finished,
    Misconfigured,
    Pending,
    ProviderError,
    Remote,
    Unclear,
    Variable,
    backed_off,
)
from generation.workflows import Workflow

logger = logging.getLogger(__name__)

FOLDER: Final = "modelmyimage"
"""Where photos and meshes lie there."""


class ComfyUI:
    """Photos are uploaded under random names, the graph is queued, the history says when and where the mesh is."""

    card: ClassVar[Card] = Card(
        name="comfyui",
        label="ComfyUI",
        place="a machine of this site's operator",
        region="self",
        variables=(Variable("COMFYUI_URL", address=True), Variable("COMFYUI_WORKFLOW")),
        self_hosted=True,
        slots=1,
        credits={"draft": 2, "standard": 3, "high": 5},
        typical_seconds={"draft": 30, "standard": 60, "high": 120},
        keeps=None,
        can_erase=False,
        resubmit_safe=True,
        evidence=(
            "ComfyUI repository: server.py, execution.py; release 0.3.64 as it ran here. Photo and model are written "
            "over as the call ends, and their files stay until the operator removes them. (November 2026)"
        ),
    )

    def __init__(self, http: httpx.Client, setup: Mapping[str, str]) -> None:
        self.api = Exchange(http, setup["COMFYUI_URL"])
        self.workflow = setup["COMFYUI_WORKFLOW"]

    def fitted(self, card: Card) -> Card:
        """The card with what the workflow has a place for."""
        try:
            workflow = Workflow(self.workflow)
        except Misconfigured:
            return card
        numbers = {"target_triangles"} if "triangles" in workflow.marks else set()
        return replace(card, views=workflow.views, options=card.options | numbers)

    def submit(self, brief: Brief) -> Remote:
        """See ``Provider.submit``. What was uploaded for a call that did not come about is written over."""
        call, names = str(uuid4()), {view: f"{uuid4().hex}.jpg" for view in brief.images}
        graph = Workflow(self.workflow).filled(
            {view: f"{FOLDER}/{name}" for view, name in names.items()},
            prefix=f"{FOLDER}/{uuid4().hex}", quality=brief.quality, triangles=brief.options.target_triangles,
        )  # fmt: skip
        try:
            for view, name in names.items():
                self._write("input", FOLDER, name, pictures.jpeg(pictures.squared(brief.images[view])))
            queued = {"prompt": graph, "client_id": uuid4().hex, "prompt_id": call}
            try:
                answer = self.api.create("/prompt", json=queued)
            except Misconfigured:
                raise Unclear from None  # whoever refuses us now has the photo
            # An older server gives the call a name of its own.
            remote = Remote(taken(answer, "prompt_id"), {"pictures": [*names.values()]})
        except ProviderError as error:
            with suppress(ProviderError):
                self.erase(Remote(call, {"pictures": [*names.values()]}))
            if isinstance(error, Declined):
                logger.warning("ComfyUI refused a workflow")  # its checkpoint or a node is not there, as a rule
            if isinstance(error, Refused | NotThere):
                raise Declined from None
            raise
        return remote

    def poll(self, remote: Remote) -> Pending | Finished | Failed:
        """See ``Provider.poll``. A call may end between one question and the next, so the first is asked again."""
        entry = self._entry(remote)
        if entry is None:
            where = self._where(remote)
            if where:
                percent = 30 if where == "queue_running" else 0
                return Pending(percent, backed_off(remote.polls, first=1, factor=1.1, longest=3))
            entry = self._entry(remote)
        if entry is None:
            return Failed("provider_lost")  # deleted, or the server was started anew
        return Finished() if text(entry, "status", "status_str") != "error" and _meshes(entry) else Failed()

    def fetch(self, remote: Remote) -> Iterator[bytes]:
        """See ``Provider.fetch``. Of several meshes the last: it is the one that has colours, if any has."""
        meshes = _meshes(self._entry(remote) or {})
        if not meshes:
            raise NotThere
        yield from self.api.download(f"/view?{urlencode(meshes[-1])}")

    def erase(self, remote: Remote) -> Erasure:
        """See ``Provider.erase``. Ends the call, writes over all its files and has its entry forgotten."""
        for name in remote.extra["pictures"]:
            self._write("input", FOLDER, name, pictures.blank())
        self.api.ask("POST", "/queue", json={"delete": [remote.id]})
        if self._where(remote) == "queue_running":
            # Only then: a server that knows no ``prompt_id`` here ends whatever is running.
            self.api.ask("POST", "/interrupt", json={"prompt_id": remote.id})
        for file in _files(self._entry(remote) or {}):
            with suppress(Refused, NotThere):
                self._write(file["type"], file["subfolder"], file["filename"], pictures.blank())
        self.api.ask("POST", "/history", json={"delete": [remote.id]})
        return Erasure(Erased.SWEPT)

    def _write(self, kind: str, folder: str, name: str, picture: bytes) -> None:
        form = {"type": kind, "subfolder": folder, "overwrite": "true"}
        self.api.ask("POST", "/upload/image", data=form, files={"image": (name, picture)})

    def _entry(self, remote: Remote) -> dict[str, Any] | None:
        """What the history says of a call; nothing before its end."""
        entry = self.api.ask("GET", f"/history/{remote.id}").get(remote.id)
        return entry if isinstance(entry, dict) else None

    def _where(self, remote: Remote) -> str:
        """In which of the two queues a call is; empty for none."""
        try:
            queues = self.api.ask("GET", "/queue")
        except TooMuch:
            return "queue_pending"  # it lists everybody's graphs; too many of them are no reason to give up
        for name in ("queue_running", "queue_pending"):
            waiting = queues.get(name)
            if isinstance(waiting, list) and any(remote.id in one[1:2] for one in waiting if isinstance(one, list)):
                return name
        return ""


def _files(entry: Mapping[str, Any]) -> list[dict[str, str]]:
    """The files that a call has made, in the order it made them, whatever its nodes call them."""
    found, ahead = [], [entry.get("outputs")]
    while ahead:
        at = ahead.pop(0)
        if isinstance(at, dict):
            file = {name: text(at, name) for name in ("filename", "subfolder", "type")}
            if file["filename"] and file["type"] in ("output", "temp"):
                found.append(file)
            ahead[:0] = at.values()
        elif isinstance(at, list):
            ahead[:0] = at
    return found


def _meshes(entry: Mapping[str, Any]) -> list[dict[str, str]]:
    return [file for file in _files(entry) if file["filename"].lower().endswith(".glb")]


PROVIDERS = (ComfyUI,)
