"""``manage.py providers``: who may receive photos here, what each still lacks, and how it is doing."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.contrib.staticfiles.finders import find
from django.core.management.base import BaseCommand, CommandError

from generation import engine, health, meshes, registry
from generation.provider import (
    Brief,
    Declined,
    Delivered,
    Failed,
    Finished,
    Misconfigured,
    Pending,
    Provider,
    ProviderError,
    Unavailable,
)
from generation.routing import Health

LONGEST_PROBE = 1200.0
SAMPLE = "samples/mug.jpg"


class Command(BaseCommand):
    """List the cards; ``--probe NAME`` runs one small job there, which may cost money."""

    help = "List the providers, what each lacks, and how each is doing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One option."""
        parser.add_argument("--probe", metavar="NAME", help="run one small job at this provider: IT MAY COST MONEY")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one block for each provider, or the course of a probe."""
        if options["probe"]:
            self._probe(options["probe"])
            return
        listed = {card.name for card in registry.cards()}
        for offer in health.offers():
            card, state = offer.card, _state(offer.card.name)
            self.stdout.write(f"{card.name}: {card.label}, {card.place}")
            self.stdout.write(f"  {state}; {_figures(offer.health)}")
            prices = "/".join(str(card.credits.get(quality, "-")) for quality in ("draft", "standard", "high"))
            self.stdout.write(f"  credits {prices}; slots {card.slots or 'any'}; hosts {', '.join(sorted(card.hosts))}")
        for lacking in registry.absent():
            self.stdout.write(f"{lacking.card.name}: {lacking.card.label}")
            self.stdout.write(f"  listed, but not set up: set {', '.join(lacking.missing)}")
            listed.add(lacking.card.name)
        others = [name for name in registry.ours() if name not in listed]
        if others:
            self.stdout.write(f"not in use: {', '.join(others)}")

    def _probe(self, name: str) -> None:
        try:
            provider = registry.get(name)
        except registry.NotListed:
            raise CommandError(f"{name} is not listed, or not set up. See manage.py providers.") from None
        began = time.monotonic()
        for line in probe(provider):
            self.stdout.write(f"{time.monotonic() - began:7.1f} s  {line}")


def _state(name: str) -> str:
    found = health.out(name)
    if found is None:
        return "in"
    if found.why == health.MISCONFIGURED:
        return "NOT CONFIGURED CORRECTLY: its key is refused or its account is empty"
    left = max(0.0, found.until - time.time())
    return f"out ({found.why}), tried again in {left:.0f} s"


def _figures(found: Health) -> str:
    if not found.attempts:
        return f"no attempts in the last hour, {found.running} under way"
    times = "" if found.median is None else f", took {found.median:.0f} s (median), {found.slowest:.0f} s (95 %)"
    return (
        f"{found.attempts} attempts in the last hour, {found.failures} failed, {found.throttled} sent away, "
        f"{found.running} under way{times}"
    )


def probe(provider: Provider) -> Iterator[str]:
    """Send a picture of our own making, and say how it goes; the call is erased in the end. Raises ``CommandError``."""
    quality = next(iter(provider.card.credits))
    sample = find(SAMPLE)
    assert sample is not None
    picture = engine.encode_cut_out(engine.cut_out(Path(sample).read_bytes()))
    try:
        answer = provider.submit(Brief(images={"front": picture}, quality=quality, key=str(uuid4())))
        if isinstance(answer, Delivered):
            yield _measured(b"".join(answer.chunks))
            return
        yield f"taken, as {answer.id}"
        try:
            yield from _followed(provider, answer)
        finally:
            yield f"erased: {provider.erase(answer).result}"
    except Misconfigured:
        raise CommandError("Not configured correctly: the key is refused, or the account is empty.") from None
    except Unavailable:
        raise CommandError("It does not answer.") from None
    except Declined as declined:
        raise CommandError(f"It declined: {declined.code}.") from None
    except ProviderError as error:
        raise CommandError(f"It failed: {type(error).__name__}.") from None


def _followed(provider: Provider, call: Any) -> Iterator[str]:
    deadline = time.monotonic() + LONGEST_PROBE
    while time.monotonic() < deadline:
        match provider.poll(call):
            case Finished():
                yield _measured(b"".join(provider.fetch(call)))
                return
            case Failed(code=code):
                raise CommandError(f"It gave up: {code}.")
            case Pending(percent=percent, wait=wait):
                yield f"{percent} %"
                time.sleep(wait)
    raise CommandError("It took too long.")


def _measured(data: bytes) -> str:
    try:
        found = meshes.inspect([data])
    except meshes.MeshRefused as refused:
        raise CommandError(f"What came back is no mesh that we would deliver: {refused.code}.") from None
    return f"a mesh of {found.triangles} triangles, {len(data)} bytes"
