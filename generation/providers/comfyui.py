"""ComfyUI on a machine of the operator's, with a workflow of theirs.

The workflow is a file that ``COMFYUI_WORKFLOW`` names, marked as ``generation/workflows.py`` says.

The server deletes no file, but lets itself be told to write others over them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import ClassVar
from urllib.parse import urlencode
from uuid import uuid4

import httpx

from generation import pictures
from generation.comfyui_server import Server, files_of, mesh_of
from generation.exchange import NotThere, Refused, taken, text
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
from generation.workflows import FOLDER, Workflow

logger = logging.getLogger(__name__)


class ComfyUI:
    """Photos are uploaded under random names, the graph is queued, the history says when and where the mesh is."""

    card: ClassVar[Card] = Card(
        name="comfyui",
        label="ComfyUI",
        place="a machine of this site’s operator",
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
        self.api = Server(http, setup["COMFYUI_URL"])
        self.workflow = setup["COMFYUI_WORKFLOW"]

    def fitted(self, card: Card) -> Card:
        """The card with what the workflow has a place for."""
        try:
            workflow = Workflow(self.workflow)
        except Misconfigured:
            return card
        return replace(card, views=workflow.views, options=card.options | workflow.options)

    def submit(self, brief: Brief) -> Remote:
        """See ``Provider.submit``. What was uploaded for a call that did not come about is written over."""
        names = {view: f"{uuid4().hex}.jpg" for view in brief.images}
        graph = Workflow(self.workflow).filled(names, brief)
        remote = Remote(str(uuid4()), {"pictures": [*names.values()]})
        try:
            for view, name in names.items():
                self.api.write("input", FOLDER, name, pictures.jpeg(pictures.squared(brief.images[view])))
            queued = {"prompt": graph, "client_id": uuid4().hex, "prompt_id": remote.id}
            try:
                answer = self.api.create("/prompt", json=queued)
            except Misconfigured:
                raise Unclear from None  # whoever refuses us now has the photo
            # An older server gives the call a name of its own.
            return replace(remote, id=taken(answer, "prompt_id"))
        except ProviderError as error:
            with suppress(ProviderError):
                self.erase(remote)
            if isinstance(error, Declined):
                logger.warning("ComfyUI refused a workflow")  # its checkpoint or a node is not there, as a rule
            if isinstance(error, Refused | NotThere):
                raise Declined from None
            raise

    def poll(self, remote: Remote) -> Pending | Finished | Failed:
        """See ``Provider.poll``. A call may end between one question and the next, so the first is asked again."""
        entry = self.api.entry(remote.id)
        if entry is None and (where := self.api.queue_of(remote.id)):
            percent = 30 if where == "queue_running" else 0
            return Pending(percent, backed_off(remote.polls, first=1, factor=1.1, longest=3))
        entry = self.api.entry(remote.id) if entry is None else entry
        if entry is None:
            return Failed("provider_lost")  # deleted, or the server was started anew
        return Finished() if text(entry, "status", "status_str") != "error" and mesh_of(entry) else Failed()

    def fetch(self, remote: Remote) -> Iterator[bytes]:
        """See ``Provider.fetch``."""
        mesh = mesh_of(self.api.entry(remote.id) or {})
        if mesh is None:
            raise NotThere
        yield from self.api.download(f"/view?{urlencode(mesh)}")

    def erase(self, remote: Remote) -> Erasure:
        """See ``Provider.erase``. Ends the call, writes over all its files and has its entry forgotten."""
        for name in remote.extra["pictures"]:
            self.api.write("input", FOLDER, name, pictures.blank())
        self.api.ask("POST", "/queue", json={"delete": [remote.id]})
        if self.api.queue_of(remote.id) == "queue_running":
            # Only then: a server that knows no ``prompt_id`` here ends whatever is running.
            self.api.ask("POST", "/interrupt", json={"prompt_id": remote.id})
        for file in files_of(self.api.entry(remote.id) or {}):
            with suppress(Refused, NotThere):
                self.api.write(file["type"], file["subfolder"], file["filename"], pictures.blank())
        self.api.ask("POST", "/history", json={"delete": [remote.id]})
        return Erasure(Erased.SWEPT)


PROVIDERS = (ComfyUI,)
