"""The tree is RFC 9162's: against published vectors, and against its definition written down once more."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy import merkle

# The leaves and roots with which Certificate Transparency's implementations are tested.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# A published inclusion proof of that tree, and a consistency proof.
SIXTH_OF_EIGHT = [
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]
SIX_TO_EIGHT = [
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]
MANY = [bytes([number % 256, number // 256]) for number in range(70)]


def split(count: int) -> int:
    half = 1
    while half * 2 < count:
        half *= 2
    return half


def mth(leaves: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    half = split(len(leaves))
    return hashlib.sha256(b"\x01" + mth(leaves[:half]) + mth(leaves[half:])).digest()


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 9162, 2.1.3.1."""
    if len(leaves) == 1:
        return []
    half = split(len(leaves))
    if index < half:
        return [*path(index, leaves[:half]), mth(leaves[half:])]
    return [*path(index - half, leaves[half:]), mth(leaves[:half])]


def subproof(first: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """RFC 9162, 2.1.4.1."""
    if first == len(leaves):
        return [] if whole else [mth(leaves)]
    half = split(len(leaves))
    if first <= half:
        return [*subproof(first, leaves[:half], whole), mth(leaves[half:])]
    return [*subproof(first - half, leaves[half:], False), mth(leaves[:half])]


def stored(leaves: list[bytes]) -> dict[int, bytes]:
    """Everything that the log would store."""
    found: dict[int, bytes] = {}
    for count, leaf in enumerate(leaves):
        found.update(merkle.grow(count, found, [merkle.leaf_hash(leaf)]))
    return found


def hashes(ranges: list[merkle.Range], nodes: dict[int, bytes]) -> list[bytes]:
    return [merkle.hash_of(each, nodes) for each in ranges]


def test_published_roots() -> None:
    nodes = stored(LEAVES)
    for size, root in enumerate(ROOTS):
        assert merkle.hash_of((0, size), nodes).hex() == root == mth(LEAVES[:size]).hex()
    assert hashes(merkle.inclusion_ranges(5, 8), nodes) == [bytes.fromhex(step) for step in SIXTH_OF_EIGHT]
    assert hashes(merkle.consistency_ranges(6, 8), nodes) == [bytes.fromhex(step) for step in SIX_TO_EIGHT]


def test_every_proof_is_the_definitions_and_holds() -> None:
    nodes, roots = stored(MANY), [mth(MANY[:size]) for size in range(len(MANY) + 1)]
    for size in range(len(MANY) + 1):
        tree = MANY[:size]
        assert merkle.hash_of((0, size), nodes) == roots[size]
        for index in range(size):
            found = hashes(merkle.inclusion_ranges(index, size), nodes)
            assert found == path(index, tree)
            leaf = merkle.leaf_hash(MANY[index])
            assert merkle.includes(leaf=leaf, index=index, size=size, path=found, root=roots[size])
        for first in range(size + 1):
            found = hashes(merkle.consistency_ranges(first, size), nodes)
            assert found == (subproof(first, tree, True) if first else [])
            assert merkle.extends(
                first=first, second=size, first_root=roots[first], second_root=roots[size], path=found
            )


def test_growing_by_many_is_growing_one_by_one() -> None:
    one_by_one = stored(MANY)
    for start in range(0, len(MANY), 7):
        before = stored(MANY[:start])
        rest = merkle.grow(start, before, [merkle.leaf_hash(leaf) for leaf in MANY[start:]])
        assert {**before, **dict(rest)} == one_by_one
        assert max(one_by_one) == 2 * (len(MANY) - 1)


@given(st.integers(1, 60), st.data())
def test_a_proof_holds_for_nothing_else(size: int, data: st.DataObject) -> None:
    """Another leaf, another place, another size, a step more, less or changed."""
    nodes = stored(MANY[:size])
    index = data.draw(st.integers(0, size - 1))
    root, leaf = merkle.hash_of((0, size), nodes), merkle.leaf_hash(MANY[index])
    steps = hashes(merkle.inclusion_ranges(index, size), nodes)
    good = {"leaf": leaf, "index": index, "size": size, "path": steps, "root": root}

    def holds(**changes: object) -> bool:
        return merkle.includes(**{**good, **changes})  # type: ignore[arg-type]  # kinds are as above

    assert holds()
    other = data.draw(st.integers(-1, 64).filter(lambda number: number != index))
    assert not holds(index=other)
    assert not holds(leaf=merkle.leaf_hash(MANY[index + 1]))
    assert not holds(path=[*steps, root])
    assert not holds(root=leaf[::-1])
    for place in range(len(steps)):
        assert not holds(path=steps[:place] + steps[place + 1 :])
        assert not holds(path=[*steps[:place], steps[place][::-1], *steps[place + 1 :]])


@given(st.integers(1, 60), st.data())
def test_a_consistency_proof_holds_for_nothing_else(second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, second))
    nodes = stored(MANY[:second])
    older, newer = merkle.hash_of((0, first), nodes), merkle.hash_of((0, second), nodes)
    steps = hashes(merkle.consistency_ranges(first, second), nodes)
    good = {"first": first, "second": second, "first_root": older, "second_root": newer, "path": steps}

    def holds(**changes: object) -> bool:
        return merkle.extends(**{**good, **changes})  # type: ignore[arg-type]  # kinds are as above

    assert holds()
    assert not holds(first_root=older[::-1])
    assert not holds(second_root=newer[::-1])
    assert not holds(path=[*steps, newer])
    if first < second:
        assert not holds(first=second, second=first)
    for place in range(len(steps)):
        assert not holds(path=steps[:place] + steps[place + 1 :])
        assert not holds(path=[*steps[:place], steps[place][::-1], *steps[place + 1 :]])


@pytest.mark.parametrize(("level", "position", "number"), [(0, 0, 0), (0, 3, 6), (1, 0, 1), (1, 1, 5), (2, 0, 3)])
def test_numbers_are_in_order(level: int, position: int, number: int) -> None:
    assert merkle.number(level, position) == number
