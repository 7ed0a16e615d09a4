"""What the contract suite knows of each provider: how its stand-in is started, and what is particular about it.

A provider joins the suite by a module ``tests/providers/stand_NAME.py`` whose ``STANDS`` lists one ``Stand`` for each
of its cards; nothing else names it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from generation import registry
from generation.provider import Erased
from sandbox.providers.simulator import Simulator


@dataclass(frozen=True, kw_only=True)
class Stand:
    """One provider under test."""

    name: str
    """The card's."""
    simulator: Callable[[], Simulator]
    setup: Callable[[Simulator], Mapping[str, str]]
    """The environment that points the provider at its running stand-in."""
    erased: Erased
    """What ``erase`` says of a call that was made."""
    erased_unmade: Erased | None = None
    """What is said of a call that was refused; by default as of one whose outcome the card foretells."""
    synchronous: bool = False
    """It answers a submit with the mesh: there is nothing to poll or to fetch, and no remote id."""
    tells_failure: bool = True
    """It says when a call failed; otherwise only our deadline ends it."""
    failure: str = ""
    """What a job is told whose call failed; by default that it was refused where that came with the same answer."""
    links: bool = True
    """The mesh lies behind a link, which can expire or redirect."""
    has_key: bool = True
    """It wants a key, which can be wrong."""

    @property
    def ways(self) -> tuple[object, ...]:
        """What it has in common with the other cards of its adapter that behave alike."""
        adapter = registry.ours()[self.name].__module__
        return (adapter, self.synchronous, self.tells_failure, self.failure, self.links, self.has_key)


def stands() -> list[Stand]:
    """All of them, by module."""
    import tests.providers as package

    names = [module.name for module in pkgutil.iter_modules(package.__path__) if module.name.startswith("stand_")]
    return [stand for name in names for stand in importlib.import_module(f"{package.__name__}.{name}").STANDS]
