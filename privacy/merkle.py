"""The tree of RFC 9162: hashes, which complete subtrees a proof needs, and how a proof is checked. No database.

A *complete subtree* is one of 2^level leaves that begins at a multiple of that; it never changes once it is full, so
its hash can be stored. Each has one number, by which the log stores it: the in-order place, so that leaf i is 2i and
a parent lies between its children. The largest number of a tree of n leaves is therefore its last leaf's, 2(n - 1).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

EMPTY = hashlib.sha256().digest()
"""The root of the tree without leaves."""

Range = tuple[int, int]
"""Leaves from the first number up to, without, the second: a node of the tree of some size."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of two subtrees side by side."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def number(level: int, position: int) -> int:
    """The in-order number of a complete subtree: the ``position``-th, from 0, of those with 2^level leaves."""
    return (position << (level + 1)) + (1 << level) - 1


def cover(leaves: Range) -> list[int]:
    """Numbers of the complete subtrees that make up a range, from left to right."""
    start, end = leaves
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append(number(level, start >> level))
        start += 1 << level
    return found


def fold(hashes: Sequence[bytes]) -> bytes:
    """The hash of the range that these complete subtrees make up."""
    if not hashes:
        return EMPTY
    *rest, found = hashes
    for left in reversed(rest):
        found = node_hash(left, found)
    return found


def hash_of(leaves: Range, stored: Mapping[int, bytes]) -> bytes:
    """The hash of a range from the stored complete subtrees."""
    return fold([stored[each] for each in cover(leaves)])


def grow(size: int, stored: Mapping[int, bytes], leaves: Iterable[bytes]) -> list[tuple[int, bytes]]:
    """What to store when leaves are added to a tree of ``size``: each leaf, followed by the subtrees it completes.

    ``stored`` has the subtrees of ``cover((0, size))``.
    """
    edge = [stored[each] for each in cover((0, size))]
    new = []
    for index, leaf in enumerate(leaves, start=size):
        found, level = leaf, 0
        new.append((number(0, index), found))
        while (index >> level) & 1:
            found = node_hash(edge.pop(), found)
            level += 1
            new.append((number(level, index >> level), found))
        edge.append(found)
    return new


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The ranges whose hashes prove that leaf ``index`` is in the tree of ``size``, from the leaf upwards."""
    start, end, found = 0, size, []
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            found.append((split, end))
            end = split
        else:
            found.append((start, split))
            start = split
    return found[::-1]


def consistency_ranges(first: int, second: int) -> list[Range]:
    """The ranges whose hashes prove that the tree of ``first`` leaves is the beginning of that of ``second``."""
    if first in (0, second):
        return []
    start, end, found = 0, second, []
    while first != end:
        split = start + _split(end - start)
        if first <= split:
            found.append((split, end))
            end = split
        else:
            found.append((start, split))
            start = split
    if start:
        found.append((start, end))
    return found[::-1]


def _split(count: int) -> int:
    """The largest power of two below ``count``."""
    return 1 << ((count - 1).bit_length() - 1)


def includes(*, leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path leads from the leaf at ``index`` to the root of the tree of ``size`` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for other in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(other, found)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, other)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def extends(*, first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the path shows that the first tree is the beginning of the second (RFC 9162, 2.1.4.2)."""
    if first == second:
        return not path and first_root == second_root
    if not 0 <= first < second:
        return False
    if first == 0:
        return not path and first_root == EMPTY
    steps = list(path)
    if first & (first - 1) == 0:
        steps.insert(0, first_root)
    if not steps:
        return False
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    older = newer = steps[0]
    for other in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            older, newer = node_hash(other, older), node_hash(other, newer)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            newer = node_hash(newer, other)
        place, last = place >> 1, last >> 1
    return last == 0 and older == first_root and newer == second_root
