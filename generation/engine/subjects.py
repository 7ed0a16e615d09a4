"""Which islands of a mask are the subject: the main one, with the loose parts that belong to it.

The main island is the largest, one in the middle of the picture counting for more than one at its edge. A loose
part (the bit a strap hides the way to, a hand in front of a dark sleeve) is much smaller than it and lies close to
what is kept already, for its own size; or it all but touches. Anything else is a subject of its own.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

# Smaller than this share of the largest island, an island found by the network is noise.
ISLAND_SHARE = 0.02
# Smaller than this share, islands and holes are pinholes, whoever made them.
SPECK_SHARE = 0.0005
# An island of this share of the main one counts as a subject.
SUBJECT_SHARE = 0.1
# In a corner of the picture, an island counts this much less than in the middle.
CORNER_LOSS = 0.6
# A part is at most this share of the main island, and not farther off than this many times its own size.
PART_SHARE = 0.35
PART_GAP = 0.6
# Nearer than this share of the main island's size, two islands all but touch.
TOUCH = 0.02
# A part may hang on a part: so many links at most. What is farther off along a chain is a row of things and no part,
# and a picture drawn to be one long chain must not cost a look at all of it for each link.
ROUNDS = 8

Mask = NDArray[np.bool_]


def tidy(subject: Mask, *, island_share: float = ISLAND_SHARE) -> Mask:
    """The mask (h, w) without islands far smaller than the largest one, and without pinholes."""
    labels, sizes, _ = _islands(subject)
    if not len(sizes):
        return subject
    kept = np.concatenate([[False], sizes >= island_share * sizes.max()])[labels]
    # One pixel of margin makes everything outside a single region, which is the largest and stays open.
    holes, hole_sizes, _ = _islands(np.pad(~kept, 1, constant_values=True))
    small = np.concatenate([[False], hole_sizes < SPECK_SHARE * kept.sum()])
    return np.asarray(kept | small[holes][1:-1, 1:-1], np.bool_)


def main_subject(subject: Mask) -> tuple[Mask, bool]:
    """The main island of a tidy mask (h, w) with its loose parts, and whether there are other subjects."""
    labels, sizes, centres = _islands(subject)
    if len(sizes) < 2:
        return subject, False
    main = int(np.argmax(sizes * _centrality(centres, subject.shape)))
    kept = np.arange(len(sizes)) == main
    size = np.sqrt(sizes)
    reach = np.where(sizes <= PART_SHARE * sizes[main], PART_GAP * size, 0).clip(TOUCH * size[main])
    for _ in range(ROUNDS):
        gaps = _gaps(labels, kept)
        if not (near := ~kept & (gaps <= reach)).any():
            break
        kept |= near
    others = bool((~kept & (sizes >= SUBJECT_SHARE * sizes[main])).any())
    return np.asarray(np.concatenate([[False], kept])[labels], np.bool_), others


def _centrality(centres: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """1 in the middle of the picture, less towards its corners, for each (x, y)."""
    half = np.array([shape[1], shape[0]]) / 2
    return np.asarray(1 - CORNER_LOSS * np.linalg.norm((centres - half) / half, axis=1) / np.sqrt(2))


def _gaps(labels: NDArray[np.int32], kept: Mask) -> NDArray[np.float64]:
    """How many pixels each island, from label 1, is away from those that are kept."""
    outside = ~np.concatenate([[False], kept])[labels]
    away = cv2.distanceTransform(outside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    gaps = np.full(len(kept) + 1, np.inf)
    inside = labels > 0
    np.minimum.at(gaps, labels[inside], away[inside])
    return gaps[1:]


def _islands(mask: Mask) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """Label per pixel (0 = none), and for each island, from label 1, its size and its centre (x, y)."""
    _, labels, stats, centres = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    sizes = np.asarray(stats[1:, cv2.CC_STAT_AREA], np.int32)
    return np.asarray(labels, np.int32), sizes, np.asarray(centres[1:], np.float64)
