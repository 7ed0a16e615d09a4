"""The operator's own workflow for ComfyUI: a graph in its API format, with marks where something is to be put in.

A value that is ``"{{image}}"`` becomes the name of the uploaded photo, and so do ``"{{image:left}}"``,
``"{{image:back}}"`` and ``"{{image:right}}"``; where there is no such photo, the nodes that have none but it are left
out. ``"{{seed}}"``, ``"{{steps}}"``, ``"{{octree}}"`` and ``"{{triangles}}"`` become numbers, ``"{{prefix}}"`` a name
for the file. All but the first may be missing. docs/comfyui-hunyuan3d.json is such a workflow.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from generation.provider import VIEWS, Brief, Declined, Misconfigured

logger = logging.getLogger(__name__)

FOLDER: Final = "modelmyimage"
"""Where photos and meshes lie on the server."""
MARK: Final = re.compile(r'"\{\{([^"]*)\}\}"')
PHOTOS: Final = {"image": "front", **{f"image:{view}": view for view in VIEWS}}
"""Which photo a mark stands for."""
NUMBERS: Mapping[str, Mapping[str, int]] = {
    "steps": {"draft": 15, "standard": 30, "high": 50},
    "octree": {"draft": 192, "standard": 256, "high": 384},
}
"""What some others stand for, by quality."""


class Workflow:
    """A file's graph. Raises ``Misconfigured`` when it is none, or its marks are not those we know."""

    def __init__(self, path: str) -> None:
        try:
            self.text = Path(path).read_text(encoding="utf-8")
            graph = json.loads(self.text)
        except (OSError, ValueError, RecursionError):
            self.text, graph = "", None
        self.marks = set(MARK.findall(self.text))
        nodes = graph.values() if isinstance(graph, dict) else [None]
        known = {"image"} <= self.marks <= {*PHOTOS, *NUMBERS, "triangles", "seed", "prefix"}
        if not known or not all(map(_is_node, nodes)):
            logger.error("COMFYUI_WORKFLOW names no workflow in API format whose marks are known")
            raise Misconfigured
        self.views = frozenset(PHOTOS[mark] for mark in self.marks & PHOTOS.keys())
        self.options = frozenset({"target_triangles"} if "triangles" in self.marks else ())

    def filled(self, photos: Mapping[str, str], brief: Brief) -> dict[str, Any]:
        """The graph for a call on files of these names in ``FOLDER``, by view.

        Raises ``Declined`` where it has no mark for one of them, or for the triangles that are wished for.
        """
        if not photos.keys() <= self.views or (brief.options.target_triangles and "triangles" not in self.marks):
            raise Declined
        values: dict[str, Any] = {name: by_quality[brief.quality] for name, by_quality in NUMBERS.items()}
        values |= {mark: f"{FOLDER}/{photos[view]}" for mark, view in PHOTOS.items() if view in photos}
        values |= {"seed": secrets.randbelow(2**32), "prefix": f"{FOLDER}/{uuid4().hex}", "triangles": brief.triangles}
        graph = _without({view for view in VIEWS if view not in photos}, json.loads(self.text))
        filled: dict[str, Any] = json.loads(MARK.sub(lambda mark: json.dumps(values[mark[1]]), json.dumps(graph)))
        return filled


def _without(views: set[str], graph: dict[str, Any]) -> dict[str, Any]:
    """The graph, less the marks for these photos and the nodes to which no others lead, but these did."""
    links = {
        id: {name: one[0] for name, one in node["inputs"].items() if isinstance(one, list) and _is_link(one)}
        for id, node in graph.items()
    }
    seen = {
        id: {PHOTOS[mark] for mark in MARK.findall(json.dumps(node)) if mark in PHOTOS} for id, node in graph.items()
    }
    for _ in graph:  # what a node sees comes down to it by as many links as there are nodes, at most
        for id, sources in links.items():
            seen[id] = seen[id].union(*(seen.get(source, ()) for source in sources.values()))
    blind = {id for id, sees in seen.items() if sees and sees <= views}
    marks = [f"{{{{{mark}}}}}" for mark, view in PHOTOS.items() if view in views]
    kept = {id: node for id, node in graph.items() if id not in blind}
    for id, node in kept.items():
        inputs = node["inputs"].items()
        node["inputs"] = {name: one for name, one in inputs if links[id].get(name) not in blind and one not in marks}
    return kept


def _is_node(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("inputs"), dict) and bool(value.get("class_type"))


def _is_link(value: list[Any]) -> bool:
    """Whether an input comes from another node: its id, and which of its outputs."""
    return len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], int)
