"""A stand-in for a ComfyUI server, with the nodes of the Hunyuan3D workflows and one that counts triangles down.

It checks a graph as the server does before it queues it, keeps every file for ever, and shows everybody's calls to all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from sandbox.providers.simulator import Answer, Call, Request, Simulator, route

LINK, FILE, TEXT = "a link", "a file", "any text"
MULTI_VIEW = "Hunyuan3Dv2ConditioningMultiView"
VIEWS = ("front", "left", "back", "right")
API = r"(?:/api)?"


@dataclass(frozen=True)
class Node:
    """A kind of node: how many outputs it has, and what its inputs take (a choice, or the ends of a range)."""

    outputs: int
    needs: dict[str, Any]
    takes: tuple[str, ...] = ()
    """Further inputs, which are links and may be missing."""


NODES = {
    "ImageOnlyCheckpointLoader": Node(3, {"ckpt_name": ["hunyuan_3d_v2.1.safetensors"]}),
    "LoadImage": Node(2, {"image": FILE}),
    "ModelSamplingAuraFlow": Node(1, {"model": LINK, "shift": (0, 100)}),
    "EmptyLatentHunyuan3Dv2": Node(1, {"resolution": (1, 8192), "batch_size": (1, 4096)}),
    "CLIPVisionEncode": Node(1, {"clip_vision": LINK, "image": LINK, "crop": ["center", "none"]}),
    "Hunyuan3Dv2Conditioning": Node(2, {"clip_vision_output": LINK}),
    MULTI_VIEW: Node(2, {}, VIEWS),
    "KSampler": Node(
        1,
        {
            "model": LINK, "positive": LINK, "negative": LINK, "latent_image": LINK, "seed": (0, 2**64 - 1),
            "steps": (1, 10_000), "cfg": (0, 100), "sampler_name": ["euler"], "scheduler": ["normal"],
            "denoise": (0, 1),
        },
    ),
    "VAEDecodeHunyuan3D": Node(
        1, {"samples": LINK, "vae": LINK, "num_chunks": (1000, 500_000), "octree_resolution": (16, 512)}
    ),
    "VoxelToMesh": Node(1, {"voxel": LINK, "algorithm": ["surface net", "basic"], "threshold": (-1, 1)}),
    "DecimateMesh": Node(1, {"mesh": LINK, "triangles": (100, 1_000_000)}),  # of a third party
    "SaveGLB": Node(0, {"mesh": LINK, "filename_prefix": TEXT}),
    "PreviewImage": Node(0, {"images": LINK}),
}  # fmt: skip
SAVES = ("SaveGLB", "PreviewImage")
Key = tuple[str, str, str]
"""A file: its type, its folder, its name."""


class ComfyUISimulator(Simulator):
    """One server. One call runs at a time: the first that is not over, once it was asked about."""

    def __init__(self) -> None:
        self.kept: dict[Key, bytes] = {}
        """What was uploaded, or written over."""
        self.made: dict[Key, Call] = {}
        """The meshes."""
        self.earlier: dict[str, Call] = {}
        """The call that first had this graph: its files are what an equal graph gets."""
        self.left: set[str] = set()
        """Calls that are in no queue and no history: deleted, forgotten, or of before a restart."""
        self.stopped_all = 0
        """How often whatever ran was stopped."""
        super().__init__()

    def authorised(self, request: Request) -> bool:
        """There is no key."""
        return True

    def answer(self, request: Request) -> Answer:
        """As ever, but not for pages of other sites."""
        origin = urlsplit(request.headers.get("origin", "")).netloc
        return Answer(403) if origin and origin != request.headers.get("host") else super().answer(request)

    def restart(self) -> None:
        """Forget every call; files stay."""
        self.left |= set(self.calls)

    @route("POST", API + "/upload/image", "")
    def upload(self, request: Request) -> Answer | dict[str, str]:
        """Keep a file; one of the same name stays beside it, unless it is to be written over."""
        form = request.form()
        named = re.search(rb'name="image"; filename="([^"]+)"', request.body)
        kind, folder = (str(form.get(name, [usual])[0]) for name, usual in (("type", "input"), ("subfolder", "")))
        if named is None or ".." in folder or kind not in ("input", "output", "temp"):
            return Answer(400)
        stem, dot, ending = named[1].decode().rpartition(".")
        name, number = f"{stem}{dot}{ending}", 0
        data = form["image"][0]
        while "true" not in form.get("overwrite", []) and self.kept.get((kind, folder, name), data) != data:
            number += 1
            name = f"{stem} ({number}){dot}{ending}"
        self.kept[kind, folder, name] = data if isinstance(data, bytes) else data.encode()
        return {"name": name, "subfolder": folder, "type": kind}

    @route("POST", API + "/prompt", "create")
    def prompt(self, request: Request) -> Answer | dict[str, Any]:
        """Check a graph and queue it."""
        asked = request.json()
        if not isinstance(asked, dict):
            return Answer(500, b"500 Internal Server Error", {"Content-Type": "text/plain"})
        graph = asked.get("prompt")
        if not isinstance(graph, dict):
            return refused("no_prompt")
        unknown = [node for node in graph.values() if not isinstance(node, dict) or node.get("class_type") not in NODES]
        if unknown:
            return refused("invalid_prompt")
        if not any(node["class_type"] in SAVES for node in graph.values()):
            return refused("prompt_no_outputs")
        wrong = {id: errors for id, node in graph.items() if (errors := [*self._wrong(graph, node)])}
        if wrong:
            return refused("prompt_outputs_failed_validation", wrong, graph)
        id = str(asked.get("prompt_id") or uuid4())
        same = json.dumps(graph, sort_keys=True)
        with self.lock:
            self.calls[id] = Call(id, self._photos(graph), {"graph": graph})
            self.calls[id].polls = 10**9 * (same in self.earlier)  # all its results are still there
            self.earlier.setdefault(same, self.calls[id])
        return {"prompt_id": id, "number": len(self.calls), "node_errors": {}}

    def _wrong(self, graph: dict[str, Any], node: dict[str, Any]) -> Iterator[str]:
        """What is wrong with a node, by the server's names for that."""
        kind = NODES[node["class_type"]]
        for name, value in node["inputs"].items():
            linked = kind.needs.get(name) == LINK or name in kind.takes
            if linked and not (isinstance(value, list) and value[0] in graph):
                yield "required_input_missing"
            elif linked and value[1] >= NODES[graph[value[0]]["class_type"]].outputs:
                yield "return_type_mismatch"
        for name, wants in kind.needs.items():
            value = node["inputs"].get(name)
            if value is None:
                yield "required_input_missing"
            elif isinstance(wants, list) and value not in wants:
                yield "value_not_in_list"
            elif isinstance(wants, tuple) and (isinstance(value, str) or value < wants[0]):
                yield "value_smaller_than_min"
            elif isinstance(wants, tuple) and value > wants[1]:
                yield "value_bigger_than_max"
            elif wants == FILE and self._input(value) not in self.kept:
                yield "custom_validation_failed"

    @staticmethod
    def _input(value: str) -> Key:
        folder, _, name = value.rpartition("/")
        return "input", folder, name

    def _photos(self, graph: dict[str, Any]) -> list[bytes]:
        """The photos of a graph: in the order of views where it has several, else the one that it loads."""
        several = [node for node in graph.values() if node["class_type"] == MULTI_VIEW]
        if several:
            encoders = [several[0]["inputs"].get(view) for view in VIEWS]
            loaders = [graph[encoder[0]]["inputs"]["image"][0] if encoder else None for encoder in encoders]
        else:
            loaders = [id for id, node in graph.items() if node["class_type"] == "LoadImage"]
        return [self.kept[self._input(graph[id]["inputs"]["image"])] if id else b"" for id in loaders]

    def refusal(self, request: Request) -> Answer:
        """A node that will not do, with what was sent."""
        said = {"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed validation"}
        return Answer(400, {"error": {**said, "details": request.body.decode(errors="replace"), "extra_info": {}}})

    @route("GET", API + r"/history/([^/]+)", "poll")
    def history(self, request: Request, id: str) -> dict[str, Any]:
        """The entry of a call that is over; nothing else."""
        call = self.calls.get(id)
        if call is None or id in self.left or not (call.cancelled or self.done(call)):
            return {}
        return {id: self._entry(call)}

    def _entry(self, call: Call) -> dict[str, Any]:
        ended: dict[str, Any] = {"prompt_id": call.id, "timestamp": 1795418988329}
        outputs: dict[str, Any] = {}
        if call.cancelled:
            last, failed = "execution_interrupted", True
        elif self.behaviour.fails:
            last, failed = "execution_error", True
            ended |= {"node_id": "7", "node_type": "KSampler", "exception_type": "torch.OutOfMemoryError"}
            ended |= {"exception_message": "out of memory", "traceback": ['File "/srv/comfy/execution.py", line 496']}
        else:
            last, failed = "execution_success", False
            outputs = self._outputs(call)
        return {
            "prompt": [1, call.id, call.asked["graph"], {}, []], "outputs": outputs, "meta": {},
            "status": {"status_str": "error" if failed else "success", "completed": not failed,
                       "messages": [["execution_start", {"prompt_id": call.id}], [last, ended]]},
        }  # fmt: skip

    def _outputs(self, call: Call) -> dict[str, Any]:
        """The files that a graph has made; those of the first call with the same graph."""
        graph = call.asked["graph"]
        first = self.earlier[json.dumps(graph, sort_keys=True)]
        outputs: dict[str, Any] = {}
        for id, node in graph.items():
            if node["class_type"] == "SaveGLB":
                folder, _, stem = node["inputs"]["filename_prefix"].rpartition("/")
                key = ("output", folder, f"{stem}_00001_.glb")
                self.made.setdefault(key, first)
                outputs[id] = {"3d": [self._named(key)]}
            elif node["class_type"] == "PreviewImage":
                key = ("temp", "", f"ComfyUI_temp_{first.id}_00001_.png")
                self.kept.setdefault(key, first.photos[0])
                outputs[id] = {"images": [self._named(key)]}
        return outputs

    @staticmethod
    def _named(key: Key) -> dict[str, str]:
        return {"filename": key[2], "subfolder": key[1], "type": key[0]}

    @route("GET", API + "/queue", "poll")
    def queue(self, request: Request) -> dict[str, Any]:
        """Everybody's calls that are not over."""
        open_ones = [
            call for id, call in self.calls.items()
            if id not in self.left and not call.cancelled and not self.done(call, asking=False)
        ]  # fmt: skip
        entries = [[at, call.id, call.asked["graph"], {}, []] for at, call in enumerate(open_ones)]
        runs = bool(open_ones) and open_ones[0].polls > 1
        return {"queue_running": entries[:runs], "queue_pending": entries[runs:]}

    @route("POST", API + "/queue", "erase")
    def unqueue(self, request: Request) -> Answer:
        """Take calls out that wait; they leave no trace."""
        waiting = {entry[1] for entry in self.queue(request)["queue_pending"]}
        self.left |= waiting & set((request.json() or {}).get("delete", []))
        return Answer(200)

    @route("POST", API + "/interrupt", "erase")
    def interrupt(self, request: Request) -> Answer:
        """Stop a call that runs; without a name, whichever runs."""
        named = (request.json() or {}).get("prompt_id")
        self.stopped_all += not named
        for entry in self.queue(request)["queue_running"]:
            if named in (None, entry[1]):
                self.calls[entry[1]].cancelled = True
        return Answer(200)

    @route("POST", API + "/history", "erase")
    def forget(self, request: Request) -> Answer:
        """Forget entries; the files stay, and so do calls that are not over."""
        asked = request.json() or {}
        over = {id for id, call in self.calls.items() if call.cancelled or self.done(call, asking=False)}
        self.left |= over if asked.get("clear") else over & set(asked.get("delete", []))
        return Answer(200)

    @route("GET", API + "/view", "fetch")
    def view(self, request: Request) -> Answer:
        """Any file, by anybody."""
        name, folder = request.query.get("filename", ""), request.query.get("subfolder", "")
        if not name or ".." in name or name.startswith("/"):
            return Answer(400)
        if ".." in folder:
            return Answer(403)
        key = (request.query.get("type", "output"), folder, name)
        if key in self.kept:
            return Answer(200, self.kept[key], {"Content-Type": "application/octet-stream"})
        return self.file(self.made[key]) if key in self.made else Answer(404)


def refused(kind: str, wrong: dict[str, list[str]] | None = None, graph: dict[str, Any] | None = None) -> Answer:
    """Why a graph is not queued, node by node."""
    errors = {
        id: {"errors": [{"type": one, "message": one, "details": "", "extra_info": {}} for one in types],
             "dependent_outputs": [], "class_type": (graph or {})[id]["class_type"]}
        for id, types in (wrong or {}).items()
    }  # fmt: skip
    return Answer(
        400, {"error": {"type": kind, "message": kind, "details": "", "extra_info": {}}, "node_errors": errors}
    )
