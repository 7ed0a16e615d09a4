"""What the compose file says of each process, in the few words that starting it without Docker needs.

Nothing is added and nothing guessed, so that the two ways to start a site cannot drift apart. A test has ``docker
compose config`` read the same file and compares.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

FILE: Final = Path(__file__).resolve().parents[2] / "deploy" / "compose" / "docker-compose.yml"
VARIABLE: Final = re.compile(r"\$\$|\$\{(\w+)(?::?([-?])([^}]*))?\}")


class ComposeError(Exception):
    """The file cannot be followed; the message says where."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """One entry below ``services``."""

    name: str
    image: str
    command: tuple[str, ...]
    """The entrypoint's words, then the command's."""
    environment: Mapping[str, str]
    port: int | None
    """Where it listens in its container."""
    replicas: int
    after: tuple[str, ...]
    once: bool
    """It runs to its end before what comes after it begins."""
    mounts: Mapping[str, str]
    """Folder in the container -> a volume's name, ``tmp`` for one in memory, or a path beside the file (``./…``)."""
    networks: frozenset[str]


def read(variables: Mapping[str, str], file: Path = FILE) -> dict[str, Service]:
    """All services in an order in which they can be started. Raises ``ComposeError``."""
    document = _filled(yaml.safe_load(file.read_text()), variables)
    services = {name: _service(name, said) for name, said in document["services"].items()}
    ordered: dict[str, Service] = {}
    while len(ordered) < len(services):
        ready = [one for one in services.values() if one.name not in ordered and set(one.after) <= ordered.keys()]
        if not ready:
            raise ComposeError("depends_on goes round in a circle, or names a service that is not there.")
        ordered |= {one.name: one for one in ready}
    return ordered


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    """The document with ``${NAME}``, ``${NAME:-default}`` and ``${NAME:?why}`` filled in, and ``$$`` made one."""
    if isinstance(value, dict):
        return {key: _filled(inner, variables) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, variables) for inner in value]
    if not isinstance(value, str):
        return value

    def fill(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        if variables.get(found[1]):
            return variables[found[1]]
        if found[2] == "-":
            return found[3]
        raise ComposeError(f"{found[1]} is not set: {found[3] or 'the compose file asks for it'}.")

    return VARIABLE.sub(fill, value)


def _service(name: str, said: dict[str, Any]) -> Service:
    after = said.get("depends_on") or {}
    exposed = said.get("expose") or []
    if len(exposed) > 1:
        raise ComposeError(f"{name} listens on more than one port.")
    command = said.get("command") or []
    if isinstance(command, str):
        raise ComposeError(f"{name}: write its command as a list.")
    mounts = {_target(mount): mount.split(":")[0] for mount in said.get("volumes") or []}
    mounts |= {mount.split(":")[0]: "tmp" for mount in said.get("tmpfs") or []}
    return Service(
        name=name,
        image=said["image"].partition(":")[0],
        command=(*said.get("entrypoint", ()), *command),
        environment={key: str(value) for key, value in (said.get("environment") or {}).items()},
        port=int(exposed[0]) if exposed else None,
        replicas=int(said.get("deploy", {}).get("replicas", 1)),
        after=tuple(after),
        once=said.get("restart") == "no",
        mounts=mounts,
        networks=frozenset(said.get("networks") or ()),
    )


def _target(mount: str) -> str:
    return os.path.normpath(mount.split(":")[1])
