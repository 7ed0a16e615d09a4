"""What is the subject: one rule from any picture to an alpha channel.

A picture that brings transparency of its own says so itself. Otherwise the network looks twice (the whole
picture, then the part it found), GrabCut moves the outline to the nearest edge in colour, and what is left
is tidied: small islands and pinholes go, holes one can see through stay. Without the network, GrabCut works
from the border of the picture alone.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import NoSubject
from .saliency import saliency

# A picture has transparency of its own when more than this share of it is clear.
CLEAR_SHARE = 0.005
# GrabCut works on a picture of this many pixels along the longest side.
WORKING_SIDE = 512
# Smaller than this many pixels along its longest side, a subject has no shape to speak of.
SMALLEST_SIDE = 24
# Half the width of its thickest part must reach both: in pixels, and as a share of its longest side.
THINNEST_PIXELS = 1.5
THINNEST_SHARE = 0.0045
# Above and below, the network's word is final.
SURELY, SURELY_NOT = 0.9, 0.1
# Narrower than this many pixels at working size, a part is thin.
THIN = 21
# Colours and network must agree on at least this much of the subject for the colours to be heard at all.
TRUSTED_AGREEMENT = 0.6
ISLAND_SHARE = 0.02
PINHOLE_SHARE = 0.0005
# An island of this share of the largest one counts as a second subject.
SECOND_SUBJECT_SHARE = 0.1
# So much of the picture's border must be covered for the subject to count as cut off.
BORDER_SHARE = 0.02


def has_alpha(rgba: NDArray[np.uint8]) -> bool:
    """Whether an (h, w, 4) picture's own transparency says what the subject is."""
    return float((rgba[..., 3] < 128).mean()) > CLEAR_SHARE


