"""Every seed, every input that once broke something, and some hundred spoilt ones: the same each time, in seconds."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from tests.fuzz.run import CORPUS
from tests.fuzz.targets import STRIPE, TARGETS, Broken, environment, receipt

SPOILT = {"picture": 25, "mesh": 60, "receipt": 150, "webhook": 40}
"""So many of each seed."""


def spoilt(data: bytes, count: int, luck: random.Random) -> Iterator[bytes]:
    """Copies with bytes changed, cut out, doubled or put in."""
    for _ in range(count):
        copy = bytearray(data)
        for _ in range(luck.randint(1, 4)):
            at, length = luck.randrange(len(copy) + 1), luck.randint(1, 8)
            match luck.randrange(4):
                case 0:
                    copy[at : at + length] = luck.randbytes(length)
                case 1:
                    del copy[at : at + length]
                case 2:
                    copy[at:at] = copy[at : at + length]
                case 3:
                    copy[at : at + 4] = luck.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF]).to_bytes(4, "little")
        yield bytes(copy)


@pytest.fixture(autouse=True)
def _keys(settings: Settings) -> None:
    settings.SIGNING_KEYS, settings.STRIPE_WEBHOOK_SECRETS = environment["SIGNING_KEYS"], [STRIPE]


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_comes_is_taken_or_refused(name: str) -> None:
    luck = random.Random(name)  # noqa: S311 - the same each time
    seeds = sorted((CORPUS / name).iterdir())
    assert seeds
    for seed in seeds:
        data = seed.read_bytes()
        TARGETS[name](data)
        for each in spoilt(data, SPOILT[name], luck):
            TARGETS[name](each)


def test_seeds_are_taken_and_so_try_what_lies_behind_the_door() -> None:
    from generation import inspection, pixels
    from privacy import receipts

    for name, take in (("picture", pixels.redraw), ("mesh", inspection.remake)):
        for seed in (CORPUS / name).glob("[!_]*"):
            take(seed.read_bytes())  # or it raises
    assert all(receipts.verify(seed.read_bytes()).ok for seed in (CORPUS / "receipt").glob("[!_]*"))


def test_a_target_notices(monkeypatch: pytest.MonkeyPatch) -> None:
    from privacy import signing

    seed = (CORPUS / "receipt" / "bare.json").read_bytes()
    monkeypatch.setattr(signing, "holds", lambda *_: True)
    with pytest.raises(Broken):
        receipt(seed.replace(b'"done"', b'"lost"'))
