"""What a ComfyUI server says of a call (in one of its queues, then in its history), and how its files are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generation.exchange import Exchange, TooMuch, text


class Server(Exchange):
    """The exchange with one server; it has no log-in."""

    def write(self, kind: str, folder: str, name: str, picture: bytes) -> None:
        """Put a picture into a file there, over what is in it."""
        form = {"type": kind, "subfolder": folder, "overwrite": "true"}
        self.ask("POST", "/upload/image", data=form, files={"image": (name, picture)})

    def entry(self, call: str) -> dict[str, Any] | None:
        """What the history says of a call; nothing before its end."""
        entry = self.ask("GET", f"/history/{call}").get(call)
        return entry if isinstance(entry, dict) else None

    def queue_of(self, call: str) -> str:
        """In which of the two queues a call is; empty for none."""
        try:
            queues = self.ask("GET", "/queue")
        except TooMuch:
            return "queue_pending"  # it lists everybody's graphs; too many of them are no reason to give up
        for name in ("queue_running", "queue_pending"):
            waiting = queues.get(name)
            if isinstance(waiting, list) and any(call in one[1:2] for one in waiting if isinstance(one, list)):
                return name
        return ""


def files_of(entry: Mapping[str, Any]) -> list[dict[str, str]]:
    """The files that a call has made, by its entry in the history, in their order, whatever its nodes call them."""
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


def mesh_of(entry: Mapping[str, Any]) -> dict[str, str] | None:
    """Of the meshes that a call has made the last: it is the one that has colours, if any has."""
    meshes = [file for file in files_of(entry) if file["filename"].lower().endswith(".glb")]
    return meshes[-1] if meshes else None