def find_mask(
    rgba: NDArray[np.uint8], *, threads: int, progress: Callable[[int], None]
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Alpha (h, w; 255 = subject) of an (h, w, 4) picture, and codes of what the user should know.

    ``progress`` hears percentages in rising order. Raises NoSubject.
    """
    if has_alpha(rgba):
        alpha = rgba[..., 3].copy()
        alpha[~tidy(alpha > 127)] = 0
    else:
        alpha = _find(np.ascontiguousarray(rgba[..., :3]), threads, progress)
    subject = alpha > 127
    require_shape(subject)
    return alpha, _warnings(subject)


def require_shape(subject: NDArray[np.bool_]) -> None:
    """Raise NoSubject when the mask (h, w) is empty, tiny, or nothing but a hairline."""
    flags = np.pad(subject.astype(np.uint8), 1)
    _, _, w, h = cv2.boundingRect(flags)
    if max(w, h) < SMALLEST_SIDE:
        raise NoSubject("No subject found.")
    radius = float(cv2.distanceTransform(flags, cv2.DIST_L2, cv2.DIST_MASK_5).max())
    if radius < max(THINNEST_PIXELS, THINNEST_SHARE * max(w, h)):
        raise NoSubject("The subject is too thin.")


def tidy(subject: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask (h, w) without islands far smaller than the largest one, and without pinholes."""
    islands, sizes = _islands(subject)
    if not sizes.any():
        return subject
    keep = np.concatenate([[False], sizes >= ISLAND_SHARE * sizes.max()])
    kept = keep[islands]
    # One pixel of margin makes everything outside a single region, which is the largest and stays open.
    holes, hole_sizes = _islands(np.pad(~kept, 1, constant_values=True))
    small = np.concatenate([[False], hole_sizes < PINHOLE_SHARE * kept.sum()])
    return np.asarray(kept | small[holes][1:-1, 1:-1], np.bool_)


def _islands(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Label per pixel (0 = none) and the size of each island, labels from 1."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    return np.asarray(labels, np.int32), np.asarray(stats[1:, cv2.CC_STAT_AREA], np.int32)


def _warnings(subject: NDArray[np.bool_]) -> tuple[str, ...]:
    found = []
    ring = np.concatenate([subject[0], subject[-1], subject[:, 0], subject[:, -1]])
    if float(ring.mean()) > BORDER_SHARE:
        found.append("touches_border")
    sizes = _islands(subject)[1]
    if (sizes >= SECOND_SUBJECT_SHARE * sizes.max()).sum() > 1:
        found.append("several_subjects")
    return tuple(found)


def _find(rgb: NDArray[np.uint8], threads: int, progress: Callable[[int], None]) -> NDArray[np.uint8]:
    """Alpha (h, w) of an opaque picture."""
    height, width = rgb.shape[:2]
    scale = min(1.0, WORKING_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    likely = _look_twice(rgb, size, threads, progress)
    progress(70)
    found = _from_border(small) if likely is None else _refine(small, likely)
    return _enlarge(tidy(found), width, height)


def _look_twice(
    rgb: NDArray[np.uint8], size: tuple[int, int], threads: int, progress: Callable[[int], None]
) -> NDArray[np.float32] | None:
    """Saliency at ``size`` (width, height): of the picture, then again of the part found, averaged."""
    first = saliency(rgb, threads=threads)
    progress(40)
    if first is None:
        return None
    height, width = rgb.shape[:2]
    likely = np.asarray(cv2.resize(first, size, interpolation=cv2.INTER_AREA), np.float32)
    x, y, w, h = cv2.boundingRect(tidy(first > 0.5).astype(np.uint8))
    if max(w, h) < SMALLEST_SIDE:
        return likely
    dx, dy = round(0.12 * w), round(0.12 * h)
    x0, y0, x1, y1 = max(0, x - dx), max(0, y - dy), min(width, x + w + dx), min(height, y + h + dy)
    if (x1 - x0) * (y1 - y0) > 0.9 * width * height:
        return likely
    second = saliency(np.ascontiguousarray(rgb[y0:y1, x0:x1]), threads=threads)
    if second is None or not second.any():
        return likely
    mean = first.copy()
    mean[y0:y1, x0:x1] = (mean[y0:y1, x0:x1] + second) / 2
    return np.asarray(cv2.resize(mean, size, interpolation=cv2.INTER_AREA), np.float32)


def _refine(rgb: NDArray[np.uint8], likely: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The network's answer (h, w) with its outline moved to the nearest edge in colour."""
    guess = np.asarray(likely > 0.5, np.bool_)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11))
    labels = np.where(guess, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[cv2.erode((likely > 0.97).astype(np.uint8), disc) > 0] = cv2.GC_FGD
    labels[cv2.dilate((likely >= 0.03).astype(np.uint8), disc) == 0] = cv2.GC_BGD
    refined = _grab_cut(rgb, labels, rounds=2)
    if refined is None:
        return guess
    # Where colour disagrees with the network altogether, subject and background look alike: believe it.
    agreement = (refined & guess).sum() / max(1, (refined | guess).sum())
    if agreement <= TRUSTED_AGREEMENT:
        return guess
    # A ragged outline is noise; and colour has no say where the network is sure, nor over a handle or a wire,
    # which it takes for background far too easily.
    smooth = cv2.medianBlur(refined.astype(np.uint8), 5) > 0
    wide = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (THIN, THIN))
    thin = guess & (cv2.morphologyEx(guess.astype(np.uint8), cv2.MORPH_OPEN, wide) == 0)
    return np.asarray((smooth & (likely > SURELY_NOT)) | (likely > SURELY) | thin, np.bool_)


def _from_border(rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The subject (h, w) of a picture whose outermost 4 % is taken for background."""
    height, width = rgb.shape[:2]
    labels = np.full((height, width), cv2.GC_PR_FGD, np.uint8)
    dy, dx = max(1, round(0.04 * height)), max(1, round(0.04 * width))
    labels[:dy], labels[-dy:], labels[:, :dx], labels[:, -dx:] = (cv2.GC_BGD,) * 4
    found = _grab_cut(rgb, labels, rounds=5)
    return np.zeros((height, width), np.bool_) if found is None else found


def _grab_cut(rgb: NDArray[np.uint8], labels: NDArray[np.uint8], *, rounds: int) -> NDArray[np.bool_] | None:
    """GrabCut from ``labels``; None when there is only one colour, or only subject or only background."""
    subject = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    if subject.all() or not subject.any() or int(np.ptp(rgb.reshape(-1, 3), axis=0).max()) < 4:
        return None
    cv2.setRNGSeed(0)  # its clustering draws random numbers; equal input must give equal output
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    whole = (0, 0, rgb.shape[1], rgb.shape[0])  # not looked at in this mode
    out, _, _ = cv2.grabCut(rgb, labels.copy(), whole, background, foreground, rounds, cv2.GC_INIT_WITH_MASK)
    return np.asarray((out == cv2.GC_FGD) | (out == cv2.GC_PR_FGD), np.bool_)


def _enlarge(subject: NDArray[np.bool_], width: int, height: int) -> NDArray[np.uint8]:
    """A mask at working size as a smooth alpha channel with an edge about two pixels wide."""
    factor = max(width / subject.shape[1], height / subject.shape[0])
    soft = cv2.GaussianBlur(subject.astype(np.float32), (0, 0), 1.0)
    soft = cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC)
    steepness = max(1.0, factor)
    return np.asarray(np.clip(((soft - 0.5) * steepness + 0.5) * 255, 0, 255).round(), np.uint8)
